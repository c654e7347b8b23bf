# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Compose files to one project. Pure: variables and files come from the caller."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._errors import SwarmError
from ._environment import Read, environment, resolve
from ._image import familiar_image
from ._interpolate import Variables
from ._merge import merge_files
from ._mounts import is_absolute
from ._notes import At, Notes, nearest
from ._project import Contents, Loaded, Project, Source
from ._schema import FILE
from ._yaml import parse

CONTENT_KEYS = ("file", "content", "environment")


def load(
    sources: Sequence[Source],
    variables: Mapping[str, str],
    read: Read,
    *,
    env_strict: bool = False,
    project_dir: str | None = None,
    beyond_cli: bool = False,
    provided_secrets: Collection[str] = (),
    provided_configs: Collection[str] = (),
) -> Loaded:
    """Read, check and merge ``sources``, left to right.

    ``read`` returns the bytes of a file on the controller and raises OSError or SwarmError. ``project_dir`` is the
    folder on the nodes that relative bind sources are seen from. ``provided_*`` are the keys of secrets and configs
    whose values the caller has: their files are not read.
    """
    base = next((source.base_dir for source in sources if source.base_dir), "")
    warnings: list[str] = []
    merged: dict[str, Any] = {"services": {}}
    for source in sources:
        notes = Notes(source.label, beyond_cli)
        file = _read_file(source, Variables(variables, env_strict), At(notes))
        for name, service in file.get("services", {}).items():
            at = At(notes, ("services", name))
            found = environment(service, variables, read, base, at)
            service.pop("env_file", None)
            service["environment"] = found
            service["volumes"] = service.get("volumes", []) + service.pop("tmpfs", [])
            for index, mount in enumerate(service.get("volumes", ())):
                _place(mount, variables, project_dir, base, at.to("volumes").to(index))
        notes.stop_on_errors()
        merged = merge_files(merged, file, At(notes))
        warnings += notes.warnings
    notes = Notes(" + ".join(source.label for source in sources))
    project = _project(merged, At(notes))
    provided = {"secrets": provided_secrets, "configs": provided_configs}
    contents = {
        section: _contents(getattr(project, section), keys, variables, read, base, At(notes, (section,)))
        for section, keys in provided.items()
    }
    notes.stop_on_errors()
    return Loaded(project, Contents(**contents), tuple(dict.fromkeys(warnings + notes.warnings)))


def _read_file(source: Source, variables: Variables, at: At) -> dict[str, Any]:
    document = _plain(source.mapping, at) if source.text is None else parse(source.text, at)
    at.notes.stop_on_errors()
    filled = variables.fill(document, at)
    at.notes.stop_on_errors()
    found: dict[str, Any] = FILE(filled, at)
    at.notes.stop_on_errors()
    return found


def _plain(value: Any, at: At) -> Any:
    """A mapping of the playbook without the types that Ansible puts around its values."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                at.wrong(f"the key {key} is not a string. Put it in quotes.")
        return {str(key): _plain(item, at.to(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, at.to(index)) for index, item in enumerate(value)]
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    at.wrong(f"cannot be a {type(value).__name__}.")
    return None


def _place(mount: dict[str, Any], variables: Mapping[str, str], project_dir: str | None, base: str, at: At) -> None:
    """Make the source of a bind mount absolute: it is a path on the nodes."""
    source = mount.get("source", "")
    if mount.get("type") != "bind" or not source:
        return
    if source.startswith("~"):
        if "HOME" in variables:
            source = source.replace("~", variables["HOME"], 1)
        else:
            at.warn("'~' stays as it is, because the variable HOME is not set. Write the path in full.")
    if not is_absolute(source):
        folder = project_dir or base
        if not folder:
            at.wrong(f"'{source}' is relative, and nothing says to what. Set project_dir, or write an absolute path.")
        elif not project_dir:
            at.warn(f"'{source}' is taken relative to {base}, a folder of the controller. Set project_dir to a folder of the nodes.")
        source = resolve(folder, source)
    mount["source"] = source


def _project(merged: Mapping[str, Any], at: At) -> Project:
    services = merged["services"]
    for name, service in services.items():
        _check_image(service.get("image", ""), at.to("services").to(name).to("image"))
        for other in service.get("depends_on", ()):
            if other not in services:
                at.to("services").to(name).to("depends_on").warn(f"there is no service '{other}'.{nearest(other, services)}")
    sections = {key: dict(sorted(merged.get(key, {}).items())) for key in ("services", "networks", "volumes", "secrets", "configs")}
    return Project(**sections, name=merged.get("name", ""))


def _check_image(image: str, at: At) -> None:
    if not image:
        at.wrong("the service has no image.")
        return
    try:
        familiar_image(image)
    except ValueError as problem:
        at.wrong(str(problem))


def _contents(
    entries: Mapping[str, dict[str, Any]],
    provided: Collection[str],
    variables: Mapping[str, str],
    read: Read,
    base: str,
    at: At,
) -> dict[str, bytes]:
    """The bytes of each entry; the keys that say where they come from are taken out."""
    found: dict[str, bytes] = {}
    for key in provided:
        if key not in entries:
            at.to(key).wrong(f"a value is given, but no file has this key under {at.path[-1]}.{nearest(key, entries)}")
    for key, entry in entries.items():
        given = {kind: entry.pop(kind) for kind in CONTENT_KEYS if kind in entry}
        here = at.to(key)
        if key in provided:
            if entry.get("external"):
                here.wrong("is external, so no value can be given for it. Remove the value, or external.")
        elif entry.get("external") or entry.get("driver"):
            continue
        elif len(given) != 1:
            here.wrong(f"needs exactly one of {', '.join(CONTENT_KEYS)}, or a value given with the option {at.path[-1]}.")
        else:
            ((kind, value),) = given.items()
            content = _content(kind, value, variables, functools.partial(_file, read, base), here.to(kind))
            if content is not None:
                found[key] = content
    return found


def _file(read: Read, base: str, path: str, at: At) -> bytes | None:
    try:
        return read(resolve(base, path))
    except (OSError, SwarmError) as problem:
        at.wrong(f"cannot read '{path}': {problem}")
        return None


def _content(kind: str, value: str, variables: Mapping[str, str], file: Any, at: At) -> bytes | None:
    if kind == "file":
        content: bytes | None = file(value, at)
        return content
    if kind == "content":
        return value.encode()
    if value not in variables:
        at.wrong(f"the variable {value} is not set. Give it in env or env_files.")
        return None
    return variables[value].encode()
