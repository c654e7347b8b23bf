# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert: the project as the bodies that the engine's API takes, each object under its full name.

References between objects are by name; ids are filled in when the objects exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._bodies._field import Field, fill
from ._bodies._references import PREDEFINED_NETWORKS, external, full_name, named
from ._bodies._service import newer_fields, service_body
from ._compose._notes import At, Notes, nearest
from ._compose._project import Entry, Project
from ._model import Body
from ._names import NAMES, is_possible


@dataclass(frozen=True)
class Need:
    """A field that only engines with this API version or a newer one can do."""

    place: str
    api: str


@dataclass(frozen=True)
class Desired:
    """What should be on the engine when the deploy is done."""

    stack: str
    networks: Mapping[str, Body] = field(default_factory=dict)
    external_networks: tuple[str, ...] = ()
    secrets: Mapping[str, Body] = field(default_factory=dict)
    configs: Mapping[str, Body] = field(default_factory=dict)
    external_secrets: tuple[str, ...] = ()
    external_configs: tuple[str, ...] = ()
    secret_keys: Mapping[str, str] = field(default_factory=dict)
    config_keys: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Body] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()


POOL: Mapping[str, Field] = {
    "subnet": Field("Subnet"),
    "ip_range": Field("IPRange"),
    "gateway": Field("Gateway"),
    "aux_addresses": Field("AuxiliaryAddresses"),
}
IPAM: Mapping[str, Field] = {
    "driver": Field("Driver"),
    "options": Field("Options"),
    "config": Field("Config", lambda pools: [fill(POOL, pool) for pool in pools]),
}
NETWORK: Mapping[str, Field] = {
    "driver_opts": Field("Options"),
    "internal": Field("Internal"),
    "attachable": Field("Attachable"),
    "enable_ipv6": Field("EnableIPv6"),
    "ipam": Field("IPAM", lambda ipam: fill(IPAM, ipam)),
}


def convert(project: Project, stack: str, attach: Mapping[str, Sequence[str]] | None = None) -> Desired:
    """``attach`` adds networks from outside the project, by full name, to the services of those keys."""
    extra = attach or {}
    notes = Notes()
    for key, networks_outside in extra.items():
        if key not in project.services:
            attached = ", ".join(networks_outside)
            wrong = f"there is no such service to attach to the network {attached}.{nearest(key, project.services)}"
            project.at(notes, "services", key).wrong(wrong)
    services = {
        f"{stack}_{key}": service_body(key, service, extra.get(key, ()), project, stack, project.at(notes, "services", key))
        for key, service in project.services.items()
    }
    for section in ("services", "networks", "volumes", "secrets", "configs"):
        _check_distinct(project, section, stack, notes)
    networks, external_networks = _networks(project, stack, extra)
    secrets, configs = _contents(project.secrets, stack), _contents(project.configs, stack)
    for sort, names in (("services", services), ("networks", networks), ("secrets", secrets), ("configs", configs)):
        _check_names(sort, names, At(notes, path=(sort,)))
    notes.stop_on_errors()
    return Desired(
        stack=stack,
        networks=networks,
        external_networks=external_networks,
        secrets=secrets,
        configs=configs,
        external_secrets=_external_names(project, "secrets"),
        external_configs=_external_names(project, "configs"),
        secret_keys=_keys(project.secrets, stack),
        config_keys=_keys(project.configs, stack),
        services=services,
        order=_order(project.services, stack),
        needs=tuple(_needs(project)),
    )


def _needs(project: Project) -> Iterator[Need]:
    notes = Notes()
    for key, service in project.services.items():
        for name, api in newer_fields(service):
            yield Need(project.at(notes, "services", key).to(name).place, api)


def _check_names(sort: str, names: Iterable[str], at: At) -> None:
    """The engine would refuse these one by one, in the middle of the deploy."""
    pattern, longest = NAMES[sort]
    for name in names:
        if not is_possible(sort, name):
            letters = "letters, digits, - and _" + (" and ." if "." in pattern.pattern else "")
            at.wrong(
                f"the engine refuses the name '{name}'. It may have {letters}, not at either end, "
                f"and {longest} in all: choose a shorter or simpler one."
            )


def _check_distinct(project: Project, section: str, stack: str, notes: Notes) -> None:
    """Two keys with one name would be one object, with the value or the options of either. A swarm tells no case apart."""
    entries: dict[str, Entry] = {key: entry for key, entry in getattr(project, section).items() if not external(entry)}
    owners: dict[str, str] = {}
    for key, entry in entries.items():
        name = full_name(stack, key, entry)
        first = owners.setdefault(name if section == "volumes" else name.lower(), key)
        # one volume under two keys is no contradiction as long as both say the same of it
        same = section == "volumes" and entry == entries[first]
        if first != key and not same:
            but = "" if name == full_name(stack, first, entries[first]) else ", but for its case, which a swarm does not mind"
            project.at(notes, section, key).wrong(
                f"has the name '{name}', as {section}.{first} has{but}, so both would be one {section[:-1]}. Give one of them another "
                f"name, or remove this one and let its services use {first}."
            )


def _networks(project: Project, stack: str, attach: Mapping[str, Sequence[str]]) -> tuple[dict[str, Body], tuple[str, ...]]:
    """Only networks that a service is on are made or looked for."""
    used = {key for service in project.services.values() for key in (service.get("networks") or {"default": None})}
    bodies: dict[str, Body] = {}
    outside = {name for names in attach.values() for name in names}
    for key in sorted(used):
        entry = project.networks.get(key, {})
        name = full_name(stack, key, entry)
        if external(entry):
            outside.add(name)
        else:
            bodies[name] = {
                "Name": name,
                "Driver": entry.get("driver") or "overlay",
                "Labels": named(entry.get("labels", {}), stack),
                **fill(NETWORK, entry),
            }
    return bodies, tuple(sorted(outside - set(PREDEFINED_NETWORKS)))


def _contents(entries: Mapping[str, Entry], stack: str) -> dict[str, Body]:
    bodies: dict[str, Body] = {}
    for key, entry in entries.items():
        if external(entry):
            continue
        name = full_name(stack, key, entry)
        body: dict[str, Any] = {"Name": name, "Labels": named(entry.get("labels", {}), stack)}
        if entry.get("driver"):
            body["Driver"] = fill({"driver": Field("Name"), "driver_opts": Field("Options")}, entry)
        if entry.get("template_driver"):
            body["Templating"] = {"Name": entry["template_driver"]}
        bodies[name] = body
    return bodies


def _keys(entries: Mapping[str, Entry], stack: str) -> dict[str, str]:
    return {full_name(stack, key, entry): key for key, entry in entries.items() if not external(entry)}


def _external_names(project: Project, section: str) -> tuple[str, ...]:
    """The names that must exist already, of those that a service uses."""
    entries: Mapping[str, Entry] = getattr(project, section)
    used = {reference.get("source") for service in project.services.values() for reference in service.get(section, ())}
    return tuple(sorted(entry["name"] for key, entry in entries.items() if external(entry) and key in used))


def _order(services: Mapping[str, Entry], stack: str) -> tuple[str, ...]:
    """Dependencies first, else by name; a circle is entered at its first name."""
    ordered: dict[str, None] = {}
    entered: set[str] = set()
    # Not by recursion: a chain may be longer than Python's stack.
    ahead = sorted(services, reverse=True)
    while ahead:
        key = ahead[-1]
        if key not in entered:
            entered.add(key)
            below = services[key].get("depends_on", ())
            ahead += sorted((other for other in below if other in services and other not in entered), reverse=True)
        else:
            ordered.setdefault(ahead.pop())
    return tuple(f"{stack}_{key}" for key in ordered)
