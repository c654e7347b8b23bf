# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lead a release on: more requests to the new colour, or fewer, the old colour away at the end, or the new one.

The share of requests is only written down here; the ingress acts on it. So a colour goes when no request is meant for it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ._actual import Actual, observe
from ._apply import apply, said, tidy
from ._clock import SYSTEM, Clock, shifted
from ._colours import Placed, Switch, shown
from ._diff import as_values
from ._engine import Engine
from ._errors import RefusedError, SwarmError
from ._history import Content, Ending, Revision, mark, needed, needed_by_all, read, revisions, starting, switching
from ._images import credentials
from ._model import Kind, Outcome, Plan, References, Sort, Step
from ._release import Release, outcome
from ._request import Request
from ._state import as_desired, by_rollback, superfluous, way_back
from ._wait import Ended, Wait, Waiting, leftovers, touched


def switch_stack(engine: Engine, options: Mapping[str, Any], check: bool, clock: Clock = SYSTEM) -> Outcome:
    """What the module does."""
    request = Request.of_rollback(options)
    wait = Wait(engine, request, credentials(engine, request.registry_auth, request.with_registry_auth), clock)

    def observed() -> Actual:
        return observe(engine, request.name)

    actual = observed()
    if options["state"] == "aborted" and not check:
        # a deploy that begins a release may be alive; one that was interrupted has fallen silent
        actual, _told = Release(wait).undisturbed(actual, observed)
    past = revisions(actual.records)
    found = switching(past) or starting(past, actual.services, request.name)
    if found is None:
        if options["state"] == "switched":
            raise RefusedError(
                f"Stack '{request.name}' is in no release, so there is no colour to give requests to; a deploy with blue_green begins one."
            )
        return Outcome(changed=False, values={"release": None, "plan": []})
    work = Switching(wait, *found)
    if options["state"] == "switched":
        return work.weighted(options["weight"], actual.services, check)
    return work.finished(check) if options["state"] == "finished" else work.aborted(check)


def no_release(_options: Mapping[str, Any]) -> Outcome:
    """In check mode on a host without a swarm: nothing is under way yet."""
    return Outcome(changed=False, values={"release": None, "plan": []})


@dataclass
class Switching:
    """One step of a release under way."""

    wait: Wait
    revision: Revision
    switch: Switch

    @property
    def stack(self) -> str:
        return self.wait.request.name

    def weighted(self, weight: int, live: Collection[str], check: bool) -> Outcome:
        """Write down how many of 100 requests the new colour gets. ``live`` are full names of services."""
        if not 0 <= weight <= 100:
            raise RefusedError(f"weight takes 0 to 100, not {weight}: it is the new colour's share of 100 requests.")
        wanted = replace(self.switch, weight=weight)
        if problem := astray(self.switch, wanted, {name.removeprefix(f"{self.stack}_") for name in live}):
            raise RefusedError(f"Stack '{self.stack}': {problem}")
        if wanted != self.switch and not check:
            mark(self.wait.engine, self.revision, self.stack, Ending.SWITCHING, switch=wanted)
        before, after = ({"weights": _weights(switch)} for switch in (self.switch, wanted))
        return Outcome(wanted != self.switch, before, after, values={"release": shown(wanted), "plan": []})

    def finished(self, check: bool) -> Outcome:
        """Remove the old colour, which has no requests any more."""
        if self.switch.weight != 100:
            raise RefusedError(
                f"Stack '{self.stack}': the old colour ({_names(self.switch.old)}) still gets {100 - self.switch.weight} of 100 requests; "
                "give the new one all of them (weight: 100) and have the ingress take that up, then finish; step=promote of the playbook "
                "homecloud.swarm.release does all of it."
            )

        found = self._without(self.switch.old)
        if not check:
            apply(self.wait.engine, found, lambda: self._without(self.switch.old), self.wait.auth, self.wait.clock)
            mark(self.wait.engine, self.revision, self.stack, Ending.GOOD)
        # what only the old colour used
        content = self.revision.content()
        rest = self._unneeded(content, found) if content else Plan()
        warnings = () if check else tuple(tidy(self.wait.engine, rest, self.wait.clock).values())
        told = outcome(replace(found, steps=(*found.steps, *rest.steps)), Ended([], revision=self.revision.number), warnings)
        # the release ends although nothing may be left to remove
        return replace(told, changed=True)

    def _without(self, colour: Placed) -> Plan:
        """The steps that remove the services of a colour."""
        names = {f"{self.stack}_{name}" for name in colour.values()}
        live = observe(self.wait.engine, self.stack).services
        return Plan(tuple(Step(Kind.REMOVE, Sort.SERVICE, name, live=live[name]) for name in sorted(names & live.keys())))

    def _unneeded(self, content: Content, going: Plan) -> Plan:
        actual = self._actual(content)
        gone = {step.name for step in going.steps}
        actual = replace(actual, services={name: live for name, live in actual.services.items() if name not in gone})
        # this revision is one of those that are kept now, and the newest good one
        kept = self._kept(actual, self.wait.request.history_max - 1, good=False)
        return Plan(tuple(superfluous(Plan(), content.state, actual, self.stack, kept)))

    def aborted(self, check: bool) -> Outcome:
        """Take the new colour away, and with it whatever else its deploy changed."""
        if self.switch.weight:
            raise RefusedError(
                f"Stack '{self.stack}': the new colour ({_names(self.switch.new)}) still gets {self.switch.weight} of 100 requests; "
                "give it none (weight: 0) and have the ingress take that up, then abort; step=abort of the playbook "
                "homecloud.swarm.release does both."
            )
        content = self.revision.content()
        before = content.before if content else None

        def plan() -> Plan:
            if before is None:
                # nobody knows what else was changed
                return self._without(self.switch.new)
            actual = observe(self.wait.engine, self.stack, as_desired(before, self.stack), strict=False)
            return by_rollback(way_back(before, actual, self.stack, self._kept(actual, self.wait.request.history_max)))

        found = plan()
        if check:
            return outcome(found, Ended([]))
        wait = self._dated()
        waiting = Waiting(
            touched=touched(found),
            since=wait.clock.wall(),
            deadline=wait.clock.wall() + wait.request.limits.timeout,
            changed=True,
            done=tuple(said(step) for step in found.steps if step.sort is Sort.SERVICE),
            leftovers=leftovers(found),
        )
        try:
            apply(wait.engine, found, plan, wait.auth, wait.clock)
            ended = wait.see_through(waiting)
        except SwarmError as error:
            error.achieved = {"plan": as_values(found), "changed": True, "done": list(waiting.done), **error.achieved}
            done = ", ".join(error.achieved["done"]) or "nothing"
            error.say_more(f"Done so far: {done}. The release is still under way: abort it again when this is mended.")
            raise
        mark(wait.engine, self._again(), self.stack, Ending.ROLLED_BACK)
        return replace(outcome(found, replace(ended, revision=self.revision.number), ended.warnings), changed=True)

    def _dated(self) -> Wait:
        """The wait with the clock that the swarm's objects are dated by, which a write to the record tells."""
        mark(self.wait.engine, self.revision, self.stack, Ending.SWITCHING, switch=self.switch)
        return replace(self.wait, clock=shifted(self.wait.clock, self._again().last_sign - self.wait.clock.wall()))

    def _again(self) -> Revision:
        return read(self.wait.engine, self.revision.live["ID"], self.stack, Ending.SWITCHING)

    def _kept(self, actual: Actual, most: int, good: bool = True) -> References:
        """What remembered revisions need, this stack's and others'."""
        past = [revision for revision in revisions(actual.records) if revision.number != self.revision.number]
        return needed(past, most, good) | needed_by_all(self.wait.engine, but=self.stack).keys()

    def _actual(self, content: Content) -> Actual:
        return observe(self.wait.engine, self.stack, as_desired(content.state, self.stack), strict=False)


def astray(now: Switch, wanted: Switch, live: Collection[str]) -> str:
    """Why requests may not move so: to services that are not there, away from those that are; empty if they may.

    ``live`` are names without the stack's. Where a run was cut off, one of the colours may be gone already.
    """
    gone = {side: [name for name in side_names.values() if name not in live] for side, side_names in (("old", now.old), ("new", now.new))}
    if wanted.weight and not now.started:
        return (
            f"the release of {_names(now.new)} is still starting, so nobody knows whether it can answer; run its deploy again to go on, "
            "or abort the release."
        )
    if wanted.weight < now.weight and gone["old"] and not gone["new"]:
        return (
            f"the old colour ({', '.join(gone['old'])}) is gone, so no requests can go back to it; give the new one all of them "
            "(weight: 100) and finish the release, after which homecloud.swarm.stack_rollback brings the version before back."
        )
    if wanted.weight > now.weight and gone["new"] and not gone["old"]:
        return (
            f"the new colour ({', '.join(gone['new'])}) is gone, so it can get no requests; deploy the release's files again, or abort it."
        )
    return ""


def _weights(switch: Switch) -> dict[str, int]:
    shares = ((switch.old, 100 - switch.weight), (switch.new, switch.weight))
    return {name: share for names, share in shares for name in names.values()}


def _names(names: Placed) -> str:
    return ", ".join(sorted(names.values()))
