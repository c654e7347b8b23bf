# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Compose files to one project. Pure: variables and files come from the caller."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .._errors import ComposeError, SwarmError
from ._environment import Read, environment, resolve
from ._image import familiar_image
from ._interpolate import Variables
from ._merge import merge_files
from ._mounts import is_absolute
from ._notes import At, Notes, nearest
from ._project import SECTIONS, Contents, Loaded, Project, Source
from ._schema import FILE
from ._yaml import LARGEST, SMALLEST, parse

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
    if project_dir and not is_absolute(project_dir):
        raise ComposeError(f"The option 'project_dir' takes the absolute path of a folder on the nodes (/srv/app), not '{project_dir}'.")
    base = next((source.base_dir for source in sources if source.base_dir), "")
    notes = Notes(beyond_cli)
    place = functools.partial(_place, variables, project_dir, base)
    files: list[tuple[At, dict[str, Any]]] = []
    for source in sources:
        at = At(notes, source.label)
        file = _read_file(source, Variables(variables, env_strict), at)
        for name, service in _sound_services(file, at):
            _complete(service, functools.partial(environment, variables, read, base), place, at.to("services").to(name))
        files.append((at, file))
    notes.stop_on_errors()
    merged: dict[str, Any] = {}
    for at, file in files:
        merged = merge_files(merged, file, at)
    project = _project(merged, files)
    _check(project, notes)
    _check_use(project, notes)
    provided = {"secrets": provided_secrets, "configs": provided_configs}
    contents = {
        section: _contents(project, section, keys, variables, functools.partial(_file, read, base), notes)
        for section, keys in provided.items()
    }
    notes.stop_on_errors()
    return Loaded(project, Contents(**contents), tuple(notes.warnings))


def _read_file(source: Source, variables: Variables, at: At) -> dict[str, Any]:
    document = _plain(source.mapping, at) if source.text is None else parse(source.text, at)
    if document is None and at.notes.errors:
        return {}
    return FILE(variables.fill(document, at), at) or {}


def _sound_services(file: Mapping[str, Any], at: At) -> Iterator[tuple[str, dict[str, Any]]]:
    """Services in which nothing wrong was found: what goes on from here relies on their shape."""
    spoiled = {path[:2] for path, _line in at.notes.errors}
    return ((name, service) for name, service in file.get("services", {}).items() if ("services", name) not in spoiled)


def _complete(service: dict[str, Any], environment: Any, place: Any, at: At) -> None:
    """Read the env files, and make the sources of mounts paths on the nodes."""
    service["environment"] = environment(service, at)
    service.pop("env_file", None)
    service["volumes"] = service.get("volumes", []) + service.pop("tmpfs", [])
    for index, mount in enumerate(service["volumes"]):
        place(mount, at.to("volumes").to(index))


def _plain(value: Any, at: At) -> Any:
    """A mapping of the playbook without the types that Ansible puts around its values."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                at.wrong(f"the key {key} is not a string. Put it in quotes.")
        return {str(key): _plain(item, at.to(key)) for key, item in value.items() if isinstance(key, str)}
    if isinstance(value, (list, tuple)):
        return [_plain(item, at.to(index)) for index, item in enumerate(value)]
    if isinstance(value, str):
        return str(value)
    fits = not isinstance(value, int) or SMALLEST <= value < LARGEST
    if value is None or (isinstance(value, (bool, int, float)) and fits):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    at.broken("the number is too large." if not fits else f"cannot be a {type(value).__name__}.")
    return None


def _place(variables: Mapping[str, str], project_dir: str | None, base: str, mount: dict[str, Any], at: At) -> None:
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


def _project(merged: Mapping[str, Any], files: Sequence[tuple[At, Mapping[str, Any]]]) -> Project:
    sections = {section: dict(sorted(merged.get(section, {}).items())) for section in SECTIONS}
    origins = {
        section: {key: [at.file for at, file in files if key in file.get(section, {})] for key in entries}
        for section, entries in sections.items()
    }
    return Project(**sections, name=merged.get("name", ""), origins=origins)


def _check(project: Project, notes: Notes) -> None:
    for name, service in project.services.items():
        at = project.at(notes, "services", name)
        _check_image(service.get("image", ""), at.to("image"))
        for other in service.get("depends_on", ()):
            if other not in project.services:
                at.to("depends_on").warn(f"there is no service '{other}'.{nearest(other, project.services)}")


def _check_use(project: Project, notes: Notes) -> None:
    """Networks and volumes are made for the services that use them; the others are nowhere to be seen later."""
    services = project.services.values()
    used = {
        "networks": {key for service in services for key in service.get("networks") or ("default",)},
        "volumes": {mount.get("source") for service in services for mount in service["volumes"]},
    }
    for section, keys in used.items():
        for key in sorted(getattr(project, section).keys() - keys):
            project.at(notes, section, key).warn("no service uses it, so it is not created.")


def _check_image(image: str, at: At) -> None:
    if not image:
        at.wrong("the service has no image.")
        return
    try:
        familiar_image(image)
    except ValueError as problem:
        at.wrong(str(problem))


def _contents(
    project: Project, section: str, provided: Collection[str], variables: Mapping[str, str], file: Any, notes: Notes
) -> dict[str, bytes]:
    """The bytes of each entry; the keys that say where they come from are taken out."""
    found: dict[str, bytes] = {}
    entries = getattr(project, section)
    for key in provided:
        if key not in entries:
            project.at(notes, section, key).wrong(f"a value is given, but no file has this key under {section}.{nearest(key, entries)}")
    for key, entry in entries.items():
        given = {kind: entry.pop(kind) for kind in CONTENT_KEYS if kind in entry}
        here = project.at(notes, section, key)
        if key in provided and entry.get("external"):
            here.wrong("is external, so no value can be given for it. Remove the value, or external.")
        elif entry.get("driver") and (given or key in provided) and not entry.get("external"):
            ways = [*given, *([f"the value given with the option {section}"] if key in provided else [])]
            here.wrong(f"the driver has the value, so {' and '.join(ways)} has no effect. Remove one of them.")
        elif key in provided or entry.get("external") or entry.get("driver"):
            continue
        elif len(given) != 1:
            here.wrong(f"needs exactly one of {', '.join(CONTENT_KEYS)}, or a value given with the option {section}.")
        else:
            ((kind, value),) = given.items()
            content = _content(kind, value, variables, file, here.to(kind))
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
        # without the text, which is the value itself where somebody wrote ${NAME}
        at.wrong("takes the name of a variable that env or env_files give, and there is none of this name. Write NAME, not ${NAME}.")
        return None
    return variables[value].encode()
