# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few words everything else is said in: frozen, without behaviour beyond their own shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

#: A body as the Engine API takes and gives it.
Body = Mapping[str, Any]

#: Objects that carry this label belong to the stack it names; set by the CLI and by us alike.
NAMESPACE = "com.docker.stack.namespace"
#: The image as the file says it, kept beside the pinned one.
IMAGE = "com.docker.stack.image"
#: Labels with this prefix are ours.
OURS = "homecloud.swarm."
#: Number of the deploy that a config object of ours is the record of, and what became of it.
REVISION = f"{OURS}revision"
VERDICT = f"{OURS}verdict"
MADE = f"{OURS}made"
REVOKED = f"{OURS}revoked"
#: Which colours a release under way leads from and to.
SWITCH = f"{OURS}switch"


@dataclass(frozen=True)
class Outcome:
    """What a module achieved, or in check mode would achieve.

    ``before`` and ``after`` make the diff, or ``prepared`` is one that reads better than two states; ``values`` are
    the module's further return values.
    """

    changed: bool
    before: Any = None
    after: Any = None
    prepared: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Kind(str, Enum):
    """What can be done to an object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    REMOVE = "remove"
    #: The engine itself verifies that a secret made elsewhere has our value, and gets our verifier; not a change.
    ADOPT = "adopt"


class Sort(str, Enum):
    """The sorts of objects a stack is made of, in the order in which they are created."""

    NETWORK = "network"
    SECRET = "secret"
    CONFIG = "config"
    SERVICE = "service"
    #: made by the nodes themselves; only ever removed
    VOLUME = "volume"


#: Secrets, configs and networks by sort and name.
References = frozenset[tuple[Sort, str]]


@dataclass(frozen=True)
class Change:
    """One field that differs; the path is dotted and starts with the object."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Step:
    """One write to the engine: what is done to which object, and why."""

    kind: Kind
    sort: Sort
    name: str
    body: Body = field(default_factory=dict)
    live: Body = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    #: how many running tasks are replaced
    restarts: int = 0
    #: a service that is taken off a network, which is then made anew
    detached: bool = False
    #: the wanted spec is the one that the engine keeps as the service's previous one
    rollback: bool = False


@dataclass(frozen=True)
class Plan:
    """All steps from actual to desired, in a safe order. An empty plan is false."""

    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def changed(self) -> bool:
        """Whether carrying it out changes what runs."""
        return any(step.kind is not Kind.ADOPT for step in self.steps)


@dataclass(frozen=True)
class Snapshot:
    """What the swarm says of a stack at one moment; ``now`` is in seconds since 1970."""

    services: Sequence[Body]
    tasks: Sequence[Body]
    nodes: Sequence[Body]
    now: float


class Verdict(str, Enum):
    """What a service has come to."""

    CONVERGED = "converged"
    UPDATING = "updating"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_PAUSED = "rollback_paused"
    PAUSED = "paused"
    CRASH_LOOPING = "crash_looping"
    FAILED = "failed"
    UNHEALTHY = "unhealthy"
    UNSCHEDULABLE = "unschedulable"
    IMAGE_MISSING = "image_missing"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class Finding:
    """The verdict on one service at one moment, and what it rests on."""

    service: str
    verdict: Verdict
    running: int
    wanted: int
    reason: str = ""
    node: str = ""
    task: str = ""
    state: str = ""
