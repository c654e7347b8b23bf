# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all hosts' facts say together: a table, what stands in the way of a swarm, and what to know."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ansible.errors import AnsibleFilterError

from .preflight_peers import address_of

Network = ipaddress.IPv4Network

#: Pools to propose, the first that no host has a route into.
PROPOSALS = ("10.200.0.0/16", "172.30.0.0/16", "192.168.192.0/18", "100.100.0.0/16")
#: So many networks of a pool are likely to be used soon: a route into one of them is a blocker, into a later one a warning.
SOON = 64


@dataclass(frozen=True)
class Limits:
    """What the role's variables ask for."""

    pools: tuple[Network, ...]
    subnet_size: int
    memory_mb: int
    disk_mb: int
    clock_seconds: float
    ignore: frozenset[str]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Limits:
        return cls(
            tuple(map(_pool, settings["pools"])),
            settings["subnet_size"],
            settings["memory_mb"],
            settings["disk_mb"],
            settings["clock_seconds"],
            frozenset(settings["ignore"]),
        )


def _pool(text: Any) -> Network:
    try:
        return Network(text)
    except ValueError as problem:
        raise AnsibleFilterError(
            f"swarm_preflight_pools: {text} is no address pool of a swarm ({problem}); give an IPv4 network, as 10.200.0.0/16."
        ) from problem


@dataclass(frozen=True)
class Machine:
    """One host: its facts, and what it found out about the ports of the others. Without facts it was not reached."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    address: str | None = None
    answers: Sequence[Mapping[str, Any]] = ()

    @property
    def clocks(self) -> dict[str, float]:
        """The differences to the other hosts' clocks."""
        return {answer["peer"]: answer["clock"] for answer in self.answers if answer["clock"] is not None}


@dataclass(frozen=True)
class Finding:
    """Something to tell of hosts: its name, by which it can be ignored (also as name:host), and whether it stands in the way."""

    name: str
    hosts: tuple[str, ...]
    blocks: bool
    what: str
    #: it is about so many hosts at least, as two of one hostname are
    least: int = 1

    def without(self, ignored: frozenset[str]) -> tuple[str, ...]:
        """The hosts of which it is still to be told."""
        left = tuple(host for host in self.hosts if not {self.name, f"{self.name}:{host}"} & ignored)
        return left if len(left) >= self.least else ()

    def __str__(self) -> str:
        return f"{_join(self.hosts)}: {self.what} [{self.name}]"


Check = Callable[[Sequence[Machine], Limits], Iterator[Finding]]


def preflight_report(hostvars: Mapping[str, Any], hosts: Sequence[str], settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """The lines of the table, the blockers and the warnings about these hosts."""
    machines = [_machine(hostvars, name) for name in hosts]
    limits = Limits.of(settings)
    reached = [machine for machine in machines if machine.facts]
    findings = [finding for check in CHECKS for finding in check(reached, limits)]
    told = [replace(finding, hosts=left) for finding in findings if (left := finding.without(limits.ignore))]
    accepted = [replace(finding, hosts=gone) for finding in findings if (gone := _less(finding.hosts, finding.without(limits.ignore)))]
    silent = [f"{machine.name}: not reached, so nothing is known of it." for machine in machines if not machine.facts]
    return {
        "table": _table(machines),
        "blockers": [str(finding) for finding in told if finding.blocks],
        "warnings": [str(finding) for finding in told if not finding.blocks] + silent,
        "ignored": [str(finding) for finding in accepted],
    }


def _machine(hostvars: Mapping[str, Any], name: str) -> Machine:
    known = hostvars.get(name, {})
    facts = known.get("__swarm_preflight_machine") or {}
    probed = known.get("__swarm_preflight_probed") or {}
    return Machine(name, facts if "features" in facts else {}, address_of(known), probed.get("answers") or ())


#: Feature of the kernel -> whether a swarm is impossible without it, and what that means.
NEEDS: dict[str, tuple[bool, str]] = {
    "overlay": (True, "the engine keeps images and containers on it; boot a kernel with CONFIG_OVERLAY_FS"),
    "vxlan": (
        True,
        (
            "networks between nodes are made of it; install the kernel's extra modules (linux-modules-extra-…) "
            "or boot a kernel with CONFIG_VXLAN"
        ),
    ),
    "bridge": (True, "the engine's networks are made of it; boot a kernel with CONFIG_BRIDGE"),
    "veth": (True, "containers are connected through it; boot a kernel with CONFIG_VETH"),
    "ipvs": (
        False,
        (
            "service addresses (endpoint_mode: vip) and ports published by the routing mesh (mode: ingress) will not answer on it; "
            "use endpoint_mode: dnsrr, tasks.<service> names and mode: host ports, as the ingress of this collection does"
        ),
    ),
}


def kernel_features(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """What the kernels can do."""
    for feature, (needed, why) in NEEDS.items():
        missing = _with(machines, feature, "missing")
        if missing:
            yield Finding(feature, missing, needed, f"the kernel has no {feature.upper()}: {why}.")
        unknown = _with(machines, feature, "unknown")
        if unknown:
            yield Finding(feature, unknown, False, f"cannot see whether the kernel has {feature.upper()}.")


def control_groups(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """Version 1 works, but is on its way out."""
    old = _where(machines, lambda one: one.facts["cgroup_version"] == 1)
    if old:
        yield Finding("cgroup", old, False, "cgroup v1, which newer engines and systemd give up; nothing to do now.")


def memory(machines: Sequence[Machine], limits: Limits) -> Iterator[Finding]:
    """Little of it is a matter of taste, so never a blocker."""
    small = _where(machines, lambda one: one.facts["memory_bytes"] < limits.memory_mb * 2**20)
    if small:
        yield Finding("memory", small, False, f"less than {limits.memory_mb} MB of memory.")


def disk(machines: Sequence[Machine], limits: Limits) -> Iterator[Finding]:
    """A full disk stops an installation; a node that runs already can be tidied up by the next steps."""
    for machine in machines:
        free = machine.facts["disk_free_bytes"] // 2**20
        if free < limits.disk_mb:
            yield Finding(
                "disk",
                (machine.name,),
                not machine.facts["engine_running"],
                f"{free} MB free for {machine.facts['disk_path']}, {limits.disk_mb} MB are asked for.",
            )


def unique_names(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """Two of a name cannot be told apart; machine ids only tell that one was copied from the other."""
    for hostname, names in _groups(machines, "hostname"):
        yield Finding("hostname", names, True, f"all have the hostname {hostname}; give each its own (hostnamectl).", least=2)
    for machine_id, names in _groups(machines, "machine_id"):
        yield Finding(
            "machine_id",
            names,
            False,
            f"all have the machine id {machine_id[:8]}…, so one is a copy of the other; make a new one "
            "(rm /etc/machine-id; systemd-machine-id-setup).",
            least=2,
        )


def clocks(machines: Sequence[Machine], limits: Limits) -> Iterator[Finding]:
    """Certificates and logs want one time. The pair of one finding is named by the host that asked."""
    pairs = {frozenset((one.name, peer)): (one.name, peer, seconds) for one in machines for peer, seconds in one.clocks.items()}
    for name, peer, seconds in pairs.values():
        if abs(seconds) > limits.clock_seconds:
            what = f"their clocks differ by {abs(seconds):.1f} s; have both keep time (systemd-timesyncd or chrony)."
            yield Finding("clock", (name, peer), abs(seconds) > limits.clock_seconds * 30, what, least=2)


def address_pools(machines: Sequence[Machine], limits: Limits) -> Iterator[Finding]:
    """A network of the swarm that is also a network of the house makes the house's unreachable from containers."""
    early = [network for pool in limits.pools for network in _first_networks(pool, limits.subnet_size)]
    routes = sorted({(Network(route["network"]), one.name) for one in machines for route in one.facts["routes"]})
    exists = any(one.facts["in_swarm"] for one in machines)
    for network in sorted({network for network, _name in routes}):
        if not any(network.overlaps(pool) for pool in limits.pools):
            continue
        names = tuple(name for route, name in routes if route == network)
        free = next((one for one in PROPOSALS if not any(Network(one).overlaps(route) for route, _name in routes)), "a free one")
        yield Finding(
            "pool",
            names,
            not exists and any(network.overlaps(one) for one in early),
            f"has a route to {network}, which lies in the swarm's address pool "
            f"{_join([str(pool) for pool in limits.pools])}; before the swarm is made, choose another: "
            f"swarm_cluster_settings: {{default_addr_pool: [{free}]}}.",
        )


def ports(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """Every node must reach every other."""
    closed: dict[tuple[str, str], list[str]] = {}
    for machine in machines:
        for answer in machine.answers:
            if answer["reachable"] is False and answer["port"] != "clock":
                closed.setdefault((answer["peer"], answer["port"]), []).append(machine.name)
    for (peer, port), names in closed.items():
        what = (
            f"{_join(names)} cannot reach its {port}; open it between the nodes (firewall, or another program has the port), "
            "or say in swarm_preflight_address by which address they reach it."
        )
        yield Finding("ports", (peer,), True, what)


def addresses(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """Whom nobody knows how to reach, nobody tries."""
    unknown = _where(machines, lambda one: not one.address)
    if unknown and len(machines) > 1:
        what = "no default route tells the address for the other nodes, so its ports were not tried; set swarm_preflight_address."
        yield Finding("address", unknown, False, what)


def foreign_listeners(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """A port that is in use on a machine without an engine is in use by something else."""
    bare = {machine.name for machine in machines if not machine.facts["engine_running"]}
    taken = {(answer["peer"], answer["port"]) for one in machines for answer in one.answers if answer["in_use"] and answer["peer"] in bare}
    for peer, port in sorted(taken):
        yield Finding("ports", (peer,), True, f"{port} is in use, but no engine runs there; stop the program that has it.")


def daemon_settings(machines: Sequence[Machine], _limits: Limits) -> Iterator[Finding]:
    """What the engine's configuration has against a swarm."""
    live = _where(machines, lambda one: one.facts["live_restore"])
    if live:
        what = "live-restore is on in daemon.json, which no node of a swarm can use; the role docker_engine removes it."
        yield Finding("live_restore", live, False, what)
    for machine in machines:
        if machine.facts["daemon_problem"]:
            yield Finding("daemon_json", (machine.name,), True, f"{machine.facts['daemon_problem']}; mend or remove it.")


CHECKS: tuple[Check, ...] = (
    kernel_features,
    control_groups,
    memory,
    disk,
    unique_names,
    clocks,
    address_pools,
    ports,
    addresses,
    foreign_listeners,
    daemon_settings,
)


def _ports_cell(machine: Machine) -> str:
    told = [answer for answer in machine.answers if answer["port"] != "clock"]
    closed = sum(answer["reachable"] is False for answer in told)
    untold = sum(answer["reachable"] is None for answer in told)
    if not told:
        return "-"
    if closed:
        return f"{closed} closed"
    return f"{len(told) - untold} ok" + (f", {untold} used" if untold else "")


#: Heading -> what stands below it for one machine. Narrow, so that no callback folds the lines.
COLUMNS: dict[str, Callable[[Machine], str]] = {
    "node": lambda one: one.name,
    "address": lambda one: one.address or "-",
    "kernel": lambda one: one.facts["kernel"].partition("-")[0],
    "lacks": lambda one: _join(name for name, state in one.facts["features"].items() if state != "present") or "-",
    "memory": lambda one: f"{one.facts['memory_bytes'] / 2**30:.1f}G",
    "disk": lambda one: f"{one.facts['disk_free_bytes'] / 2**30:.0f}G",
    "clock": lambda one: f"{max(map(abs, one.clocks.values())):.1f}s" if one.clocks else "-",
    "ports": _ports_cell,
}


def _table(machines: Sequence[Machine]) -> list[str]:
    rows = [tuple(COLUMNS)]
    rows += [
        tuple(cell(machine) for cell in COLUMNS.values()) if machine.facts else (machine.name, "not reached", *[""] * (len(COLUMNS) - 2))
        for machine in machines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _less(names: Iterable[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def _where(machines: Iterable[Machine], so: Callable[[Machine], Any]) -> tuple[str, ...]:
    return tuple(machine.name for machine in machines if so(machine))


def _with(machines: Sequence[Machine], feature: str, state: str) -> tuple[str, ...]:
    return _where(machines, lambda one: one.facts["features"][feature] == state)


def _groups(machines: Sequence[Machine], fact: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for value in sorted({machine.facts[fact] for machine in machines if machine.facts[fact]}):
        names = tuple(machine.name for machine in machines if machine.facts[fact] == value)
        if len(names) > 1:
            yield value, names


def _first_networks(pool: Network, size: int) -> list[Network]:
    return list(islice(pool.subnets(new_prefix=max(size, pool.prefixlen)), SOON))


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"preflight_report": preflight_report}
