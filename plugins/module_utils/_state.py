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
from ._model import Body, Kind, Plan, Sort, Step
from ._plan import Intent, compare, readable, references
from ._spec import same

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

    def __bool__(self) -> bool:
        return bool(self.networks or self.secrets or self.configs or self.services)

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> State:
        return cls(**{**wire, "order": tuple(wire["order"])})


def captured(actual: Actual, stack: str) -> State:
    """The stack as it is."""
    return State(
        networks={name: _network(live) for name, live in actual.networks.items()},
        secrets={name: live["Spec"].get("Labels") or {} for name, live in of_stack(actual.secrets, stack).items()},
        configs={name: live["Spec"].get("Labels") or {} for name, live in of_stack(actual.configs, stack).items()},
        services={name: readable(live["Spec"], actual) for name, live in actual.services.items()},
        order=tuple(sorted(actual.services)),
    )


def after(plan: Plan, actual: Actual, stack: str, order: tuple[str, ...]) -> State:
    """The stack as it will be when the plan is carried out."""
    now = captured(actual, stack)
    parts: dict[Sort, dict[str, Any]] = {
        Sort.NETWORK: dict(now.networks),
        Sort.SECRET: dict(now.secrets),
        Sort.CONFIG: dict(now.configs),
        Sort.SERVICE: dict(now.services),
    }
    for step in plan.steps:
        if step.kind is Kind.REMOVE:
            parts[step.sort].pop(step.name, None)
        elif step.sort in (Sort.SECRET, Sort.CONFIG):
            parts[step.sort][step.name] = step.body.get("Labels") or {}
        else:
            parts[step.sort][step.name] = readable(step.body, actual) if step.sort is Sort.SERVICE else step.body
    services = parts[Sort.SERVICE]
    known = [name for name in order if name in services]
    return State(
        networks=parts[Sort.NETWORK],
        secrets=parts[Sort.SECRET],
        configs=parts[Sort.CONFIG],
        services=services,
        order=(*known, *sorted(services.keys() - set(known))),
    )


def as_desired(state: State, stack: str) -> Desired:
    """What to observe and compare with. Secrets and configs are looked up, never made: their contents are not known."""
    used = frozenset[tuple[Sort, str]]().union(*map(references, state.services.values()))
    return Desired(
        stack=stack,
        networks=state.networks,
        external_secrets=tuple(sorted(name for sort, name in used if sort is Sort.SECRET)),
        external_configs=tuple(sorted(name for sort, name in used if sort is Sort.CONFIG)),
        services=state.services,
        order=state.order,
    )


def lost(state: State, actual: Actual) -> list[str]:
    """What the state's services refer to and nobody can bring back, in words."""
    known = {
        Sort.NETWORK: {*actual.network_ids, *actual.network_ids.values(), *state.networks},
        Sort.SECRET: actual.secret_ids,
        Sort.CONFIG: actual.config_ids,
    }
    return sorted(
        f"{sort.value} {name}, which service {service} needs"
        for service, spec in state.services.items()
        for sort, name in references(spec)
        if name not in known[sort]
    )


def way_back(state: State, actual: Actual, stack: str) -> Plan:
    """The steps that bring the state back from what is there now; what was made since is removed last."""
    plan = compare(as_desired(state, stack), actual, Intent(prune=True, recreate=True, exact=True))
    steps = map(_by_rollback, plan.steps)
    return replace(plan, steps=(*steps, *_relabelled(state, actual, stack), *_made_since(state, actual, stack)))


def _by_rollback(step: Step) -> Step:
    """Let the engine roll back where it can: by ``rollback_config``, which unlike an update stops tasks first and so frees their ports."""
    previous = step.live.get("PreviousSpec")
    can = step.sort is Sort.SERVICE and step.kind is Kind.UPDATE and previous and same(previous, step.body)
    return replace(step, rollback=True) if can else step


def _relabelled(state: State, actual: Actual, stack: str) -> Iterator[Step]:
    for sort, then, now in _contents(state, actual, stack):
        for name, live in now.items():
            labels = live["Spec"].get("Labels") or {}
            if name in then and then[name] != labels:
                body = {**live["Spec"], "Labels": then[name]}
                changes = tuple(differences({"Labels": labels}, {"Labels": then[name]}, f"{sort.value}s.{name}"))
                yield Step(Kind.UPDATE, sort, name, body=body, live=live, changes=changes)


def _made_since(state: State, actual: Actual, stack: str) -> Iterator[Step]:
    for sort, then, now in _contents(state, actual, stack):
        for name in sorted(now.keys() - then.keys()):
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
