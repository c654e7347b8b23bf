# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order: services' steps one after the other so that no port is wanted before it is free. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ._errors import RefusedError
from ._model import Body, Change, Kind, Step

#: Protocol and number.
Port = tuple[str, int]


@dataclass(frozen=True)
class Ports:
    """What a service publishes: on the routing mesh, or on the nodes where its tasks run."""

    mesh: frozenset[Port] = frozenset()
    host: frozenset[Port] = frozenset()

    @property
    def all(self) -> frozenset[Port]:
        return self.mesh | self.host

    def against(self, other: Ports) -> frozenset[Port]:
        """The ports that the engine does not let both have: only on the nodes themselves may two services have the same."""
        return (self.mesh & other.all) | (self.host & other.mesh)


def published(spec: Body) -> Ports:
    """The ports that a service names; those that the engine chooses are nobody's business."""
    found: dict[str, set[Port]] = {"ingress": set(), "host": set()}
    for port in (spec.get("EndpointSpec") or {}).get("Ports") or []:
        if port.get("PublishedPort"):
            mode = str(port.get("PublishMode") or "ingress").lower()
            found.setdefault(mode, set()).add((str(port.get("Protocol") or "tcp").lower(), int(port["PublishedPort"])))
    return Ports(frozenset(found["ingress"]), frozenset(found["host"]))


def in_safe_order(steps: Iterable[Step], order: Sequence[str]) -> tuple[Step, ...]:
    """By dependency, removals last; but whoever gives up a port goes before whoever takes it.

    Where ports go round in a circle, one service gives its up first and takes the new one in a step of its own.
    """
    ranks = {name: rank for rank, name in enumerate(order)}
    waiting = sorted(steps, key=lambda step: (step.kind is Kind.REMOVE, ranks.get(step.name, len(ranks)), step.name))
    holders = {port: step for step in waiting for port in _released(step)}
    placed: set[str] = set()
    bare: set[str] = set()
    ordered: list[Step] = []

    def place(step: Step, above: frozenset[str]) -> None:
        for port in sorted(_gained(step)):
            holder = holders.get(port)
            if holder is None or holder.name in placed | bare:
                continue
            if holder.name in above:
                ordered.append(_without_ports(holder))
                bare.add(holder.name)
            else:
                place(holder, above | {step.name})
        # what it has given up already is not live any more
        ordered.append(replace(step, live={**step.live, "Spec": _without_ports(step).body}) if step.name in bare else step)
        placed.add(step.name)

    for step in waiting:
        if step.name not in placed:
            place(step, frozenset({step.name}))
    return tuple(ordered)


def _gained(step: Step) -> frozenset[Port]:
    return published(step.body).all - published(step.live.get("Spec") or {}).all


def _released(step: Step) -> frozenset[Port]:
    return published(step.live.get("Spec") or {}).all - published(step.body).all


def _without_ports(step: Step) -> Step:
    """Only gives up the ports that it shall not have any more; everything else about the service stays as it is."""
    spec, ports = step.live["Spec"], _released(step)
    endpoint = spec["EndpointSpec"]
    kept = [port for port in endpoint["Ports"] if not published({"EndpointSpec": {"Ports": [port]}}).all & ports]
    given_up = ", ".join(f"{number}/{protocol}" for protocol, number in sorted(ports))
    place = ".".join(step.changes[0].path.split(".")[:2]) if step.changes else f"services.{step.name}"
    return Step(
        Kind.UPDATE,
        step.sort,
        step.name,
        body={**spec, "EndpointSpec": {**endpoint, "Ports": kept}},
        live=step.live,
        changes=(Change(f"{place}.ports", given_up, "(given up first, as another service takes it)"),),
    )


def check_ports(steps: Iterable[Step], wanted: Mapping[str, Body], staying: Iterable[Body], stack: str) -> None:
    """Refuse what the engine would refuse in the middle of the deploy: a port that another service has and keeps.

    ``wanted`` are the stack's services as they shall be, ``staying`` those that run and are left as they are.
    """
    steps = tuple(steps)
    if steps:
        problems = list(_clashes(frozenset(step.name for step in steps), wanted, staying, stack))
        if problems:
            raise RefusedError(" ".join(problems))


def _clashes(written: frozenset[str], wanted: Mapping[str, Body], staying: Iterable[Body], stack: str) -> Iterator[str]:
    holders: dict[Port, list[tuple[str, Ports]]] = defaultdict(list)
    for name, spec in [*((spec["Name"], spec) for spec in staying), *wanted.items()]:
        ports = published(spec)
        for port in sorted(ports.all):
            for other, others in holders[port] if name in wanted else ():
                if port in ports.against(others) and written & {name, other}:
                    yield (
                        f"services.{name.removeprefix(f'{stack}_')}.ports: the port {port[1]}/{port[0]} is published by service "
                        f"'{other}' already; publish another one, or take it from that service first."
                    )
            holders[port].append((name, ports))
