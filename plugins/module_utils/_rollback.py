# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring back an earlier revision of a stack: a release whose plan leads to a state that was written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ._actual import Actual, observe
from ._clock import SYSTEM, Clock
from ._colours import Placed, called, coloured, placed
from ._engine import Engine
from ._errors import RefusedError
from ._history import Revision, aim, colours, recalled, revisions, switching
from ._images import credentials
from ._model import Outcome, Plan, References
from ._release import NEXT, Release, outcome, remembered, taken_up, under_way
from ._request import Request
from ._state import State, as_desired, lost, superfluous, unlabelled, way_back, with_current_secrets
from ._wait import Ended, Wait


def roll_back(engine: Engine, options: Mapping[str, Any], check: bool, clock: Clock = SYSTEM) -> Outcome:
    """What the module does."""
    request = Request.of_rollback(options)
    wait = Wait(engine, request, credentials(engine, request.registry_auth, request.with_registry_auth), clock)
    if request.waiting is not None:
        return taken_up(wait, request.waiting)
    return Rollback(wait, options["revision"], options["secrets"] == "current").run(check)


@dataclass
class Rollback(Release):
    """One rollback. ``wanted`` is the revision's number, or None for the newest that came up."""

    wanted: int | None
    current_secrets: bool

    def run(self, check: bool) -> Outcome:
        observed = self._observed(State())
        settled, others = (observed, ()) if check else self.undisturbed(observed, lambda: self._observed(State()))
        past = revisions(settled.records)
        if switching(past):
            raise RefusedError(f"{under_way(self.request.name, past)}. {NEXT}")
        revision, content = aim(past, self.wanted, self.request.name)
        now = self._placed(content.state, settled, past)
        then = recoloured(content.state, now, self.request.name)
        # now with all that the revision names
        actual = self._observed(then)
        if self.current_secrets:
            self._check_labels(then, remembered(past), actual)
        state = with_current_secrets(then, actual) if self.current_secrets else then

        def planned(actual: Actual) -> Plan:
            # at each look: what was there may be replaced meanwhile, and a name alone does not tell
            if missing := lost(state, actual):
                number, why = revision.number, "; ".join(missing)
                raise RefusedError(f"Revision {number} of stack '{self.request.name}' cannot be brought back: {why}. {_mend(revision)}")
            return self._compared(state, actual)

        plan = self.foreseen(planned(actual))
        told = (*others, *_doubts(revision))
        if check:
            found = outcome(plan, Ended([]), told)
        else:
            waiting = self.begun(plan, actual, state.order, f"rollback to {revision.number}", now)
            if waiting is None:
                # somebody else was faster
                return self.run(check)
            found = self.carried_out(plan, waiting, lambda: planned(self._observed(state)), told)
        return replace(found, values={**found.values, "restored": revision.number})

    def _check_labels(self, then: State, newest: State | None, actual: Actual) -> None:
        if newest and (bare := unlabelled(then, newest, actual)):
            raise RefusedError(
                f"Stack '{self.request.name}' cannot go back with its present secrets, as {', '.join(bare)}, which its services use now, "
                "has lost this collection's labels and cannot be told from others now; deploy the stack again, which makes a new version."
            )

    def _placed(self, then: State, actual: Actual, past: list[Revision]) -> Placed:
        """The services that stand for coloured ones now, by their keys."""
        remembered = colours(past)
        plain = {name.removeprefix(f"{self.request.name}_") for name in then.services} - set(then.colours.values())
        keys = {*remembered, *then.colours, *coloured(actual.services, self.request.name, plain)}
        return placed(keys, remembered, actual.services, self.request.name)

    def _observed(self, state: State) -> Actual:
        return recalled(observe(self.engine, self.request.name, as_desired(state, self.request.name), strict=False), self.request.name)

    def _compared(self, state: State, actual: Actual) -> Plan:
        def plan(kept: References) -> Plan:
            found = way_back(state, actual, self.request.name, kept)
            return replace(found, steps=(*found.steps, *superfluous(found, state, actual, self.request.name, kept)))

        return self.keeping(plan, revisions(actual.records))


def recoloured(state: State, now: Placed, stack: str) -> State:
    """The state with its coloured services under the names that they have now: the ingress need not be told."""
    names = {then: name for key, name in now.items() if (then := state.colours.get(key, key)) != name}
    full = {f"{stack}_{then}": f"{stack}_{name}" for then, name in names.items()}
    services = {
        full.get(name, name): called(spec, name.removeprefix(f"{stack}_"), full[name].removeprefix(f"{stack}_"), stack)
        if name in full
        else spec
        for name, spec in state.services.items()
    }
    return replace(state, services=services, order=tuple(full.get(name, name) for name in state.order), colours=dict(now))


def _mend(revision: Revision) -> str:
    if revision.revoked:
        return f"Revoked were {', '.join(revision.revoked)}: bring the revision back with 'secrets: current', or choose another one."
    return "Make again what is gone; 'secrets: current' takes a secret that was made anew as it is now. Or choose another revision."


def _doubts(revision: Revision) -> Iterator[str]:
    if not revision.is_restorable:
        yield f"Revision {revision.number} did not come up when it was deployed ({revision.ending})."
