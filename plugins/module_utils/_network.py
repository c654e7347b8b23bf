# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overlay networks: create, compare, remove. A network cannot be changed, so one that differs is named or made anew."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._clock import SYSTEM, Clock, await_condition
from ._engine import Engine
from ._errors import InUseError, NotConvergedError, RefusedError
from ._labels import text_labels
from ._model import Body, Change, Outcome

#: Swarmkit's rule for names of networks.
NAME = re.compile(r"[a-zA-Z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
NAME_LENGTH = 63
#: The leader removes a network from its nodes before the name is free again.
REMOVAL_SECONDS = 30.0
ALLOCATION_SECONDS = 15.0


def _address(text: Any) -> str:
    """One spelling for each network or address."""
    try:
        return str(ipaddress.ip_network(str(text), strict=False))
    except ValueError:
        return str(text)


@dataclass(frozen=True)
class Field:
    """Where an option stands in the request, how it is sent, and how the live network shows it."""

    path: tuple[str, ...]
    #: What the engine takes when the option is not passed.
    default: Any = None
    seen: Callable[[Any], Any] = lambda live: live


#: Keys of ipam_config, as people write them and as the API does.
POOL: dict[str, str] = {"subnet": "Subnet", "iprange": "IPRange", "gateway": "Gateway", "aux_addresses": "AuxiliaryAddresses"}


def pools_seen(pools: Any) -> list[dict[str, Any]]:
    """The API's address pools in our words."""
    return [{option: pool.get(name) or None for option, name in POOL.items()} for pool in pools or ()]


FIELDS: dict[str, Field] = {
    "driver": Field(("Driver",), "overlay"),
    "driver_options": Field(("Options",), {}, lambda live: dict(live or {})),
    "attachable": Field(("Attachable",), False, bool),
    "internal": Field(("Internal",), False, bool),
    "ingress": Field(("Ingress",), False, bool),
    "enable_ipv6": Field(("EnableIPv6",), False, bool),
    "ipam_driver": Field(("IPAM", "Driver"), "default"),
    "ipam_driver_options": Field(("IPAM", "Options"), {}, lambda live: dict(live or {})),
    "ipam_config": Field(("IPAM", "Config"), [], pools_seen),
    "labels": Field(("Labels",), {}, lambda live: dict(live or {})),
}


#: Options that are text to text -> what an error calls one of their entries.
TEXTS: dict[str, str] = {"labels": "Label", "driver_options": "Driver option", "ipam_driver_options": "IPAM driver option"}


@dataclass(frozen=True)
class NetworkOptions:
    """What shall be true of one network; options that are not passed are not in ``given``."""

    name: str
    state: str = "present"
    given: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> NetworkOptions:
        """From the module's options."""
        given = {option: options[option] for option in FIELDS if options[option] is not None}
        given.update({option: text_labels(given[option], called) for option, called in TEXTS.items() if option in given})
        return cls(options["name"], options["state"], given, options["force"])


def converge_network(engine: Engine, options: NetworkOptions, check: bool, clock: Clock = SYSTEM) -> Outcome:
    """Bring one network to what the options say."""
    # Workers list networks as well, but only those they use: this asks for a manager.
    engine.get("/swarm")
    live = find(engine, options.name)
    if options.state == "absent":
        return remove(engine, options, live, check, clock)
    check_sayable(options)
    if live is None:
        return create(engine, options, check, clock)
    changes = drift(live, options)
    if not changes:
        return Outcome(changed=False, before=shown(live), after=shown(live), values={"network": shown(live)})
    check_replaceable(options, changes, users_of(engine.get("/services"), live))
    return recreate(engine, options, live, check, clock)


def would_create(options: NetworkOptions) -> Outcome:
    """For check mode on a host without engine or swarm."""
    if options.state == "absent":
        return Outcome(changed=False, values={"network": None})
    check_sayable(options)
    return Outcome(changed=True, after=wanted_view(options), values={"network": None})


def find(engine: Engine, name: str) -> Body | None:
    """The swarm's network with exactly this name: the engine's own filter matches parts of names, and networks of one host too."""
    listed: Sequence[Body] = engine.get("/networks", filters={"name": [name]})
    return next((live for live in listed if live["Name"] == name and live["Scope"] == "swarm"), None)


def check_sayable(options: NetworkOptions) -> None:
    """Say what the engine would refuse, before anything is touched."""
    if not NAME.fullmatch(options.name) or len(options.name) > NAME_LENGTH:
        raise RefusedError(
            f"{options.name} cannot be the name of a network: up to {NAME_LENGTH} letters, digits, '-' and '_' are allowed, "
            "the first and the last a letter or digit."
        )
    for pool in options.given.get("ipam_config") or ():
        for option in ("subnet", "iprange"):
            if pool.get(option):
                _check_network(options.name, option, pool[option])


def _check_network(name: str, option: str, value: Any) -> None:
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise RefusedError(f"network {name}: ipam_config: {option} {value} is no network in CIDR notation ({error}).") from error
    if "/" not in value:
        raise RefusedError(f"network {name}: ipam_config: {option} {value} has no prefix; give it in CIDR notation, as in {value}/24.")


def drift(live: Body, options: NetworkOptions) -> tuple[Change, ...]:
    """What differs among the options that were passed; the engine's own additions do not count."""
    view = shown(live)
    return tuple(Change(option, view[option], wanted) for option, wanted in options.given.items() if not fits(option, view[option], wanted))


def fits(option: str, live: Any, wanted: Any) -> bool:
    """Whether a live value is what was asked for."""
    return bool(FITS.get(option, _equal)(live, wanted))


def _equal(live: Any, wanted: Any) -> bool:
    return bool(live == wanted)


def _contains(live: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    # the engine adds options of its own, such as the list of VXLAN ids
    return all(live.get(key) == value for key, value in wanted.items())


def _pools_fit(live: Sequence[Body], wanted: Sequence[Body]) -> bool:
    # who asks for none takes those that the swarm chooses
    return not wanted or (len(live) == len(wanted) and all(any(_pool_fits(pool, asked) for pool in live) for asked in wanted))


def _pool_fits(live: Body, wanted: Body) -> bool:
    # what was not asked for, such as the gateway, the engine has chosen
    return all(_spelled(live.get(key)) == _spelled(value) for key, value in wanted.items() if value is not None)


def _spelled(value: Any) -> Any:
    return {key: _address(entry) for key, entry in value.items()} if isinstance(value, Mapping) else _address(value)


FITS: dict[str, Callable[[Any, Any], bool]] = {
    "driver_options": _contains,
    "ipam_driver_options": _contains,
    "labels": _contains,
    "ipam_config": _pools_fit,
}


def create(engine: Engine, options: NetworkOptions, check: bool, clock: Clock) -> Outcome:
    """Make the network."""
    if check:
        return Outcome(changed=True, after=wanted_view(options), values={"network": None})
    made = engine.post("/networks/create", body_of(options))["Id"]
    # the leader gives it driver and addresses a moment later, or never
    if not await_condition(lambda: engine.get(f"/networks/{made}")["Driver"], ALLOCATION_SECONDS, clock):
        engine.delete(f"/networks/{made}")
        raise NotConvergedError(
            f"network {options.name} got no addresses within {ALLOCATION_SECONDS:g} s and was removed again; do its subnets overlap "
            f"with another network's ({_taken(engine)}), or are the pools of the swarm used up?"
        )
    live = shown(engine.get(f"/networks/{made}"))
    return Outcome(changed=True, after=live, values={"network": live})


def check_replaceable(options: NetworkOptions, changes: tuple[Change, ...], users: Sequence[str]) -> None:
    """Only with force, and only if nobody uses it."""
    differs = "; ".join(f"{change.path} is {change.old}, not {change.new}" for change in changes)
    if users:
        raise RefusedError(
            f"network {options.name} differs ({differs}) and is used by {', '.join(users)}; a network cannot be changed: "
            "make one with a new name, or take it from these services and then set force: true."
        )
    if not options.force:
        raise RefusedError(
            f"network {options.name} differs ({differs}); a network cannot be changed: no service uses it now, so force: true "
            "makes it anew, or use a new name."
        )


def recreate(engine: Engine, options: NetworkOptions, live: Body, check: bool, clock: Clock) -> Outcome:
    """Take it away and make it as asked for; what was not passed stays as it was."""
    kept = {option: value for option, value in shown(live).items() if option in KEPT}
    anew = NetworkOptions(options.name, given={**kept, **options.given})
    if not check:
        take_away(engine, live, clock)
    outcome = create(engine, anew, check, clock)
    return Outcome(True, shown(live), outcome.after, values=outcome.values)


def _taken(engine: Engine) -> str:
    subnets = (
        f"{live['Name']} {pool['subnet']}"
        for live in engine.get("/networks")
        for pool in shown(live)["ipam_config"]
        if live["Scope"] == "swarm"
    )
    return ", ".join(sorted(subnets))


#: What a network made anew keeps from the old one; addresses and driver options the engine chose are chosen again.
KEPT = ("attachable", "internal", "ingress", "enable_ipv6", "labels")


def remove(engine: Engine, options: NetworkOptions, live: Body | None, check: bool, clock: Clock) -> Outcome:
    """Remove the network, if nobody uses it."""
    if live is None:
        return Outcome(changed=False, values={"network": None})
    users = users_of(engine.get("/services"), live)
    if users:
        raise RefusedError(
            f"network {options.name} is used by {', '.join(users)}; remove these services first, or take the network from them."
        )
    if not check:
        take_away(engine, live, clock)
    return Outcome(True, shown(live), None, values={"network": None})


def take_away(engine: Engine, live: Body, clock: Clock) -> None:
    """Remove, and wait until the name is free again."""
    try:
        engine.delete(f"/networks/{live['Id']}")
    except InUseError as error:
        raise RefusedError(f"network {live['Name']} cannot be removed: {error.message}; detach what uses it first.") from error
    if not await_condition(lambda: find(engine, live["Name"]) is None, REMOVAL_SECONDS, clock):
        raise NotConvergedError(f"network {live['Name']} is still there {REMOVAL_SECONDS:g} s after its removal; try again later.")


def body_of(options: NetworkOptions) -> dict[str, Any]:
    """The create request."""
    body: dict[str, Any] = {"Name": options.name, "Scope": "swarm", "CheckDuplicate": True}
    for option, rule in FIELDS.items():
        *sections, name = rule.path
        place = body
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = options.given.get(option, rule.default)
    body["IPAM"]["Config"] = [
        {POOL[key]: value for key, value in pool.items() if value is not None} for pool in options.given.get("ipam_config") or ()
    ]
    return body


def users_of(services: Sequence[Body], live: Body) -> list[str]:
    """Names of the services attached to the network; a service may say its name or its id."""
    return sorted(service["Spec"]["Name"] for service in services if attached(service["Spec"]) & {live["Id"], live["Name"]})


def attached(spec: Body) -> set[str]:
    """Networks of a service; old clients wrote them beside the task template."""
    listed = [*(spec["TaskTemplate"].get("Networks") or ()), *(spec.get("Networks") or ())]
    return {network["Target"] for network in listed}


def shown(live: Body) -> dict[str, Any]:
    """A network in the words of our options."""
    view: dict[str, Any] = {"id": live["Id"], "name": live["Name"], "scope": live["Scope"]}
    for option, rule in FIELDS.items():
        value: Any = live
        for name in rule.path:
            value = (value or {}).get(name)
        view[option] = rule.seen(value)
    return view


def wanted_view(options: NetworkOptions) -> dict[str, Any]:
    """What will be made, as the diff shows it."""
    return {"name": options.name, "scope": "swarm", **{o: options.given.get(o, rule.default) for o, rule in FIELDS.items()}}
