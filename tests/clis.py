"""Get a docker CLI, and run the differential tests against it: `clis.py 26.1`, or `clis.py PATH` for the one that is installed.

The lab's node images have three generations of it. It is copied out with the libraries it needs, so that it runs on any machine with
this processor, and no container is started for a call.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.errors import DockerException
from pythons import CACHE, ROOT
from requests.exceptions import RequestException

sys.path.insert(0, str(ROOT / "molecule" / "lab"))

from homelab.engine import Engine, ensure_engine, one_at_a_time
from homelab.errors import LabError
from homelab.images import node_recipe
from homelab.labs import Home, build_images

#: The Debian release that has each.
RELEASES: Mapping[str, str] = {"20.10": "bookworm", "26.1": "trixie", "28.5": "forky"}
INSTALLED = "PATH"
#: How this program ends when there is nothing to run; its last line says why.
NOT_TRIED = 77
COLLECT = "mkdir /cli && cp -L /usr/bin/docker $(ldd /usr/bin/docker | grep -o '/[^ ]*') /cli/"
WRAPPER = """#!/bin/sh
exec {loader} --library-path {folder} {folder}/docker "$@"
"""

Version = tuple[int, int]


class MissingError(Exception):
    """This CLI cannot be had on this machine."""


@dataclass(frozen=True)
class Cli:
    name: str
    program: str
    version: Version


def installed() -> tuple[str, ...]:
    """The CLI of this machine, where there is one of another version than the lab has."""
    program = shutil.which("docker")
    return (INSTALLED,) if program and "{}.{}".format(*version(program)) not in RELEASES else ()


def find(name: str) -> Cli:
    program = shutil.which("docker") if name == INSTALLED else str(_fetched(name))
    if not program:
        raise MissingError("no docker CLI on PATH to compare with")
    return Cli(name, program, version(program))


def version(program: str) -> Version:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", shown)
    if not found:
        raise MissingError(f"'{program} --version' says no version: {shown.strip()}")
    return int(found[1]), int(found[2])


def _fetched(name: str) -> Path:
    folder = CACHE / "cli" / name
    program = folder / "run"
    if not program.exists():
        try:
            _fetch(RELEASES[name], folder)
        except (LabError, DockerException, RequestException) as error:
            raise MissingError(f"the CLI {name} is in a node image of the lab, which cannot be had: {error}") from error
    return program


def _fetch(release: str, folder: Path) -> None:
    with one_at_a_time():
        engine = ensure_engine(Home(ROOT / ".lab").engine)
        build_images(engine, [(release, False)], ())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(_collected(engine, node_recipe(release, bare=False).image))) as archive:
        for member in archive.getmembers():
            # by hand, as Debian 12's Python has no safe way to extract yet
            if member.isfile() and (file := archive.extractfile(member)):
                copy = folder / Path(member.name).name
                copy.write_bytes(file.read())
                copy.chmod(member.mode)
    loader = next(folder.glob("ld-*.so*"))
    wrapper = folder / "run.new"
    wrapper.write_text(WRAPPER.format(loader=loader, folder=folder))
    wrapper.chmod(0o755)
    wrapper.rename(folder / "run")


def _collected(engine: Engine, image: str) -> bytes:
    container = engine.create_container(image, ["sh", "-c", COLLECT], network_disabled=True)["Id"]
    try:
        engine.start(container)
        if engine.wait(container)["StatusCode"]:
            raise LabError(f"the docker CLI cannot be copied out of {image}: {engine.logs(container).decode().strip()}")
        return b"".join(engine.get_archive(container, "/cli")[0])
    finally:
        engine.remove_container(container, v=True, force=True)


def main() -> int:
    name = sys.argv[1]
    try:
        cli = find(name)
    except MissingError as reason:
        print(reason)
        return NOT_TRIED
    print(f"comparing with the CLI {'.'.join(map(str, cli.version))} ({cli.program})", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/differential", f"--cli={name}", *sys.argv[2:]], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
