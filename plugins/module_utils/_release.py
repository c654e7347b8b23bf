# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a plan out as a revision of the stack: one at a time, written down before the first write, seen through to its end."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ._actual import Actual, running
from ._apply import apply
from ._clock import Clock, shifted
from ._colours import Placed, Switch, shown
from ._diff import as_values, drawn
from ._engine import Engine
from ._errors import RefusedError, SwarmError
from ._foretell import foretold
from ._history import (
    STALE,
    Content,
    Ending,
    Revision,
    last_good,
    left,
    mark,
    needed,
    needed_by_all,
    open_record,
    read,
    revisions,
    switching,
)
from ._model import Kind, Outcome, Plan, References, Step
from ._report import as_rows
from ._request import Request
from ._state import State, after, as_asked, between, captured
from ._wait import Ended, Wait, Waiting, is_well, leftovers, touched

#: Seconds between two looks at a deploy of somebody else's.
PAUSE = 1.0
#: Letters of a line of the plan that are remembered.
LONGEST = 200

#: What somebody can do about a release under way.
NEXT = "Finish or abort the release first (homecloud.swarm.stack_switch, or the playbook homecloud.swarm.release)."

Observe = Callable[[], Actual]


@dataclass
class Release:
    """One deploy of one stack, whatever it is made from."""

    wait: Wait

    @property
    def engine(self) -> Engine:
        return self.wait.engine

    @property
    def request(self) -> Request:
        return self.wait.request

    @property
    def clock(self) -> Clock:
        return self.wait.clock

    def undisturbed(self, actual: Actual, observe: Observe) -> tuple[Actual, tuple[str, ...]]:
        """What is there once no other deploy of the stack is under way, or the other one has fallen silent; and what to say of it."""
        deadline = self.clock.now() + max(self.request.limits.timeout, 2 * STALE)
        waited = ""
        while True:
            past = revisions(actual.records)
            if not past or not past[0].is_pending or past[0].silent_for(self.clock.wall()) > STALE:
                return actual, (waited,) if waited else ()
            waited = f"Another deploy of stack '{self.request.name}' (revision {past[0].number}) was under way, and this one waited for it."
            if self.clock.now() > deadline:
                raise RefusedError(
                    f"Another deploy of stack '{self.request.name}' (revision {past[0].number}) is still under way; run this one again "
                    "when it has ended."
                )
            self.clock.sleep(PAUSE)
            actual = observe()

    def foreseen(self, plan: Plan) -> Plan:
        """The plan with the restarts, which only one that does something needs."""
        return foretold(plan, *running(self.engine, self.request.name)) if plan else plan

    def keeping(self, plan: Callable[[References], Plan], past: list[Revision]) -> Plan:
        """The plan that removes nothing which revisions need: as many as are kept when this deploy has become one of them.

        What other stacks' revisions need stays in any case. One that changes nothing does not become a revision.
        """
        elsewhere = frozenset(needed_by_all(self.engine, but=self.request.name))

        def with_newest(most: int, good: bool) -> Plan:
            return plan(elsewhere | (frozenset() if self.request.revoke else needed(past, most, good)))

        found = with_newest(self.request.history_max, good=True)
        # the newest good one will be this one, if somebody waits for it
        return with_newest(self.request.history_max - 1, good=not self.request.wait) if found.changed else found

    def begun(
        self,
        plan: Plan,
        actual: Actual,
        order: tuple[str, ...],
        note: str = "",
        colours: Placed | None = None,
        switch: Switch | None = None,
    ) -> Waiting | None:
        """Write down what is about to be done, unless nothing is; None when another deploy has begun just now.

        ``order`` is that in which the stack's services are best written, ``note`` what this is beside a deploy of files, ``colours``
        are the services that stand for coloured ones, and ``switch`` is the release that begins with this deploy.
        """
        past = revisions(actual.records)
        # a release that has lost what it had made is mended by a deploy of the same files, which takes its place
        mended = switch is not None and plan.changed and switching(past) is not None
        given_up = past[0] if past and (past[0].is_pending or mended) else None
        now = self.clock.wall()
        waiting = Waiting(
            touched=touched(plan),
            since=now,
            beat=now,
            changed=plan.changed,
            leftovers=leftovers(plan),
            switch=switch.to_label() if switch else "",
        )
        wanted = with_colours(after(plan, actual, self.request.name, order), self.request.name, colours or {}, switch)
        state = as_asked(wanted, remembered(past))
        if plan.changed or (switch and not switching(past)):
            content = Content(
                before=self._before(actual, past, given_up, plan),
                state=state,
                touched=waiting.touched,
                summary=tuple(line[:LONGEST] for line in drawn(plan).splitlines()),
                time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                by=_by_whom(),
                outside=tuple(_outside(past, actual, self.request.name)),
                note=note,
            )
        elif given_up and (unfinished := given_up.content()):
            # what was interrupted is carried on: its end is ours to judge, and its way back is ours; what is wanted now may be less
            content = replace(unfinished, state=state)
            waiting = replace(waiting, touched=content.touched)
        else:
            return waiting
        number = past[0].number + 1 if past else 1
        record = open_record(self.engine, self.request.name, number, content)
        if record is None:
            self.clock.sleep(PAUSE)
            return None
        if given_up:
            mark(self.engine, given_up, self.request.name, Ending.GIVEN_UP)
        # from here on time is told by the clock that the swarm's objects and tasks are dated by
        began = read(self.engine, record, self.request.name).last_sign
        ahead = began - self.clock.wall()
        self.wait = replace(self.wait, clock=shifted(self.clock, ahead))
        return replace(waiting, record=record, revision=number, since=began, beat=began, ahead=ahead)

    def _before(self, actual: Actual, past: list[Revision], given_up: Revision | None, plan: Plan) -> State | None:
        """Where a failure of this deploy leads back to: what runs now, if it is whole and well, else what last was.

        Services that this deploy does not write to stay as they are.
        """
        if given_up is None and is_well(self.engine, self.request.name, self.request.limits, self.clock):
            return captured(actual, self.request.name)
        interrupted = given_up.content() if given_up else None
        if interrupted and interrupted.before is not None:
            return interrupted.before
        good = last_good(past)
        if good is None:
            return None
        state, now = good[1].state, captured(actual, self.request.name)
        ours = {*state.services, *(step.name for step in plan.steps)}
        return replace(
            state,
            services={**{name: spec for name, spec in now.services.items() if name not in ours}, **state.services},
            ids={**now.ids, **state.ids},
            keys={**now.keys, **state.keys},
        )

    def carried_out(self, plan: Plan, waiting: Waiting, again: Callable[[], Plan], told: tuple[str, ...]) -> Outcome:
        """Apply the plan and wait, or take it all back. Raises SwarmError with the plan, and with what was achieved."""
        try:
            ended = self._ended(plan, waiting, again)
        except SwarmError as error:
            error.achieved = {"plan": as_values(plan), "warnings": list(told), "revision": waiting.revision, **error.achieved}
            raise
        return outcome(plan, ended, (*told, *ended.warnings))

    def _ended(self, plan: Plan, waiting: Waiting, again: Callable[[], Plan]) -> Ended:
        pulse = self.wait.pulse(waiting)

        def once_more() -> Plan:
            pulse.check()
            return again()

        if plan:
            try:
                apply(self.engine, plan, once_more, self.wait.auth, pulse.while_asleep())
                pulse.check()
            except SwarmError as error:
                if not waiting.record:
                    raise
                return self.wait.stopped(waiting, error)
        waiting = replace(waiting, beat=pulse.last)
        if not self.request.wait:
            return Ended([], revision=waiting.revision, warnings=self.wait.leave(waiting))
        return self.wait.see_through(replace(waiting, deadline=self.clock.wall() + self.request.limits.timeout))


def under_way(stack: str, past: list[Revision]) -> str:
    """Where a release stands, as the beginning of a sentence."""
    found = switching(past)
    if found is None:
        return f"Stack '{stack}' is in no release"
    revision, switch = found
    services = ", ".join(switch.new.values())
    return f"A release of stack '{stack}' is under way (revision {revision.number}: {services} gets {switch.weight} of 100 requests)"


def with_colours(state: State, stack: str, colours: Placed, switch: Switch | None) -> State:
    """The state with its coloured services, of which a release leaves only the new ones."""
    old = {f"{stack}_{name}" for name in switch.old.values()} if switch else set()
    services = {name: spec for name, spec in state.services.items() if name not in old}
    return replace(state, services=services, order=tuple(name for name in state.order if name not in old), colours=dict(colours))


def remembered(past: list[Revision]) -> State | None:
    """What the newest revision that can be read set out to make."""
    return next((content.state for revision in past if (content := revision.content())), None)


def taken_up(wait: Wait, wire: Any) -> Outcome:
    """Go on with a wait that an earlier call left."""
    waiting = Waiting.from_wire(wire)
    ended = replace(wait, clock=shifted(wait.clock, waiting.ahead)).see_through(waiting)
    return Outcome(changed=waiting.changed, values=_values(ended), warnings=ended.warnings)


def outcome(plan: Plan, ended: Ended, warnings: tuple[str, ...] = ()) -> Outcome:
    """The plan as diff and as data, and what it came to."""
    return Outcome(changed=plan.changed, prepared=drawn(plan), values={"plan": as_values(plan), **_values(ended)}, warnings=warnings)


def _values(ended: Ended) -> dict[str, Any]:
    waiting = {"waiting": ended.waiting.to_wire()} if ended.waiting else {}
    return {"services": as_rows(ended.findings), "revision": ended.revision, "release": shown(ended.switch), **waiting}


def _outside(past: list[Revision], actual: Actual, stack: str) -> Iterator[str]:
    """What somebody else has changed since the newest deploy."""
    then = left(past)
    if then is not None:
        for step in between(then, captured(actual, stack), stack).steps:
            yield from _in_words(step, stack)


def _in_words(step: Step, stack: str) -> Iterator[str]:
    if step.kind in (Kind.CREATE, Kind.REMOVE):
        words = "added" if step.kind is Kind.CREATE else "removed"
        yield f"{step.sort.value}s.{step.name.removeprefix(f'{stack}_')} {words}"
    else:
        yield from (f"{change.path} {change.old} -> {change.new}" for change in step.changes)


def _by_whom() -> str:
    """Who deploys: the person behind sudo, or the process' user, who need not have a name."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{platform.node()}"
