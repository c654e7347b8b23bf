# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This engine's place in a swarm, and the swarm's settings.

Nothing is ever initialised over an existing swarm: a swarm without quorum, a locked manager and a join that is under
way are each told apart from "in no swarm".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._clock import SYSTEM, Clock, await_condition
from ._engine import Engine, retried
from ._errors import EngineError, InSwarmError, NotConvergedError, QuorumLostError, RefusedError
from ._identity import ca_of_token
from ._labels import text_labels
from ._membership import NOWHERE, Membership, keys, locate, trusted_ca
from ._model import Body, Outcome
from ._node import NodeOptions, Quorum, converge_node, demote
from ._settings import check_fixed, differs, merged_spec, settings_of, signing_of

#: Option -> field of the init and join requests. Decided once, when the engine enters the swarm.
INIT: dict[str, str] = {
    "advertise_addr": "AdvertiseAddr",
    "listen_addr": "ListenAddr",
    "data_path_addr": "DataPathAddr",
    "data_path_port": "DataPathPort",
    "default_addr_pool": "DefaultAddrPool",
    "subnet_size": "SubnetSize",
}
JOIN: dict[str, str] = {
    "advertise_addr": "AdvertiseAddr",
    "listen_addr": "ListenAddr",
    "data_path_addr": "DataPathAddr",
    "remote_addrs": "RemoteAddrs",
    "join_token": "JoinToken",
}
#: An engine that belongs to a swarm, but does not reach its managers, or has not yet.
UNREACHED = ("pending", "error")
#: The engine of a new manager says so once it has caught up with the others.
ROLE_SECONDS = 20.0
#: Option -> the query that makes the engine rotate it.
ROTATIONS: dict[str, str] = {
    "rotate_worker_token": "rotateWorkerToken",
    "rotate_manager_token": "rotateManagerToken",
    "rotate_unlock_key": "rotateManagerUnlockKey",
}
_FRESH = "take the present one from a manager (homecloud.swarm.cluster_info return_tokens: true)"
_SILENT = "no manager answers there in time; check the address, and that port 2377 is open between the nodes"
_LEADERLESS = "no manager with a leader answers there in time; check the address, port 2377, and whether that swarm has its quorum"
#: What the engine says when a join fails -> what it means, and how to mend it. The first row that fits is taken.
JOIN_FAILURES: tuple[tuple[str, str], ...] = (
    ("join token", f"the join_token is not one of that swarm's; {_FRESH}"),
    ("fingerprint", f"the join_token is from another swarm, or from before the CA was changed; {_FRESH}"),
    ("checksum digest", f"the join_token is damaged; {_FRESH}"),
    ("connection refused", "nothing listens there: a worker, an engine in no swarm, or none; remote_addrs must name managers"),
    ("no such host", "the name cannot be resolved on this node; give the manager's address"),
    ("Timeout was reached", _SILENT),
    ("has lost its quorum", _LEADERLESS),
)


@dataclass(frozen=True)
class ClusterOptions:
    """What shall be true of this engine's membership; ``given`` holds the passed options, None stays as it is."""

    state: str
    given: Mapping[str, Any] = field(default_factory=dict)
    wait_timeout: float = 120

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ClusterOptions:
        """From the module's options."""
        given = {name: value for name, value in options.items() if value is not None}
        if "labels" in given:
            given["labels"] = text_labels(given["labels"])
        return cls(options["state"], given, options["wait_timeout"])

    def body(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """The passed options among these, named as the API names them."""
        return {name: self.given[option] for option, name in fields.items() if option in self.given}

    def asks(self, name: str) -> bool:
        """Whether a yes-or-no option was passed and true."""
        return bool(self.given.get(name))


@dataclass(frozen=True)
class Run:
    """What every step needs at hand."""

    engine: Engine
    options: ClusterOptions
    check: bool
    clock: Clock = SYSTEM

    def observe(self) -> Membership:
        """Where the engine stands now."""
        return locate(self.engine)

    def wait(self, reached: Callable[[Membership], bool], seconds: float | None = None) -> bool:
        """Until the engine's membership is so."""
        limit = self.options.wait_timeout if seconds is None else seconds
        return await_condition(lambda: reached(self.observe()), limit, self.clock)


def converge_cluster(engine: Engine, options: ClusterOptions, check: bool, clock: Clock = SYSTEM) -> Outcome:
    """Bring this engine's membership to what the options say."""
    step, run = STATES[options.state], Run(engine, options, check, clock)
    try:
        return step(run)
    except InSwarmError:
        # somebody else was faster: look again, whether it is the swarm that is meant
        return step(run)


def would_enter(options: ClusterOptions) -> Outcome:
    """For check mode on a host without engine or swarm."""
    if options.state not in ("present", "join"):
        return Outcome(changed=False, values=NOWHERE.shown())
    role = "manager" if options.state == "present" else options.given.get("role")
    after = {"state": "active", "role": role}
    settings = settings_of(merged_spec({}, options.given)) if options.state == "present" else {}
    return Outcome(True, {"state": "inactive"}, {**after, **settings}, values=NOWHERE.shown())


def present(run: Run) -> Outcome:
    """A swarm exists and this engine manages it; its settings are as passed."""
    membership, unlocked = settled(run)
    if not membership.in_swarm:
        if run.check:
            return would_enter(run.options)
        init(run)
        settings, _changed = update(run)
        return Outcome(True, {"state": "inactive"}, {"state": "active", **settings[1]}, values=answer(run))
    if unlocked and run.check:
        return Outcome(True, {"state": "locked"}, {"state": "active"}, values=membership.shown())
    if not membership.control_available:
        raise RefusedError(
            f"This engine ({membership.node_addr}) is a worker of a swarm, and only a manager can change the swarm's "
            "settings; run state: present on a manager, or promote this node there with homecloud.swarm.node role: manager."
        )
    (before, after), changed = update(run)
    return Outcome(changed or unlocked, before, after, values=answer(run))


def init(run: Run) -> None:
    """Make a new swarm of this one engine."""
    body = {"ListenAddr": "0.0.0.0:2377", **run.options.body(INIT), "ForceNewCluster": False}
    # Signing keys are only taken by an update, which follows.
    spec = merged_spec({}, run.options.given)
    spec.get("CAConfig", {}).pop("ForceRotate", None)
    run.engine.post("/swarm/init", {**body, "AutoLockManagers": run.options.asks("autolock_managers"), "Spec": spec})
    if not run.wait(lambda now: now.control_available):
        raise NotConvergedError(
            f"The swarm was initialised, but this engine is no manager after {run.options.wait_timeout:g} s; "
            "look at the engine's log (journalctl -u docker)."
        )


def update(run: Run) -> tuple[tuple[Body, Body], bool]:
    """Read, modify, write the swarm's spec; the settings before and after, and whether they differ."""
    rotations: dict[str, Any] = {query: "true" for option, query in ROTATIONS.items() if run.options.asks(option)}

    def attempt() -> tuple[tuple[Body, Body], bool]:
        swarm = run.engine.get("/swarm")
        check_fixed(swarm, run.options.given)
        live = swarm["Spec"]
        wanted = merged_spec(live, run.options.given)
        signing = signing_of(swarm, run.options.given)
        changed = differs(live, wanted) or bool(rotations) or bool(signing)
        after = {**settings_of(wanted), **{option: "rotated" for option in ROTATIONS if run.options.asks(option)}}
        if signing:
            after["signing_ca_cert"] = "as given"
        if changed:
            check_quorum(run.engine)
        if changed and not run.check:
            body = {**wanted, "CAConfig": {**wanted.get("CAConfig", {}), **signing}}
            run.engine.post("/swarm/update", body, version=swarm["Version"]["Index"], **rotations)
        return (settings_of(live), after), changed

    return retried(attempt)


def check_quorum(engine: Engine) -> None:
    """Raise QuorumLostError where the leader still answers alone: it would keep the change, and make it when the others are back."""
    quorum = Quorum.of(engine.get("/nodes"))
    # one that has just made its swarm need not know itself yet
    if quorum.managers > 1 and not quorum.holds:
        raise QuorumLostError(
            f"The swarm of the engine at {engine.address} has lost its quorum ({quorum.managers} managers, {quorum.reachable} reachable, "
            f"quorum {quorum.needed}), so nothing was changed: bring the others back.",
            503,
        )


def join(run: Run) -> Outcome:
    """This engine is a member of the given swarm in the given role."""
    membership, unlocked = settled(run)
    if membership.in_swarm:
        check_same_swarm(membership, run.options.given, trusted_ca(run.engine))
        return Outcome(unlocked, values=answer(run))
    if run.check:
        return would_enter(run.options)
    for option in ("join_token", "remote_addrs"):
        if not run.options.given.get(option):
            raise RefusedError(f"state: join needs {option}: this engine is in no swarm yet.")
    enter(run)
    membership = run.observe()
    after = {"state": membership.local_state, "role": membership.role}
    return Outcome(True, {"state": "inactive"}, after, values=answer(run))


def enter(run: Run) -> None:
    """Join, and wait until this node is active; a join that fails is taken back."""
    body = {"ListenAddr": "0.0.0.0:2377", **run.options.body(JOIN)}
    try:
        run.engine.post("/swarm/join", body)
    except InSwarmError:
        raise
    except EngineError as error:
        withdraw(run)
        raise RefusedError(join_failure(run.options.given["remote_addrs"], error.message)) from error
    if not run.wait(lambda now: now.local_state == "active"):
        withdraw(run)
        raise NotConvergedError(
            f"This node joined through {', '.join(run.options.given['remote_addrs'])}, but was not active within "
            f"{run.options.wait_timeout:g} s, and left again; can it and the managers reach each other on ports 2377 and 7946?"
        )
    role = run.options.given.get("role")
    if role and not run.wait(lambda now: now.role == role, ROLE_SECONDS):
        joined = run.observe()
        leave(run, joined)
        raise RefusedError(
            f"The join_token is for a {joined.role}, not for a {role}: this node left again; take the other token, and remove the entry "
            f"{joined.node_id} on a manager with homecloud.swarm.node state: absent."
        )


def join_failure(addresses: Sequence[str], message: str) -> str:
    """One sentence for a join that failed."""
    meaning = next((meaning for words, meaning in JOIN_FAILURES if words in message), message)
    return f"Joining a swarm through {', '.join(addresses)} failed: {meaning}."


def withdraw(run: Run) -> None:
    """After a failed join the engine goes on trying, or keeps the error: make it forget. One that is active has got in meanwhile."""
    if run.observe().local_state in UNREACHED:
        run.engine.post("/swarm/leave", force="true")
        run.wait(lambda now: not now.in_swarm)


def check_same_swarm(membership: Membership, given: Mapping[str, Any], trusted: str | None) -> None:
    """In a swarm is not enough: it must be this one, in this role."""
    wanted, role, token = given.get("cluster_id"), given.get("role"), given.get("join_token")
    leave_first = "let it leave that one first with homecloud.swarm.cluster state: absent"
    if wanted and membership.cluster_id and membership.cluster_id != wanted:
        raise RefusedError(
            f"This engine ({membership.node_addr}) is already in another swarm ({membership.cluster_id}, not {wanted}); {leave_first}."
        )
    if token and not wanted and trusted and ca_of_token(token) != trusted:
        raise RefusedError(
            f"This engine ({membership.node_addr}) is already in a swarm ({membership.cluster_id}) that the join_token is not for; "
            f"{leave_first}, or take the present token."
        )
    if role and membership.role and membership.role != role:
        raise RefusedError(
            f"This engine ({membership.node_addr}) is in this swarm as {membership.role}, not as {role}; "
            f"change that on a manager with homecloud.swarm.node role: {role}."
        )


def decided(run: Run) -> Membership:
    """Where the engine stands once it has made up its mind; one that does not reach its swarm is an error."""
    membership = run.observe()
    if membership.local_state == "pending":
        run.wait(lambda now: now.local_state != "pending", 30)
        membership = run.observe()
    if membership.local_state in UNREACHED:
        raise RefusedError(
            f"This engine belongs to a swarm it cannot reach ({membership.local_state}: "
            f"{membership.error or 'no reason given'}); bring its managers back, "
            "or let it leave with homecloud.swarm.cluster state: absent and force: true."
        )
    return membership


def settled(run: Run) -> tuple[Membership, bool]:
    """Where the engine stands, unlocked if the key was given."""
    membership = decided(run)
    if membership.local_state != "locked":
        return membership, False
    if "unlock_key" not in run.options.given:
        raise RefusedError(
            "This manager is locked since its engine was restarted; pass unlock_key "
            "(any other manager gives it with homecloud.swarm.cluster_info return_unlock_key: true)."
        )
    if not run.check:
        unlock(run)
    return run.observe(), True


def unlock(run: Run) -> None:
    """Give the engine its key, and wait until it manages again."""
    try:
        run.engine.post("/swarm/unlock", {"UnlockKey": run.options.given["unlock_key"]})
    except EngineError as error:
        raise RefusedError(
            "The unlock_key does not unlock this manager; take the present one from another manager "
            "(homecloud.swarm.cluster_info return_unlock_key: true)."
        ) from error
    if not run.wait(lambda now: now.local_state == "active"):
        raise NotConvergedError(
            f"This manager was unlocked, but is {run.observe().local_state} after {run.options.wait_timeout:g} s; are the others up?"
        )


def absent(run: Run) -> Outcome:
    """This engine is in no swarm; a manager steps down first, so that no stale voter remains."""
    membership = run.observe() if run.options.asks("force") else decided(run)
    before = {"state": membership.local_state, "role": membership.role}
    if not membership.in_swarm:
        return Outcome(changed=False, values=NOWHERE.shown())
    leave(run, membership)
    return Outcome(True, before, {"state": "inactive", "role": None}, values=NOWHERE.shown())


def leave(run: Run, membership: Membership) -> None:
    """Leave; a manager steps down before."""
    force = step_down(run, membership) if membership.role == "manager" else membership.local_state in UNREACHED
    if run.check:
        return
    run.engine.post("/swarm/leave", force=str(force).lower())
    if not run.wait(lambda now: not now.in_swarm):
        raise NotConvergedError(f"This engine is still {run.observe().local_state} after leaving; look at its log (journalctl -u docker).")


def step_down(run: Run, membership: Membership) -> bool:
    """Demote this manager if the others keep their quorum; True if it must leave by force."""
    try:
        nodes: Sequence[Body] = run.engine.get("/nodes")
    except EngineError as error:
        if run.options.asks("force"):
            return True
        raise RefusedError(
            f"This manager cannot step down before it leaves ({error.message}); "
            "mend that first, or set force: true, which leaves a stale manager entry behind."
        ) from error
    own = next(node for node in nodes if node["ID"] == membership.node_id)
    now, then = Quorum.of(nodes), Quorum.of(nodes).without(own)
    if not then.holds:
        if run.options.asks("force"):
            return True
        raise RefusedError(_last(now) if now.managers == 1 else _too_few(own, now, then))
    if not run.check:
        demote(run.engine, own, run.options.wait_timeout, run.clock)
        run.wait(lambda now: now.role == "worker")
    return False


def _last(now: Quorum) -> str:
    return (
        f"This is the last manager of its swarm ({now}): leaving ends the swarm with all its services, secrets and "
        "configs; set force: true if that is meant."
    )


def _too_few(own: Body, now: Quorum, then: Quorum) -> str:
    return (
        f"{own['Description']['Hostname']} leaving would lose the quorum of the swarm: now {now}; after that: {then}; "
        "bring the others back or promote another node first, or set force: true."
    )


def expelled(run: Run) -> Outcome:
    """Another node, which is gone, is off the swarm's list."""
    if not run.options.given.get("node_id"):
        raise RefusedError("state: remove needs node_id, the id or hostname of the node to remove.")
    gone = NodeOptions(run.options.given["node_id"], "absent", force=run.options.asks("force"))
    outcome = converge_node(run.engine, gone, run.check, run.clock)
    return Outcome(outcome.changed, outcome.before, outcome.after, values=answer(run), warnings=outcome.warnings)


STATES = {"present": present, "join": join, "absent": absent, "remove": expelled}


def answer(run: Run) -> dict[str, Any]:
    """The return values; secrets only when asked for."""
    membership = run.observe()
    return {**membership.shown(), **(keys(run.engine, run.options.given) if membership.control_available else {})}
