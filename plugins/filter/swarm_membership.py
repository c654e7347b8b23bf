# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who initialises the swarm, who joins it as what, who leaves: from what each host's engine says of its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible.errors import AnsibleFilterError

#: Where the role keeps the answer of cluster_info; a host that could not be asked has none, or a failed one.
SEEN = "__swarm_cluster_seen"


@dataclass(frozen=True)
class Host:
    """One host of the inventory: what it shall be, and what its engine said (None: it could not be asked)."""

    name: str
    wanted: str | None
    place: Mapping[str, Any] | None

    @property
    def role(self) -> str | None:
        """What it is now; None for a host in no swarm."""
        return self.place["role"] if self.place else None

    @property
    def in_swarm(self) -> bool:
        return bool(self.place and self.place["in_swarm"])

    @property
    def manages(self) -> bool:
        """Whether it can be talked to as a manager."""
        return bool(self.place and self.place["control_available"] and self.place.get("has_quorum"))


@dataclass(frozen=True)
class Membership:
    """What is to be done about one host, and what it must know for that."""

    #: why nothing can be done on any host
    problem: str | None = None
    #: why nothing can be done on this host
    own_problem: str | None = None
    #: the manager that is asked and told everything
    speaker: str | None = None
    #: the manager that is told what concerns this host, never the host itself unless it stays a manager
    witness: str | None = None
    initialises: bool = False
    joins: bool = False
    leaves: bool = False
    #: manager, worker, or None when it shall not be in the swarm
    role: str | None = None
    promote: bool = False
    demote: bool = False
    node_id: str | None = None
    cluster_id: str | None = None
    #: addresses through which to join; empty until the swarm exists
    remote_addrs: Sequence[str] = ()
    #: hosts that take part in the run and join
    joining: Sequence[str] = ()
    #: hosts of the inventory that could not be asked
    unseen: Sequence[str] = ()
    #: names of nodes in the swarm that no host of the inventory is
    strangers: Sequence[str] = ()
    #: dead nodes of hosts that shall leave, or that are another node by now: host name -> id
    gone: Mapping[str, str] | None = None


def swarm_membership(
    hostvars: Mapping[str, Any],
    host: str,
    managers: Sequence[str],
    workers: Sequence[str],
    force_init: bool = False,
) -> dict[str, Any]:
    """The part of ``host`` in the swarm of these managers and workers."""
    both = set(managers) & set(workers)
    if both:
        raise AnsibleFilterError(f"{', '.join(sorted(both))}: in the groups of managers and of workers; one of them, please.")
    hosts = {name: _host(hostvars, name, "manager") for name in managers}
    hosts.update((name, _host(hostvars, name, "worker")) for name in workers)
    if host not in hosts:
        raise AnsibleFilterError(f"{host} is in neither the group of managers nor the group of workers.")
    return asdict(_membership(hosts, host, force_init))


def _host(hostvars: Mapping[str, Any], name: str, role: str) -> Host:
    known = hostvars.get(name, {})
    seen = known.get(SEEN) or {}
    absent = known.get("swarm_cluster_state", "present") == "absent"
    return Host(name, None if absent else role, seen if "in_swarm" in seen else None)


def _membership(hosts: Mapping[str, Host], name: str, force_init: bool) -> Membership:
    own = hosts[name]
    unseen = tuple(host.name for host in hosts.values() if host.place is None)
    speakers = _speakers(hosts.values())
    problem = _problem(hosts.values(), speakers, force_init)
    if problem:
        return Membership(problem=problem, unseen=unseen)
    speaker = speakers[0] if speakers else _first(hosts.values())
    if speaker is None:  # nobody is, and nobody shall be
        return Membership(unseen=unseen, leaves=own.in_swarm)
    nodes = speaker.place.get("nodes", []) if speaker.place else []
    initialises = own is speaker and not speakers
    known = {node["id"] for node in nodes}
    ids = {host.place["node_id"] for host in hosts.values() if host.place}
    role = own.wanted if own.in_swarm else None
    gone = _gone(hosts.values(), nodes, ids)
    witness = _witness(own, speaker, hosts.values())
    return Membership(
        own_problem=_own_problem(own, speaker, known) or _unwitnessed(own, witness, hosts.values()),
        speaker=speaker.name,
        witness=witness,
        initialises=initialises,
        joins=_joins(own) and not initialises,
        leaves=own.in_swarm and own.wanted is None,
        role=own.wanted,
        promote=role == "manager" and own.role == "worker",
        demote=role == "worker" and own.role == "manager",
        node_id=own.place["node_id"] if own.place else None,
        cluster_id=speaker.place["cluster_id"] if speaker.place else None,
        remote_addrs=tuple(node["manager_address"] for node in nodes if node["reachability"] == "reachable"),
        joining=tuple(host.name for host in hosts.values() if _joins(host) and not (host is speaker and not speakers)),
        unseen=unseen,
        strangers=tuple(node["hostname"] for node in nodes if node["id"] not in {*ids, *gone.values()} and node["hostname"] not in unseen),
        gone=gone,
    )


def _speakers(hosts: Any) -> list[Host]:
    """Managers that can be talked to, the ones that stay managers first."""
    able = [host for host in hosts if host.manages]
    return sorted(able, key=lambda host: host.wanted != "manager")


def _first(hosts: Any) -> Host | None:
    """The manager a new swarm begins with."""
    return next((host for host in hosts if host.wanted == "manager" and host.place), None)


def _joins(host: Host) -> bool:
    return bool(host.place) and host.wanted is not None and not host.in_swarm


def _witness(own: Host, speaker: Host, hosts: Any) -> str | None:
    # promotions come first; then the speaker may go
    if "manager" in (speaker.wanted, own.wanted):
        return speaker.name
    stays = next((host for host in hosts if host.wanted == "manager" and host.place and host is not own), None)
    return stays.name if stays else None


def _unwitnessed(own: Host, witness: str | None, hosts: Any) -> str | None:
    """Only the last ones of a swarm may go without a manager that stays: with them it ends."""
    stepping_down = own.in_swarm and (own.wanted is None or (own.role == "manager" and own.wanted == "worker"))
    if witness is None and stepping_down and any(host.wanted for host in hosts):
        return (
            f"{own.name} cannot go before a manager that stays has been asked: run without --limit, mend what keeps the others from "
            "answering, or have a host that stays in the group of managers."
        )
    return None


def _problem(hosts: Any, speakers: Sequence[Host], force_init: bool) -> str | None:
    """Why no step may be taken at all. Nothing is ever initialised beside a swarm that may be there."""
    swarms = {str(host.place["cluster_id"]): host.name for host in speakers if host.place}
    if len(swarms) > 1:
        listed = ", ".join(f"{name} ({swarm})" for swarm, name in swarms.items())
        return f"The managers are in different swarms: {listed}. Let the hosts of all but one leave (docker swarm leave --force) first."
    return None if speakers else next(_silence(hosts, force_init), None)


def _silence(hosts: Any, force_init: bool) -> Iterator[str]:
    """Why nobody speaks for a swarm, if it is not that there is none yet; what explains most comes first."""
    for state, says in STUCK:
        if names := [host.name for host in hosts if host.place and state(host)]:
            yield says.format(names=", ".join(names))
    unseen = ", ".join(host.name for host in hosts if host.wanted == "manager" and host.place is None)
    members = ", ".join(host.name for host in hosts if host.in_swarm)
    lost = ", ".join(host.name for host in hosts if host.in_swarm and host.wanted is not None)
    if members and unseen:
        yield (
            f"{members}: in a swarm, and {unseen} could not be asked about it. Run without --limit, or mend first what keeps {unseen} from "
            "answering."
        )
    if lost:
        yield (
            f"{lost}: in a swarm none of whose managers was reached. Bring one back and have it in the group of managers, "
            "or let these hosts leave (docker swarm leave --force)."
        )
    if unseen and not force_init:
        yield (
            f"No manager of a swarm was found, but {unseen} could not be asked and may hold one. Bring it back (and run without --limit), "
            "or set swarm_cluster_force_init: true if there is no swarm yet."
        )
    if not _first(hosts) and any(host.wanted for host in hosts):
        yield "There is no manager to begin with: have at least one reachable host in the group of managers."


#: Hosts that are in a swarm which cannot be talked to -> what to say of them. Asked in this order, when there is no speaker.
STUCK: tuple[tuple[Callable[[Host], bool], str], ...] = (
    (
        lambda host: bool(host.place and host.place.get("locked")),
        "{names}: locked since the restart of the engine. Set swarm_cluster_unlock_key.",
    ),
    (
        lambda host: host.role == "manager",
        "{names}: manager of a swarm that has no quorum. Bring its other managers back; nothing is initialised over it.",
    ),
)


def _own_problem(own: Host, speaker: Host, known: set[str]) -> str | None:
    if not own.in_swarm or own.place is None or own.wanted is None:
        return None
    if own.place.get("locked"):
        return f"{own.name} is locked since the restart of its engine. Set swarm_cluster_unlock_key."
    if own.place["node_id"] not in known:
        return (
            f"{own.name} is in a swarm, but {speaker.name} does not know it as a node: it is in another swarm, or was removed from "
            "this one. Let it leave (docker swarm leave --force), then run again."
        )
    return None


def _gone(hosts: Any, nodes: Sequence[Mapping[str, Any]], ids: set[Any]) -> dict[str, str]:
    """Nodes that cannot come back.

    A host that was asked says by its hostname who it was, before it was installed anew or when a run was cut off in its leaving; a new
    leader may not know yet that this node is down. A host that was not asked is taken for the node of its own name that is, if it shall
    leave.
    """
    asked = {host.place.get("hostname"): host.name for host in hosts if host.place}
    silent = {host.name: host.name for host in hosts if host.place is None and host.wanted is None}
    dead = {}
    for node in (node for node in nodes if node["id"] not in ids and node["state"] != "ready"):
        owner = asked.get(node["hostname"]) or (silent.get(node["hostname"]) if node["state"] == "down" else None)
        if owner:
            dead[f"{owner} ({node['id']})"] = node["id"]
    return dead


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"swarm_membership": swarm_membership}
