# SPDX-License-Identifier: GPL-3.0-or-later
"""debian:<release>-slim: as it is here, as a registry has it, or made from the packages of this machine's mirror."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound

from .engine import Engine, install, run
from .errors import LabError
from .labels import LAB_IMAGE, RECIPE
from .progress import step

BUILDER_PACKAGES = ("debian-archive-keyring", "mmdebstrap")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Bases are made at once, but apt serves one at a time.
INSTALLING = threading.Lock()
# Grows when the way of making a base changes.
RECIPE_VERSION = "2"
# The official slim images leave out the same.
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/groff/*",
    "/usr/share/lintian/*",
)
# The release that is still in the making has neither of these suites filled.
TESTING = "forky"


def ensure_base(engine: Engine, release: str) -> str:
    """The id of the image."""
    tag = f"debian:{release}-slim"
    image = find_image(engine, tag)
    # One that was pulled bears no label: it is as good as it was.
    if image and recipe_of(image) in (None, RECIPE_VERSION):
        return str(image["Id"])
    with step(f"getting {tag}"):
        if not _pulled(engine, release):
            _bootstrap(engine, release)
    return str(engine.inspect_image(tag)["Id"])


def find_image(engine: Engine, name: str) -> dict[str, Any] | None:
    try:
        image: dict[str, Any] = engine.inspect_image(name)
    except ImageNotFound:
        return None
    return image


def recipe_of(image: dict[str, Any]) -> str | None:
    return (image["Config"].get("Labels") or {}).get(RECIPE)


def debian_sources(release: str, mirrors: dict[str, str]) -> str:
    """The file the official images have as /etc/apt/sources.list.d/debian.sources, with this machine's mirrors."""
    stanzas = [(mirrors["main"], release if release == TESTING else f"{release} {release}-updates")]
    if "security" in mirrors and release != TESTING:
        stanzas.append((mirrors["security"], f"{release}-security"))
    return "\n".join(f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n" for uri, suites in stanzas)


def debian_mirrors(targets: str) -> dict[str, str]:
    """Where this machine's apt gets Debian from, out of lines `<origin> <suite> <uri>`."""
    mirrors: dict[str, str] = {}
    for line in targets.splitlines():
        origin, suite, uri = (line.split() + ["", "", ""])[:3]
        if origin == "Debian" and uri:
            mirrors.setdefault("security" if suite.endswith("-security") else "main", uri)
    return mirrors


def _pulled(engine: Engine, release: str) -> bool:
    try:
        return not any("error" in event for event in engine.pull("debian", f"{release}-slim", stream=True, decode=True))
    except APIError:
        return False


def _bootstrap(engine: Engine, release: str) -> None:
    tag = f"debian:{release}-slim"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise LabError(
            f"No registry gives {tag}, and only root on Debian or Ubuntu can make it from packages: "
            "let the engine reach a registry, or run as root."
        )
    with INSTALLING:
        if shutil.which("mmdebstrap") is None:
            install(BUILDER_PACKAGES)
    mirrors = debian_mirrors(run(("apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages")))
    if "main" not in mirrors:
        raise LabError(f"No registry gives {tag}, and apt on this machine knows no Debian mirror: add one, or pull the image yourself.")
    with tempfile.TemporaryDirectory() as folder:
        root, sources = Path(folder, "root.tar"), Path(folder, "debian.sources")
        sources.write_text(debian_sources(release, mirrors))
        run(
            (
                "mmdebstrap",
                "--mode=root",
                "--variant=minbase",
                '--aptopt=Acquire::Check-Valid-Until "false"',
                "--dpkgopt=force-unsafe-io",
                *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
                "--customize-hook=rm $1/etc/apt/sources.list",
                f"--customize-hook=upload {sources} /etc/apt/sources.list.d/debian.sources",
                release,
                str(root),
                f"deb [signed-by={KEYRING}] {mirrors['main']} {release} main",
            )
        )
        changes = [f"LABEL {LAB_IMAGE}={tag} {RECIPE}={RECIPE_VERSION}", 'CMD ["bash"]']
        engine.import_image_from_file(str(root), repository="debian", tag=f"{release}-slim", changes=changes)
