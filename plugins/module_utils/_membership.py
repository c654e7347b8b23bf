# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine's place in a swarm, and all it can say of that swarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ._engine import Engine
from ._errors import EngineError, EngineUnreachableError
from ._identity import ca_digest, swarm_of
from ._model import Body, Outcome
from ._node import Quorum, shown
from ._settings import settings_of


@dataclass(frozen=True)
class Membership:
    """What an engine says of its own place in a swarm."""

    hostname: str | None = None
    local_state: str = "inactive"
    control_available: bool = False
    node_id: str | None = None
    node_addr: str | None = None
    cluster_id: str | None = None
    error: str | None = None
    managers: tuple[str, ...] = ()

    @classmethod
    def of(cls, info: Body) -> Membership:
        """From the answer of /info."""
        swarm = info.get("Swarm") or {}
        return cls(
            hostname=info.get("Name"),
            local_state=swarm.get("LocalNodeState") or "inactive",
            control_available=bool(swarm.get("ControlAvailable")),
            node_id=swarm.get("NodeID") or None,
            node_addr=swarm.get("NodeAddr") or None,
            # only a manager that has a leader knows it
            cluster_id=(swarm.get("Cluster") or {}).get("ID") or None,
            error=swarm.get("Error") or None,
            managers=tuple(sorted(peer["Addr"] for peer in swarm.get("RemoteManagers") or ())),
        )

    @property
    def in_swarm(self) -> bool:
        """Active, locked, on the way in or stuck: anything but inactive belongs to some swarm."""
        return self.local_state != "inactive"

    @property
    def role(self) -> str | None:
        """manager or worker; a locked engine is a manager."""
        if self.local_state == "locked" or self.control_available:
            return "manager"
        return "worker" if self.local_state == "active" else None

    def shown(self) -> dict[str, Any]:
        """The return values that every engine can give."""
        return {
            "hostname": self.hostname,
            "in_swarm": self.in_swarm,
            "local_state": self.local_state,
            "locked": self.local_state == "locked",
            "role": self.role,
            "control_available": self.control_available,
            "cluster_id": self.cluster_id,
            "node_id": self.node_id,
            "node_addr": self.node_addr,
            "managers": list(self.managers),
            "error": self.error,
        }


NOWHERE = Membership()

#: What only a manager with a quorum can tell.
UNSEEN: dict[str, Any] = dict.fromkeys(
    ("has_quorum", "settings", "version", "default_addr_pool", "subnet_size", "data_path_port", "node_counts")
)


def locate(engine: Engine) -> Membership:
    """Ask the engine; where it does not know its swarm's id, the certificate of this node does."""
    facts = engine.info()
    membership = Membership.of(facts)
    if not membership.in_swarm or membership.cluster_id:
        return membership
    return replace(membership, cluster_id=swarm_of(_certificate(engine, facts, "swarm-node.crt")))


def trusted_ca(engine: Engine) -> str | None:
    """Digest of the CA this node trusts, as join tokens name it; None where its file cannot be read."""
    root = _certificate(engine, engine.info(), "swarm-root-ca.crt")
    return ca_digest(root) if root else None


def _certificate(engine: Engine, facts: Body, name: str) -> str:
    # only an engine on this host has its files here
    if not engine.address.startswith("unix:"):
        return ""
    try:
        return (Path(facts["DockerRootDir"]) / "swarm" / "certificates" / name).read_text(encoding="ascii")
    except OSError:
        return ""


def describe(engine: Engine, options: Mapping[str, Any]) -> Outcome:
    """Everything the engine can say of its swarm. A sick swarm is an answer, not an error."""
    membership = locate(engine)
    seen = manager_view(engine, options) if membership.control_available else {}
    return Outcome(changed=False, values={"available": True, **membership.shown(), **UNSEEN, **seen})


def nothing_to_describe(_options: Mapping[str, Any]) -> Outcome:
    """For check mode on a bare host."""
    return Outcome(changed=False, values={"available": False, **NOWHERE.shown(), **UNSEEN})


def manager_view(engine: Engine, options: Mapping[str, Any]) -> dict[str, Any]:
    """The whole swarm, as its managers agree on it."""
    try:
        swarm, nodes = engine.get("/swarm"), engine.get("/nodes")
    except (EngineError, EngineUnreachableError) as silence:
        # /info has just said that this is a manager: what keeps it from answering is the lack of a leader, however it says so
        return {"has_quorum": False, "error": silence.message}
    quorum = Quorum.of(nodes)
    seen = {
        "cluster_id": swarm["ID"],
        "has_quorum": quorum.holds,
        "settings": settings_of(swarm["Spec"]),
        "version": swarm["Version"]["Index"],
        "default_addr_pool": swarm.get("DefaultAddrPool"),
        "subnet_size": swarm.get("SubnetSize"),
        "data_path_port": swarm.get("DataPathPort") or 4789,
        "node_counts": {
            "total": len(nodes),
            "ready": sum(node["Status"]["State"] == "ready" for node in nodes),
            "managers": quorum.managers,
            "reachable_managers": quorum.reachable,
            "quorum": quorum.needed,
        },
    }
    if options["nodes"]:
        seen["nodes"] = [shown(node) for node in nodes]
    return {**seen, **keys(engine, options)}


def keys(engine: Engine, options: Mapping[str, Any]) -> dict[str, Any]:
    """The swarm's secrets, each only when asked for."""
    asked: dict[str, Any] = {}
    if options.get("return_tokens"):
        held = engine.get("/swarm")["JoinTokens"]
        asked["join_tokens"] = {"worker": held["Worker"], "manager": held["Manager"]}
    if options.get("return_unlock_key"):
        asked["unlock_key"] = engine.get("/swarm/unlockkey")["UnlockKey"] or None
    return asked
