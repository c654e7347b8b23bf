# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as their swarm sees them: labels, availability, role, removal. Never at the price of the quorum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ._clock import SYSTEM, Clock, await_condition
from ._engine import Engine, retried
from ._errors import EngineError, NotConvergedError, NotFoundError, NotManagerError, RefusedError
from ._labels import Labels, merge_labels, text_labels
from ._model import Body, Outcome

#: A task in one of these states is over, whatever was wanted of it.
OVER = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})
#: A node that left is shown as down when it missed three heartbeats; it may take as many again until that is written down.
BEATS = 6
BEAT_SECONDS = 5.0


@dataclass(frozen=True)
class NodeOptions:
    """What shall be true of one node; None stays as it is."""

    hostname: str
    state: str = "present"
    labels: Labels | None = None
    labels_state: str = "merge"
    labels_to_remove: tuple[str, ...] = ()
    availability: str | None = None
    role: str | None = None
    force: bool = False
    wait: bool = True
    wait_timeout: float = 120

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> NodeOptions:
        """From the module's options."""
        return cls(
            hostname=options["hostname"],
            state=options["state"],
            labels=text_labels(options["labels"]),
            labels_state=options["labels_state"],
            labels_to_remove=tuple(options["labels_to_remove"] or ()),
            availability=options["availability"],
            role=options["role"],
            force=options["force"],
            wait=options["wait"],
            wait_timeout=options["wait_timeout"],
        )


@dataclass(frozen=True)
class Quorum:
    """How many managers there are, and how many of them answer."""

    managers: int
    reachable: int

    @classmethod
    def of(cls, nodes: Sequence[Body]) -> Quorum:
        """Counted by who is a member of the raft, not by who shall become one."""
        members = [node["ManagerStatus"] for node in nodes if node.get("ManagerStatus")]
        return cls(len(members), sum(member.get("Reachability") == "reachable" for member in members))

    @property
    def needed(self) -> int:
        """More than half."""
        return self.managers // 2 + 1

    @property
    def holds(self) -> bool:
        """Whether a leader can be elected."""
        return self.reachable >= self.needed

    def without(self, node: Body) -> Quorum:
        """After this node is no manager any more."""
        member = node.get("ManagerStatus")
        if not member:
            return self
        return Quorum(self.managers - 1, self.reachable - (member.get("Reachability") == "reachable"))

    def plus(self, node: Body) -> Quorum:
        """After this node became a manager; one that is down counts, but does not answer."""
        return Quorum(self.managers + 1, self.reachable + (node["Status"]["State"] == "ready"))

    def __str__(self) -> str:
        return f"{self.managers} manager{'s' * (self.managers != 1)}, {self.reachable} reachable, quorum {self.needed}"


@dataclass(frozen=True)
class Run:
    """What every step needs at hand."""

    engine: Engine
    options: NodeOptions
    check: bool
    clock: Clock = SYSTEM


def converge_node(engine: Engine, options: NodeOptions, check: bool, clock: Clock = SYSTEM) -> Outcome:
    """Bring one node to what the options say."""
    nodes = engine.get("/nodes")
    try:
        node = pick(nodes, options.hostname, gone=options.state == "absent")
    except NotFoundError as missing:
        if options.state == "absent":
            return Outcome(changed=False, values={"node": None})
        if not check:
            raise
        # It may be about to join in the same play.
        return would_change(options, warnings=(missing.message,))
    run = Run(engine, options, check, clock)
    return remove(run, nodes, node) if options.state == "absent" else change(run, nodes, node)


def would_change(options: NodeOptions, warnings: tuple[str, ...] = ()) -> Outcome:
    """For check mode: what would be done to a node that cannot be looked at yet."""
    if options.state == "absent":
        return Outcome(changed=False, values={"node": None})
    after = {
        "availability": options.availability,
        "labels": merge_labels({}, options.labels, options.labels_to_remove, replace=False) or None,
        "role": options.role,
    }
    wanted = {name: value for name, value in after.items() if value is not None}
    return Outcome(bool(wanted), {}, wanted, values={"node": None}, warnings=warnings)


def pick(nodes: Sequence[Body], name: str, gone: bool = False) -> Body:
    """The node with this id or hostname; of several with one hostname the only one that is up, or that is gone."""
    for node in nodes:
        if node["ID"] == name:
            return node
    named = [node for node in nodes if _name(node) == name]
    meant = [node for node in named if (node["Status"]["State"] == "down") == gone]
    for found in (named, meant):
        if len(found) == 1:
            return found[0]
    if named:
        listed = ", ".join(f"{node['ID']} ({node['Status']['State']})" for node in named)
        raise RefusedError(f"{len(named)} nodes are named {name}: {listed}; give the id of the one you mean as hostname.")
    names = sorted({_name(node) for node in nodes})
    near = get_close_matches(name, names, n=3) or names[:10]
    raise NotFoundError(f"No node of this swarm has the hostname or id {name}; there are: {', '.join(near)}.")


def wanted_spec(spec: Body, options: NodeOptions) -> Body:
    """The live spec with what was asked for, everything else kept."""
    labels = merge_labels(spec.get("Labels"), options.labels, options.labels_to_remove, replace=options.labels_state == "replace")
    asked = {"Labels": labels, "Role": options.role, "Availability": options.availability}
    return {**spec, **{name: value for name, value in asked.items() if value is not None}}


def change(run: Run, nodes: Sequence[Body], node: Body) -> Outcome:
    """Labels, availability and role in one write, then wait until it has come true."""
    live = {"Labels": {}, **node["Spec"]}
    wanted = wanted_spec(live, run.options)
    changed = wanted != live
    if wanted["Role"] != live["Role"]:
        check_role_change(nodes, node, wanted["Role"])
    if not run.check:
        if changed:
            write(run.engine, node["ID"], lambda spec: wanted_spec(spec, run.options))
        if run.options.wait:
            # nobody asked a manager that is down to come back
            if run.options.role is not None:
                await_role(run.engine, node, run.options.role, run.options.wait_timeout, run.clock)
            await_drained(run, node, wanted["Availability"])
        # One that demoted itself can no longer look at itself.
        node = _look(run.engine, node["ID"]) or {**node, "Spec": wanted}
    return Outcome(changed, _diffed(node, live), _diffed(node, wanted), values={"node": shown(node)})


def check_role_change(nodes: Sequence[Body], node: Body, role: str) -> None:
    """Refuse what would leave too few managers to elect a leader."""
    now = Quorum.of(nodes)
    then = now.plus(node) if role == "manager" else now.without(node)
    if then.holds:
        return
    name, verb = _name(node), "Promoting" if role == "manager" else "Demoting"
    mend = "bring this node up first" if role == "manager" else "promote another node first, or bring the others back"
    raise RefusedError(f"{verb} {name} would lose the quorum of the swarm: now {now}; after {verb.lower()} {name}: {then}; {mend}.")


def remove(run: Run, nodes: Sequence[Body], node: Body) -> Outcome:
    """Take a node that is gone off the swarm's list; a manager is demoted first, so that no stale voter remains."""
    if node["ID"] == run.engine.info()["Swarm"]["NodeID"]:
        raise RefusedError(
            f"{_name(node)} cannot remove itself from the swarm; "
            "let it leave with homecloud.swarm.cluster state: absent, then remove it on another manager."
        )
    # one that a swarm was made anew without (--force-new-cluster) is no member of the raft any more, and cannot be demoted
    is_manager = node["Spec"]["Role"] == "manager" and bool(node.get("ManagerStatus"))
    if is_manager:
        check_role_change(nodes, node, "worker")
    warnings = () if run.options.force else await_down(run, node)
    if not run.check:
        if is_manager:
            demote(run.engine, node, run.options.wait_timeout, run.clock)
        run.engine.delete(f"/nodes/{node['ID']}", force=str(run.options.force).lower())
    return Outcome(True, _diffed(node, node["Spec"]), None, values={"node": None}, warnings=warnings)


def await_down(run: Run, node: Body) -> tuple[str, ...]:
    """A node that has just left is shown as ready for a while; in check mode it may be about to leave: a warning then."""
    if node["Status"]["State"] == "down":
        return ()
    now = f"{_name(node)} ({node['ID']}) is {node['Status']['State']}"
    if run.check:
        return (f"{now}; it has to be down by then, as after homecloud.swarm.cluster state: absent on it.",)
    problem = f"{now}, not down; let it leave first (homecloud.swarm.cluster state: absent on that node), or set force: true."
    patience = min(run.options.wait_timeout, BEATS * heartbeat(run.engine)) if run.options.wait else 0
    if not await_condition(lambda: _is_down(run.engine, node["ID"]), patience, run.clock):
        raise RefusedError(problem)
    return ()


def heartbeat(engine: Engine) -> float:
    """Seconds after which every node of this swarm is to give a sign of life."""
    period = (engine.get("/swarm")["Spec"].get("Dispatcher") or {}).get("HeartbeatPeriod")
    return float(period) / 1e9 if period else BEAT_SECONDS


def write(engine: Engine, node_id: str, changed: Callable[[Body], Body]) -> None:
    """Read, modify, write; again when somebody was faster."""

    def attempt() -> None:
        live = engine.get(f"/nodes/{node_id}")
        spec = changed(live["Spec"])
        if spec != live["Spec"]:
            engine.post(f"/nodes/{node_id}/update", spec, version=live["Version"]["Index"])

    retried(attempt)


def demote(engine: Engine, node: Body, seconds: float, clock: Clock) -> None:
    """Make a worker of a manager, and wait until it is out of the raft."""
    write(engine, node["ID"], lambda spec: {**spec, "Role": "worker"})
    await_role(engine, node, "worker", seconds, clock)


def await_role(engine: Engine, node: Body, role: str, seconds: float, clock: Clock) -> None:
    """Until the managers have taken the node into the raft, or out of it."""

    def done() -> bool:
        try:
            return _has_role(engine.get(f"/nodes/{node['ID']}"), role)
        except NotManagerError:
            return role == "worker"  # this engine has just been demoted itself
        except EngineError:
            return False  # the leader is changing

    if not await_condition(done, seconds, clock):
        raise NotConvergedError(
            f"{_name(node)} has not become a {role} within {seconds:g} s; is its engine up, "
            "and can it and the managers reach each other on port 2377?"
        )


def await_drained(run: Run, node: Body, availability: str) -> None:
    """Until no task of a service runs on a drained node. One that is down cannot say, so nobody waits for it."""
    if availability != "drain" or node["Status"]["State"] != "ready":
        return

    def left() -> list[Body]:
        return running_tasks(run.engine.get("/tasks", filters={"node": [node["ID"]]}))

    if not await_condition(lambda: not left(), run.options.wait_timeout, run.clock):
        services: dict[str, str] = {service["ID"]: str(service["Spec"]["Name"]) for service in run.engine.get("/services")}
        named = ", ".join(sorted({services.get(str(task["ServiceID"]), "a service") for task in left()}))
        raise NotConvergedError(
            f"{_name(node)} is drained, but tasks of {named} still run there after {run.options.wait_timeout:g} s; "
            "raise wait_timeout, or look at their stop_grace_period."
        )


def running_tasks(tasks: Sequence[Body]) -> list[Body]:
    """Those of services that are not over."""
    return [task for task in tasks if task.get("ServiceID") and task["Status"]["State"] not in OVER]


def list_nodes(engine: Engine, options: Mapping[str, Any]) -> Outcome:
    """All nodes, or the named ones, or this one, each with the number of its tasks."""
    nodes = engine.get("/nodes")
    names = [engine.info()["Swarm"]["NodeID"]] if options["self"] else options["name"]
    chosen = nodes if names is None else [pick(nodes, name) for name in names]
    tasks = Counter(task.get("NodeID") for task in running_tasks(engine.get("/tasks")) if task["Status"]["State"] == "running")
    listed = [{**shown(node), "tasks": tasks[node["ID"]]} for node in sorted(chosen, key=lambda node: (_name(node), node["ID"]))]
    return Outcome(changed=False, values={"nodes": listed})


def no_nodes(_options: Mapping[str, Any]) -> Outcome:
    """For check mode on a bare host."""
    return Outcome(changed=False, values={"nodes": []})


def shown(node: Body) -> dict[str, Any]:
    """A node in the words of our return values."""
    member = node.get("ManagerStatus") or {}
    description = node["Description"]
    resources = description.get("Resources") or {}
    return {
        "id": node["ID"],
        "hostname": _name(node),
        "role": node["Spec"]["Role"],
        "availability": node["Spec"]["Availability"],
        "labels": node["Spec"].get("Labels") or {},
        "state": node["Status"]["State"],
        "message": node["Status"].get("Message", ""),
        "address": node["Status"].get("Addr", ""),
        "leader": bool(member.get("Leader")),
        "reachability": member.get("Reachability"),
        "manager_address": member.get("Addr"),
        "engine_version": (description.get("Engine") or {}).get("EngineVersion"),
        "platform": description.get("Platform") or {},
        "cpus": resources.get("NanoCPUs", 0) / 1e9,
        "memory_bytes": resources.get("MemoryBytes", 0),
    }


def _has_role(node: Body, role: str) -> bool:
    member = node.get("ManagerStatus") or {}
    return bool(member.get("Reachability") == "reachable" if role == "manager" else not member)


def _is_down(engine: Engine, node_id: str) -> bool:
    node = engine.find(f"/nodes/{node_id}")
    return node is None or bool(node["Status"]["State"] == "down")


def _look(engine: Engine, node_id: str) -> Body | None:
    try:
        node: Body = engine.get(f"/nodes/{node_id}")
    except NotManagerError:
        return None
    return node


def _name(node: Body) -> str:
    # one that has just joined has not described itself yet
    return str(node["Description"].get("Hostname") or node["ID"])


def _diffed(node: Body, spec: Body) -> dict[str, Any]:
    return {
        "hostname": _name(node),
        "availability": spec["Availability"],
        "labels": spec.get("Labels") or {},
        "role": spec["Role"],
    }
