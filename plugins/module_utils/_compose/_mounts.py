# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short form of mounts: ``[source:]target[:options]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ._notes import At
from ._values import octal, size_bytes

DRIVE = re.compile(r"[a-zA-Z]:[\\/]")
TMPFS_OPTIONS: Mapping[str, Callable[[str], int]] = {"size": size_bytes, "mode": octal}
PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "ro": {"read_only": True},
    "rw": {"read_only": False},
    "nocopy": {"volume": {"nocopy": True}},
    **{propagation: {"bind": {"propagation": propagation}} for propagation in PROPAGATIONS},
}


def short_mount(spec: str, at: At) -> dict[str, Any]:
    try:
        return _mount(spec, at)
    except ValueError as problem:
        at.wrong(str(problem))
        return {}


def short_tmpfs(spec: str) -> dict[str, Any]:
    """``/run`` or ``/run:size=64m,mode=1777``."""
    target, _colon, listed = spec.partition(":")
    mount: dict[str, Any] = {"type": "tmpfs", "target": target}
    for option in filter(None, listed.split(",")):
        name, _equals, value = option.partition("=")
        if name not in TMPFS_OPTIONS:
            raise ValueError(f"'{spec}' has the option '{name}'; Swarm knows {' and '.join(TMPFS_OPTIONS)} only.")
        mount.setdefault("tmpfs", {})[name] = TMPFS_OPTIONS[name](value)
    return mount


def is_absolute(source: str) -> bool:
    """On a node that runs Linux, or on one that runs Windows."""
    return source.startswith(("/", "\\\\")) or bool(DRIVE.match(source))


def _mount(spec: str, at: At) -> dict[str, Any]:
    if not spec:
        raise ValueError("is empty. Write it like data:/var/lib/data or /srv/data:/var/lib/data:ro.")
    if len(spec) <= 2:
        return {"type": "volume", "target": spec}
    fields = _fields(spec)
    if "" in fields:
        raise ValueError(f"'{spec}' has an empty part between colons.")
    if len(fields) > 3:
        raise ValueError(f"'{spec}' has too many colons.")
    if len(fields) == 1:
        if DRIVE.match(spec):
            at.warn(f"'{spec}' is one path, of a Windows node. A volume whose name is one letter needs the long form.")
        return {"type": "volume", "target": spec}
    source, target, *options = fields
    is_path = source[0] in "./~" or is_absolute(source)
    mount: dict[str, Any] = {"type": "bind" if is_path else "volume", "source": source, "target": target}
    for option in filter(None, ",".join(options).split(",")):
        known = OPTIONS.get(option)
        if known is None:
            at.warn(f"the option '{option}' of '{spec}' is ignored: Swarm has no such option.")
        mount.update(known or {})
    return mount


def _fields(spec: str) -> list[str]:
    """Split at colons, except after a single letter at the start of a field: that is a Windows drive."""
    fields = [""]
    for letter in spec:
        if letter == ":" and not (len(fields[-1]) == 1 and fields[-1].isalpha()):
            fields.append("")
        else:
            fields[-1] += letter
    return fields
