# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service mounts and attaches: volumes, networks, secrets, configs. References are by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._compose._notes import At, nearest
from .._compose._project import Entry, Project
from .._model import NAMESPACE
from ._field import Field, fill

PREDEFINED_NETWORKS = ("default", "bridge", "host", "none")
READABLE_BY_ALL = 0o444


def full_name(stack: str, key: str, entry: Entry) -> str:
    return str(entry.get("name") or f"{stack}_{key}")


def named(labels: Mapping[str, str], stack: str) -> dict[str, str]:
    """``labels`` and the one that says which stack this belongs to."""
    return {**labels, NAMESPACE: stack}


def external(project_entry: Entry) -> bool:
    return bool(project_entry.get("external"))


# --- mounts

DRIVER: Mapping[str, Field] = {"driver": Field("Name"), "driver_opts": Field("Options")}
VOLUME_OPTIONS: Mapping[str, Field] = {"nocopy": Field("NoCopy"), "subpath": Field("Subpath", since="1.45")}
MOUNT_OPTIONS: Mapping[str, tuple[str, Mapping[str, Field]]] = {
    "bind": ("BindOptions", {"propagation": Field("Propagation")}),
    "tmpfs": ("TmpfsOptions", {"size": Field("SizeBytes"), "mode": Field("Mode")}),
}
# The options that fit a type of mount; others are a contradiction.
OPTIONS_OF: Mapping[str, Sequence[str]] = {
    "volume": ("volume",),
    "bind": ("bind",),
    "tmpfs": ("tmpfs",),
    "npipe": ("bind",),
    "cluster": (),
}
MOUNT: Mapping[str, Field] = {
    "type": Field("Type"),
    "source": Field("Source"),
    "target": Field("Target"),
    "read_only": Field("ReadOnly"),
    "consistency": Field("Consistency"),
}


def mount_body(mount: Entry, project: Project, stack: str, at: At) -> dict[str, Any]:
    body = fill(MOUNT, mount)
    kind, source = str(mount.get("type", "")), str(mount.get("source", ""))
    for other in ("bind", "volume", "tmpfs"):
        if other in mount and other not in OPTIONS_OF[kind]:
            at.to(other).wrong(f"does not fit a mount of type {kind}. Remove it.")
    if kind == "tmpfs" and source:
        at.to("source").wrong("a tmpfs mount has no source. Remove it.")
    if kind in ("bind", "npipe", "cluster") and not source:
        at.wrong(f"a mount of type {kind} needs a source.")
    for key, (api, table) in MOUNT_OPTIONS.items():
        if key in mount and key in OPTIONS_OF[kind]:
            body[api] = fill(table, mount[key])
    if kind == "cluster":
        body["ClusterOptions"] = {}
    if (kind == "volume" and source) or (kind == "cluster" and not source.startswith("group:")):
        volume = defined(project.volumes, "volume", source, at)
        body["Source"] = full_name(stack, source, volume)
        if kind == "volume":
            body["VolumeOptions"] = _volume_options(mount, volume, stack)
    return body


def mount_bodies(mounts: Sequence[Entry], project: Project, stack: str, at: At) -> list[dict[str, Any]]:
    targets: set[str] = set()
    for index, mount in enumerate(mounts):
        target = str(mount.get("target", ""))
        if target in targets:
            at.to(index).wrong(f"'{target}' is the target of an earlier mount too, which the engine refuses. Keep one.")
        targets.add(target)
    return [mount_body(mount, project, stack, at.to(index)) for index, mount in enumerate(mounts)]


def _volume_options(mount: Entry, volume: Entry, stack: str) -> dict[str, Any]:
    options = fill(VOLUME_OPTIONS, mount.get("volume", {}))
    if external(volume):
        return options
    options["Labels"] = named(volume.get("labels", {}), stack)
    if volume.get("driver") or "driver_opts" in volume:
        options["DriverConfig"] = fill(DRIVER, volume)
    return options


def defined(entries: Mapping[str, Entry], kind: str, key: str, at: At) -> Entry:
    """The top-level entry that a service refers to."""
    if key in entries:
        return entries[key]
    at.wrong(f"there is no {kind} '{key}' under the top-level {kind}s.{nearest(key, entries)}")
    return {}


# --- networks


def attachment_bodies(
    service: str, attachments: Mapping[str, Any], attach: Sequence[str], project: Project, stack: str, at: At
) -> list[dict[str, Any]]:
    bodies = [
        _attachment(service, network_name(key, project, stack, at.to(key)), attachment or {})
        for key, attachment in (attachments or {"default": None}).items()
    ]
    there = {body["Target"] for body in bodies}
    # shared with other stacks, so without the short name, which another stack's service may have too
    bodies += [{"Target": name} for name in attach if name not in there]
    return sorted(bodies, key=lambda body: str(body["Target"]))


def network_name(key: str, project: Project, stack: str, at: At) -> str:
    if key == "default" and key not in project.networks:
        return f"{stack}_default"
    return full_name(stack, key, defined(project.networks, "network", key, at))


def _attachment(service: str, target: str, attachment: Entry) -> dict[str, Any]:
    body: dict[str, Any] = {"Target": target}
    aliases = list(attachment.get("aliases", ()))
    if target not in PREDEFINED_NETWORKS and not target.startswith("container:"):
        aliases.append(service)
    if aliases:
        body["Aliases"] = aliases
    if attachment.get("driver_opts"):
        body["DriverOpts"] = attachment["driver_opts"]
    return body


# --- secrets and configs


def reference_bodies(kind: str, references: Sequence[Entry], entries: Mapping[str, Entry], stack: str, at: At) -> list[dict[str, Any]]:
    """``kind`` is Secret or Config; the id is filled in when the object exists."""
    bodies = []
    targets: set[str] = set()
    for index, reference in enumerate(references):
        here = at.to(index)
        source = reference.get("source", "")
        entry = defined(entries, kind.lower(), source, here)
        target = reference.get("target") or source
        if target in targets:
            here.wrong(f"'{target}' is the target of an earlier {kind.lower()} too. Give it another target.")
        targets.add(target)
        file = {
            "Name": target,
            "UID": reference.get("uid") or "0",
            "GID": reference.get("gid") or "0",
            "Mode": reference.get("mode", READABLE_BY_ALL),
        }
        bodies.append({f"{kind}Name": full_name(stack, source, entry), "File": file})
    return sorted(bodies, key=lambda body: str(body[f"{kind}Name"]))
