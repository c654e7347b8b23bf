# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, said so that a person can mend it.

Every message is one sentence that names what, where (file, service, field, node) and how to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SwarmError(Exception):
    """The base of all errors that reach the user.

    ``achieved`` holds what was done before the error (steps, verdicts, ids), for the caller to print.
    """

    def __init__(self, message: str, achieved: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.achieved: Mapping[str, Any] = achieved or {}

    def say_more(self, sentences: str) -> None:
        """Add what only the caller knows."""
        self.message = f"{self.message}\n{sentences}"
        self.args = (self.message,)


class ComposeError(SwarmError):
    """A Compose file says something that cannot be deployed; ``path`` leads to the place."""

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


class RefusedError(SwarmError):
    """The request makes no sense or would do harm, so nothing was done."""


class NotConvergedError(SwarmError):
    """The objects were written, but the services did not come up as wanted."""


class SdkMissingError(SwarmError):
    """The Python SDK for Docker cannot be imported on this node."""


class EngineUnreachableError(SwarmError):
    """No engine answers at the address, or the socket may not be opened."""


class EngineMissingError(EngineUnreachableError):
    """There is no engine at all: the socket does not exist."""


class EngineError(SwarmError):
    """The engine answered with an error; ``status`` is its HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(EngineError):
    """The engine does not have the object."""


class PluginMissingError(EngineError):
    """No plugin of this name answers the engine."""


class NotManagerError(EngineError):
    """Only a manager can answer this call, and this engine is a worker or not in a swarm."""


class NotInSwarmError(NotManagerError):
    """This engine is in no swarm."""


class InSwarmError(EngineError):
    """This engine is in a swarm already."""


class QuorumLostError(EngineError):
    """This engine is a manager of a swarm that cannot elect a leader now."""


class LockedError(EngineError):
    """This engine is a manager of a swarm whose keys are locked since its restart."""


class OutOfSequenceError(EngineError):
    """The object has changed since it was read: read, plan and write again."""


class InUseError(EngineError):
    """The object cannot be removed because something still uses it."""


class NameTakenError(EngineError):
    """An object of that name exists already."""


class PortTakenError(EngineError):
    """Another service publishes the port."""
