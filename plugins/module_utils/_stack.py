# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy or remove a stack: the pipeline load (done on the controller), convert, observe, compare, apply, watch."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ._actual import Actual, observe, running, volumes
from ._apply import adopt, apply, remove
from ._bodies._field import released
from ._clock import SYSTEM, Clock, shifted
from ._compose._image import registry_of
from ._defaults import with_update_defaults
from ._desired import Desired, convert
from ._diff import as_values, drawn
from ._engine import Engine, api_version
from ._errors import NotInSwarmError, NotManagerError, RefusedError, SwarmError
from ._foretell import foretold
from ._history import STALE, Content, Ending, Revision, last_good, mark, open_record, read, revisions
from ._images import Auth, Pinned, credentials, pin
from ._model import IMAGE, Outcome, Plan, Sort
from ._plan import Intent, compare, removal, unknown
from ._report import as_rows
from ._request import Request
from ._state import State, after, captured
from ._wait import Ended, Wait, Waiting, is_well, leftovers, touched

#: Seconds between two looks at a deploy of somebody else's.
PAUSE = 1.0
#: How often a stack is removed while a deploy of somebody else's still writes to it.
REMOVALS = 3


def converge_stack(engine: Engine, options: Mapping[str, Any], check: bool) -> Outcome:
    """What the module does."""
    work = deploy if options["state"] == "present" else withdraw
    return work(engine, Request.of(options), check)


def predict_stack(options: Mapping[str, Any]) -> Outcome:
    """What the module would do on a host that has no swarm yet: create everything, or find nothing to remove."""
    return would_deploy(Request.of(options)) if options["state"] == "present" else Outcome(changed=False)


def deploy(engine: Engine, request: Request, check: bool, clock: Clock = SYSTEM) -> Outcome:
    """Bring the stack to what the files say, and wait until it is; or take up a wait that an earlier call left."""
    wait = Wait(engine, request, credentials(engine, request.registry_auth, request.with_registry_auth), clock)
    if request.waiting is not None:
        waiting = Waiting.from_wire(request.waiting)
        ended = replace(wait, clock=shifted(clock, waiting.ahead)).see_through(waiting)
        return Outcome(changed=waiting.changed, values=_values(ended), warnings=ended.warnings)
    return Deploy(wait).run(check)


def would_deploy(request: Request) -> Outcome:
    """The plan on a host that has no swarm yet: everything is created."""
    return _outcome(compare(wanted(request)[0], Actual(), Intent(request.contents)), Ended([]))


def withdraw(engine: Engine, request: Request, check: bool) -> Outcome:
    """Remove the stack and all it owns; of its volumes, if wanted, those of this node."""
    found, elsewhere = volumes(engine, request.name) if request.volumes else ([], ())
    try:
        actual = observe(engine, request.name)
    except NotManagerError as error:
        if isinstance(error, NotInSwarmError) or not request.volumes:
            raise
        # a worker, where nothing of the stack can be seen but its volumes
        actual = Actual()
    plan = removal(actual, request.name, found)
    rest = plan if not check else Plan()
    for _attempt in range(REMOVALS):
        if rest:
            remove(engine, rest, request.name, request.limits.timeout)
            # a deploy that was under way may have written once more before it noticed; of volumes only managers see more
            seen = any(step.sort is not Sort.VOLUME for step in rest.steps)
            rest = removal(observe(engine, request.name), request.name) if seen else Plan()
    return _outcome(plan, Ended([]), tuple(_left_behind(request.name, elsewhere)))


def _left_behind(stack: str, nodes: tuple[str, ...]) -> Iterator[str]:
    if nodes:
        yield (
            f"Volumes of stack '{stack}' may be left on node(s) {', '.join(nodes)}, as an engine removes only its own: run this task "
            "there too, where it removes the volumes and leaves the rest to the managers."
        )


def wanted(request: Request) -> tuple[Desired, tuple[str, ...]]:
    """The bodies that the API takes, and what could not be done as asked."""
    desired = convert(request.project, request.name, request.attach)
    return with_update_defaults(desired) if request.update_defaults else (desired, ())


@dataclass
class Deploy:
    """One deploy, up to the point where there is only waiting left to do."""

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

    def run(self, check: bool) -> Outcome:
        desired, notes = wanted(self.request)
        _check_age(self.engine, desired)
        actual = self._observed(desired)
        images = _pinned(self.engine, self.request, desired, actual, self.wait.auth, self.request.not_yet if check else "")
        renewed = _renewed(self.request, desired)
        intent = Intent(
            self.request.contents,
            images.images,
            self.request.prune,
            self.request.recreate,
            renewed=renewed,
            pin_changed_only=self.request.resolve_image == "changed",
        )
        plan = self._planned(desired, actual, intent)
        warnings = (*images.warnings, *(notes if plan.changed else ()))
        doubts = tuple(unknown(plan))
        if check:
            return _outcome(plan, Ended([]), (*plan.warnings, *warnings, *doubts))
        settled, others = self._undisturbed(desired, actual)
        if doubts:
            intent = replace(intent, denied=adopt(self.engine, plan))
            settled = self._observed(desired)
        if settled is not actual:
            plan = self._planned(desired, settled, intent)
        waiting = self._begun(plan, settled, desired)
        if waiting is None:
            # somebody else was faster
            return self.run(check)
        told = (*plan.warnings, *warnings, *others)
        try:
            ended = self._carried_out(plan, waiting, lambda: compare(desired, self._observed(desired), intent))
        except SwarmError as error:
            error.achieved = {"plan": as_values(plan), "warnings": list(told), "revision": waiting.revision, **error.achieved}
            raise
        return _outcome(plan, ended, (*told, *ended.warnings))

    def _planned(self, desired: Desired, actual: Actual, intent: Intent) -> Plan:
        """With the restarts, which only a plan that does something needs."""
        plan = compare(desired, actual, intent)
        return foretold(plan, *running(self.engine, self.request.name)) if plan else plan

    def _observed(self, desired: Desired) -> Actual:
        return observe(self.engine, self.request.name, desired)

    def _undisturbed(self, desired: Desired, actual: Actual) -> tuple[Actual, tuple[str, ...]]:
        """What is there once no other deploy of the stack is under way, or the other one has fallen silent."""
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
            actual = self._observed(desired)

    def _begun(self, plan: Plan, actual: Actual, desired: Desired) -> Waiting | None:
        """Write down what is about to be done, unless nothing is; None when another deploy has begun just now."""
        past = revisions(actual.records)
        given_up = past[0] if past and past[0].is_pending else None
        now = self.clock.wall()
        waiting = Waiting(
            touched=touched(plan),
            since=now,
            beat=now,
            changed=plan.changed,
            leftovers=leftovers(plan),
        )
        if plan.changed:
            content = Content(
                before=self._before(actual, past, given_up),
                state=after(plan, actual, self.request.name, desired.order),
                touched=waiting.touched,
                summary=tuple(f"{step.kind.value} {step.sort.value} {step.name}" for step in plan.steps),
                time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                by=_by_whom(),
            )
        elif given_up and (unfinished := given_up.content()):
            # what was interrupted is carried on: its end is ours to judge, and its way back is ours; what the files say now may be less
            content = replace(unfinished, state=after(plan, actual, self.request.name, desired.order))
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

    def _before(self, actual: Actual, past: list[Revision], given_up: Revision | None) -> State | None:
        """Where a failure of this deploy leads back to: what runs now, if it is whole and well, else what last was."""
        if given_up is None and is_well(self.engine, self.request.name, self.request.limits, self.clock):
            return captured(actual, self.request.name)
        interrupted = given_up.content() if given_up else None
        if interrupted and interrupted.before is not None:
            return interrupted.before
        good = last_good(past)
        return good[1].state if good else None

    def _carried_out(self, plan: Plan, waiting: Waiting, again: Callable[[], Plan]) -> Ended:
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


def _by_whom() -> str:
    """Who deploys, for the history: the person behind sudo, or the process' user, who need not have a name."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{platform.node()}"


def _check_age(engine: Engine, desired: Desired) -> None:
    have = engine.api_version
    lacking = [need for need in desired.needs if have < api_version(need.api)]
    if lacking:
        places = "; ".join(f"{need.place} needs {released(need.api)}" for need in lacking)
        raise RefusedError(
            f"This engine speaks API {have[0]}.{have[1]}, which would silently drop what the file asks for: {places}. "
            "Upgrade the engines, or take the fields out."
        )


def _renewed(request: Request, desired: Desired) -> dict[str, str]:
    """Image -> since when the given credentials hold, for images of the registry that they are for."""
    given = request.registry_auth or {}
    images = [spec["Labels"][IMAGE] for spec in desired.services.values()]
    return {image: given["since"] for image in images if given.get("since") and registry_of(image) == given["serveraddress"]}


def _pinned(engine: Engine, request: Request, desired: Desired, actual: Actual, auth: Auth, closed: str) -> Pinned:
    """Look up the images, by the policy: all, those that changed, or none; not in the registry that is closed to us."""
    if request.resolve_image == "never":
        return Pinned()
    deployed = {name: (service["Spec"].get("Labels") or {}).get(IMAGE) for name, service in actual.services.items()}
    images = {
        spec["Labels"][IMAGE]: spec["TaskTemplate"]["ContainerSpec"]["Image"]
        for name, spec in desired.services.items()
        if request.resolve_image == "always" or spec["Labels"][IMAGE] != deployed.get(name)
    }
    open_to_us = {raw: image for raw, image in images.items() if registry_of(image) != closed}
    return pin(engine, open_to_us, frozenset(filter(None, deployed.values())), auth)


def _outcome(plan: Plan, ended: Ended, warnings: tuple[str, ...] = ()) -> Outcome:
    return Outcome(changed=plan.changed, prepared=drawn(plan), values={"plan": as_values(plan), **_values(ended)}, warnings=warnings)


def _values(ended: Ended) -> dict[str, Any]:
    waiting = {"waiting": ended.waiting.to_wire()} if ended.waiting else {}
    return {"services": as_rows(ended.findings), "revision": ended.revision, **waiting}
