# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole stack as it was at one moment, with names in place of ids, so that it can be written down and brought back. Pure.

It holds what the engine shows anyone who may inspect services; contents of secrets and configs are not in it. They stay
in the swarm under their names until a deploy that replaced them has converged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ._actual import Actual, of_stack
from ._desired import Desired
from ._diff import differences
from ._model import OURS, Body, Kind, Plan, References, Sort, Step
from ._plan import Intent, bind, compare, drift, in_force, readable, references, used_by
from ._spec import same
from ._verifier import KEY
from ._versions import labelled, versions_of

#: Sorts whose values stay in the swarm under their names.
CONTENTS = (Sort.SECRET, Sort.CONFIG)
#: What the engine adds to a network's options by itself.
ALLOCATED = "com.docker.network.driver.overlay.vxlanid_list"


@dataclass(frozen=True)
class State:
    """Bodies of networks and services, labels of secrets and configs, by full name."""

    networks: Mapping[str, Body] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    services: Mapping[str, Body] = field(default_factory=dict)
    #: services in the order in which they are best written
    order: tuple[str, ...] = ()
    #: "secret NAME" or "config NAME" -> id of what services use, as far as it was there: another one of that name is not the same
    ids: Mapping[str, str] = field(default_factory=dict)
    #: secret that services use -> the name that it is a version of, which may be another stack's
    keys: Mapping[str, str] = field(default_factory=dict)
    #: key of a service that is released blue-green -> name of the one that serves, without the stack's
    colours: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.networks or self.secrets or self.configs or self.services)

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> State:
        known = {name: wire[name] for name in cls.__dataclass_fields__ if name in wire}
        return cls(**{**known, "order": tuple(wire["order"])})


def captured(actual: Actual, stack: str) -> State:
    """The stack as it is."""
    return after(Plan(), actual, stack, ())


def after(plan: Plan, actual: Actual, stack: str, order: tuple[str, ...]) -> State:
    """The stack as it will be when the plan is carried out."""
    parts: dict[Sort, dict[str, Any]] = {
        Sort.NETWORK: {name: _network(live) for name, live in actual.networks.items()},
        Sort.SECRET: {name: live["Spec"].get("Labels") or {} for name, live in of_stack(actual.secrets, stack).items()},
        Sort.CONFIG: {name: live["Spec"].get("Labels") or {} for name, live in of_stack(actual.configs, stack).items()},
        Sort.SERVICE: {name: live["Spec"] for name, live in actual.services.items()},
    }
    for step in plan.steps:
        if step.kind is Kind.REMOVE:
            parts[step.sort].pop(step.name, None)
        else:
            parts[step.sort][step.name] = step.body.get("Labels") or {} if step.sort in CONTENTS else step.body
    services = parts[Sort.SERVICE]
    known = [name for name in order if name in services]
    return State(
        networks=parts[Sort.NETWORK],
        secrets=parts[Sort.SECRET],
        configs=parts[Sort.CONFIG],
        services={name: _without_ids(readable(spec, actual)) for name, spec in services.items()},
        order=(*known, *sorted(services.keys() - set(known))),
        ids={f"{sort.value} {name}": found for spec in services.values() for sort, name, found in _bound(spec) if found},
        keys={
            name: key
            for spec in services.values()
            for sort, name, _id in _bound(spec)
            if sort is Sort.SECRET and (key := _key_of(name, parts[Sort.SECRET], actual))
        },
    )


def _key_of(name: str, own: Mapping[str, Mapping[str, str]], actual: Actual) -> str:
    live = actual.secrets.get(name)
    return (own.get(name) or {}).get(KEY) or (labelled(live)[0] if live else "")


def _bound(spec: Body) -> Iterator[tuple[Sort, str, str]]:
    """The secrets and configs that a service uses: sort, name, and id, which is empty for what is yet to be made."""
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    for sort in CONTENTS:
        word = sort.value.capitalize()
        yield from ((sort, item[f"{word}Name"], item.get(f"{word}ID") or "") for item in container.get(f"{word}s") or [])


def _without_ids(spec: Body) -> Body:
    """The spec with names alone, so that it is the same before and after its secrets and configs are made."""
    container = dict(spec["TaskTemplate"].get("ContainerSpec") or {})
    for sort in CONTENTS:
        word = sort.value.capitalize()
        if container.get(f"{word}s"):
            container[f"{word}s"] = [{key: value for key, value in item.items() if key != f"{word}ID"} for item in container[f"{word}s"]]
    return {**spec, "TaskTemplate": {**spec["TaskTemplate"], "ContainerSpec": container}}


def as_desired(state: State, stack: str) -> Desired:
    """What to observe and compare with. Secrets and configs are looked up, never made: their contents are not known."""
    needed = used(state)
    return Desired(
        stack=stack,
        networks=state.networks,
        external_secrets=tuple(sorted({*(name for sort, name in needed if sort is Sort.SECRET), *state.keys.values()})),
        external_configs=tuple(sorted(name for sort, name in needed if sort is Sort.CONFIG)),
        services=state.services,
        order=state.order,
    )


def lost(state: State, actual: Actual) -> list[str]:
    """What the state's services refer to and nobody can bring back, in words."""
    networks = {*actual.network_ids, *actual.network_ids.values(), *state.networks}
    live = {Sort.SECRET: actual.secret_ids, Sort.CONFIG: actual.config_ids}

    def problem(sort: Sort, name: str) -> str:
        if sort is Sort.NETWORK:
            return "" if name in networks else "is gone"
        if name not in live[sort]:
            return "is gone"
        then = state.ids.get(f"{sort.value} {name}", "")
        if then == live[sort][name]:
            return ""
        why = "has been made anew since" if then else "was never written down with its id, as the deploy that made it was interrupted"
        return f"{why}, so it may have another value"

    return sorted(
        f"{sort.value} {name}, which service {service} needs, {wrong}"
        for service, spec in state.services.items()
        for sort, name in references(spec)
        if (wrong := problem(sort, name))
    )


def way_back(state: State, actual: Actual, stack: str, kept: References = frozenset()) -> Plan:
    """The steps that bring the state back from what is there now; what was made since is removed last, unless it is to be kept."""
    plan = compare(as_desired(state, stack), actual, Intent(prune=True, recreate=True, exact=True))
    return replace(plan, steps=(*plan.steps, *_relabelled(state, actual, stack), *_made_since(state, actual, stack, kept)))


def by_rollback(plan: Plan) -> Plan:
    """The plan with the engine rolling back where it can: by ``rollback_config``, which unlike an update frees ports first."""

    def turned(step: Step) -> Step:
        previous = step.live.get("PreviousSpec")
        can = step.sort is Sort.SERVICE and step.kind is Kind.UPDATE and previous and same(previous, step.body)
        return replace(step, rollback=True) if can else step

    return replace(plan, steps=tuple(map(turned, plan.steps)))


def superfluous(plan: Plan, state: State, actual: Actual, stack: str, kept: References) -> Iterator[Step]:
    """Versions of ours that neither the state nor anybody else has a use for, and that the plan leaves."""
    needed = kept | used(state) | used_by(other["Spec"] for other in actual.others)
    newest = {
        (sort, versions_of(labelled(live)[0], now)[0].name)
        for sort, _then, now in _contents(state, actual, stack)
        for live in now.values()
        if labelled(live)[0]
    }
    going = {(step.sort, step.name) for step in plan.steps if step.kind is Kind.REMOVE}
    for sort, _then, now in _contents(state, actual, stack):
        for name, live in sorted(now.items()):
            if labelled(live)[0] and (sort, name) not in needed | going | newest:
                yield Step(Kind.REMOVE, sort, name, live=live)


def with_current_secrets(state: State, actual: Actual) -> State:
    """The state with the version of each secret that counts now."""
    newest = {
        name: in_force(sort, versions, actual).name
        for sort, name in used(state)
        if sort is Sort.SECRET and (versions := versions_of(state.keys.get(name, name), actual.secrets))
    }

    def renewed(spec: Body) -> Body:
        container = spec["TaskTemplate"].get("ContainerSpec") or {}
        secrets = [{**item, "SecretName": newest.get(item["SecretName"], item["SecretName"])} for item in container.get("Secrets") or []]
        return {**spec, "TaskTemplate": {**spec["TaskTemplate"], "ContainerSpec": {**container, "Secrets": secrets}}} if secrets else spec

    # which object it was then does not matter any more, but for what has no version now
    ids = {**state.ids, **{f"{Sort.SECRET.value} {name}": actual.secret_ids[name] for name in newest.values()}}
    return replace(state, services={name: renewed(spec) for name, spec in state.services.items()}, ids=ids)


def unlabelled(state: State, remembered: State, actual: Actual) -> list[str]:
    """The secrets that services use now and that have lost our labels, so that nobody can tell that they are the present versions."""
    running = used_by(service["Spec"] for service in actual.services.values())
    keys = {state.keys.get(name, name) for sort, name in used(state) if sort is Sort.SECRET}
    return sorted(
        name
        for name, key in remembered.keys.items()
        if key in keys and (Sort.SECRET, name) in running and all(version.name != name for version in versions_of(key, actual.secrets))
    )


def between(then: State, now: State, stack: str) -> Plan:
    """The steps from one state to another. What only the engine said of a network (its addresses) is no difference."""
    return way_back(as_asked(now, then), as_actual(then), stack)


def as_asked(state: State, earlier: State | None) -> State:
    """The state with its networks as they were asked for: addresses that only the engine chose are no part of it."""
    then = earlier.networks if earlier else {}
    asked = {name: then[name] for name, body in state.networks.items() if name in then and _same_network(then[name], body)}
    return replace(state, networks={**state.networks, **asked})


def _same_network(one: Body, other: Body) -> bool:
    return not any(drift(one, other)) or not any(drift(other, one))


def as_actual(state: State) -> Actual:
    """The state as if it ran, names standing for the ids that nobody knows."""
    secret_ids, config_ids = (_ids(state, sort) for sort in CONTENTS)
    named = Actual(network_ids={name: name for name in state.networks}, secret_ids=secret_ids, config_ids=config_ids)
    return replace(
        named,
        networks={name: {**body, "Id": name} for name, body in state.networks.items()},
        secrets={
            name: {"ID": secret_ids.get(name, name), "Spec": {"Name": name, "Labels": labels}} for name, labels in state.secrets.items()
        },
        configs={
            name: {"ID": config_ids.get(name, name), "Spec": {"Name": name, "Labels": labels}} for name, labels in state.configs.items()
        },
        services={name: {"ID": name, "Version": {"Index": 0}, "Spec": bind(spec, named, {})} for name, spec in state.services.items()},
    )


def _ids(state: State, sort: Sort) -> dict[str, str]:
    return {name: state.ids.get(f"{sort.value} {name}", name) for found, name in used(state) if found is sort}


def used(state: State) -> References:
    """The networks, secrets and configs that its services use."""
    return used_by(state.services.values())


def _relabelled(state: State, actual: Actual, stack: str) -> Iterator[Step]:
    for sort, then, now in _contents(state, actual, stack):
        for name, live in now.items():
            labels = live["Spec"].get("Labels") or {}
            # ours tell of the object, not of the stack at that time
            ours = {key: value for key, value in labels.items() if key.startswith(OURS)}
            wanted = {**{key: value for key, value in then.get(name, labels).items() if not key.startswith(OURS)}, **ours}
            if wanted != labels:
                changes = tuple(differences({"Labels": labels}, {"Labels": wanted}, f"{sort.value}s.{name}"))
                yield Step(Kind.UPDATE, sort, name, body={**live["Spec"], "Labels": wanted}, live=live, changes=changes)


def _made_since(state: State, actual: Actual, stack: str, kept: References) -> Iterator[Step]:
    needed = kept | used(state) | used_by(other["Spec"] for other in actual.others)
    for sort, then, now in _contents(state, actual, stack):
        for name in sorted(now.keys() - then.keys()):
            if (sort, name) not in needed:
                yield Step(Kind.REMOVE, sort, name, live=now[name])
    for name in sorted(actual.networks.keys() - state.networks.keys()):
        yield Step(Kind.REMOVE, Sort.NETWORK, name, live=actual.networks[name])


def _contents(state: State, actual: Actual, stack: str) -> Iterator[tuple[Sort, Mapping[str, Mapping[str, str]], dict[str, Body]]]:
    yield Sort.SECRET, state.secrets, of_stack(actual.secrets, stack)
    yield Sort.CONFIG, state.configs, of_stack(actual.configs, stack)


def _network(live: Body) -> dict[str, Any]:
    """The body that makes a network like this one."""
    options = {name: value for name, value in (live.get("Options") or {}).items() if name != ALLOCATED}
    ipam = live.get("IPAM") or {}
    return {
        "Name": live["Name"],
        "Driver": live.get("Driver") or "overlay",
        "Internal": bool(live.get("Internal")),
        "Attachable": bool(live.get("Attachable")),
        "EnableIPv6": bool(live.get("EnableIPv6")),
        "Labels": live.get("Labels") or {},
        "Options": options,
        "IPAM": {"Driver": ipam.get("Driver") or "default", "Options": ipam.get("Options"), "Config": ipam.get("Config")},
    }
