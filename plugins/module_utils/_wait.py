# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See a deploy through: wait until the stack is well, or take it back, and say what it came to.

A module cannot show progress, so the wait can be left after a while and taken up again by another call. What that call has
to know is a ``Waiting``; all else is read from the swarm.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, NoReturn

from ._actual import Actual, observe, snapshot
from ._apply import apply, begin_anew, tidy
from ._clock import SYSTEM, Clock, Found, persist
from ._colours import Switch
from ._converge import is_settled, judge_all, standing_still, watch
from ._engine import Engine
from ._errors import EngineError, EngineUnreachableError, NotConvergedError, QuorumLostError, SwarmError
from ._evidence import MASK, Evidence, gather, masker
from ._history import Content, Ending, Pulse, Revision, TakenOverError, forget, listed, mark, needed, needed_by_all, read, revisions, revoke
from ._images import Auth
from ._model import Finding, Kind, Plan, References, Snapshot, Sort, Step, Verdict
from ._report import as_rows, counted, paragraphs, standing
from ._request import Request
from ._situation import Deed, Limits
from ._spec import same
from ._state import CONTENTS, State, after, as_desired, by_rollback, lost, used, way_back

#: Seconds that the way back has at least.
BACK = 60.0
#: Seconds that managers may take to elect a leader.
ELECTION = 60.0
#: Seconds that a call which shows progress stays at least, unless all is over: each costs a node half a second of its processor.
BRIEF = 3.0
#: How often a stack is taken back.
TURNS = 2
EARLIER = "the earlier version"
#: The first of 256 letters that no password has (Unicode, Braille patterns).
BRAILLE = 0x2800


@dataclass(frozen=True)
class Waiting:
    """Where a wait stands. Holds nothing secret: it travels to the controller and back."""

    #: id of the deploy's record and the revision's number; empty when nothing was changed
    record: str = ""
    revision: int | None = None
    touched: tuple[str, ...] = ()
    since: float = 0.0
    deadline: float = 0.0
    beat: float = 0.0
    #: seconds by which the leader's clock, which all times here are of, is ahead of this machine's
    ahead: float = 0.0
    changed: bool = False
    #: steps that were carried out before the engine refused one, or that nothing leads back from
    done: tuple[str, ...] = ()
    #: what nobody needs any more once the stack is well: sort, name, id
    leftovers: tuple[tuple[str, str, str], ...] = ()
    #: why the stack is taken back; empty on the way forward
    why: tuple[str, ...] = ()
    failures: tuple[Mapping[str, Any], ...] = ()
    #: tasks on nodes that went away, for which no update waits any more
    given_up: tuple[str, ...] = ()
    #: how often the stack has been taken back
    turns: int = 0
    #: the release that begins when all is well, or is under way, as its label; empty for an ordinary deploy
    switch: str = ""

    @property
    def going_back(self) -> bool:
        return bool(self.why)

    @property
    def deed(self) -> Deed:
        return Deed(frozenset(self.touched), self.since, self.going_back)

    def to_wire(self) -> dict[str, Any]:
        """For the next call, and why the stack is taken back for people.

        Ansible masks a password wherever its letters stand, in a name or in base64, so the state is written in an alphabet of its own.
        """
        packed = zlib.compress(json.dumps(asdict(self)).encode())
        return {"why": list(self.why), "state": "".join(chr(BRAILLE + byte) for byte in packed)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Waiting:
        found = json.loads(zlib.decompress(bytes(ord(letter) - BRAILLE for letter in wire["state"])))
        lists = {name: tuple(found[name]) for name in ("touched", "done", "why", "failures", "given_up")}
        return cls(**{**found, **lists, "leftovers": tuple((sort, name, item) for sort, name, item in found["leftovers"])})


@dataclass(frozen=True)
class Ended:
    """A wait that is over, or left for now: then ``waiting`` says where it stands."""

    findings: list[Finding]
    waiting: Waiting | None = None
    revision: int | None = None
    #: what could not be tidied up
    warnings: tuple[str, ...] = ()
    #: the release that is under way now
    switch: Switch | None = None


@dataclass
class Wait:
    """One call's share of seeing a deploy through."""

    engine: Engine
    request: Request
    auth: Auth
    clock: Clock = SYSTEM

    def see_through(self, waiting: Waiting) -> Ended:
        """Wait; on the way, take the stack back if it does not come up. Raises NotConvergedError when the deploy failed."""
        began = self.clock.now()
        while True:
            findings, waiting = self._watched(waiting, began)
            if not is_settled(findings) and not any(finding.verdict is Verdict.TIMED_OUT for finding in findings):
                return Ended(findings, waiting, waiting.revision)
            well = all(finding.verdict is Verdict.CONVERGED for finding in findings)
            if waiting.going_back:
                with self._told(waiting, findings):
                    waiting = self._turned_back(waiting, findings, well)
            elif well:
                self._check_whole(waiting, findings)
                return Ended(findings, revision=waiting.revision, warnings=self._is_well(waiting), switch=Switch.from_label(waiting.switch))
            else:
                waiting = self._failed(waiting, findings)

    def stopped(self, waiting: Waiting, problem: SwarmError) -> Ended:
        """The engine refused a step half-way: what was done is taken back as if it had failed later."""
        if isinstance(problem, (EngineUnreachableError, QuorumLostError, TakenOverError)):
            raise problem
        done = tuple(problem.achieved.get("done", ()))
        return self.see_through(self._go_back(replace(waiting, changed=bool(done), done=done), [problem.message], []))

    def _watched(self, waiting: Waiting, began: float) -> tuple[list[Finding], Waiting]:
        """Poll until it is settled, too late, or time to show something, by when the call began."""
        limits = replace(self._limits(waiting.going_back), timeout=max(0.0, waiting.deadline - self.clock.wall()))
        findings: list[Finding] = []
        seen_last = Snapshot((), (), (), 0.0)

        def poll() -> Snapshot:
            nonlocal seen_last
            seen_last = snapshot(self.engine, self.request.name, self.clock)
            return seen_last

        before: list[tuple[Any, ...]] | None = None
        moved = False
        pulse = self.pulse(waiting)
        for findings in watch(poll, limits, waiting.deed, self.clock):
            findings = self._hidden(findings)
            pulse.beat()
            waiting = self._pushed(waiting, seen_last)
            seen = [(finding.service, finding.running, finding.verdict, finding.reason) for finding in findings]
            moved = moved or (before is not None and seen != before)
            before = seen
            if self._has_stayed(began, moved):
                break
        return findings, replace(waiting, beat=pulse.last)

    def _has_stayed(self, began: float, moved: bool) -> bool:
        """Whether the call has lasted long enough to tell what it has seen."""
        patience = self.request.patience
        return patience is not None and self.clock.now() - began >= (min(BRIEF, patience) if moved else patience)

    def _pushed(self, waiting: Waiting, seen: Snapshot) -> Waiting:
        """Push updates on that stand still because a node has gone away, once for each task that they wait for."""
        for service, tasks in standing_still(seen, waiting.deed).items():
            if not tasks <= set(waiting.given_up):
                waiting = replace(waiting, given_up=(*waiting.given_up, *sorted(tasks)))
                with suppress(EngineError):
                    begin_anew(self.engine, service)
        return waiting

    def _limits(self, going_back: bool) -> Limits:
        """What the caller asked for; nothing is gained by haste on the way back."""
        asked = self.request.limits
        return replace(asked, progress=max(asked.progress, BACK), timeout=max(asked.timeout, BACK)) if going_back else asked

    def pulse(self, waiting: Waiting) -> Pulse:
        return Pulse(self.engine, self.request.name, waiting.record, self.clock, waiting.beat)

    def _check_whole(self, waiting: Waiting, findings: list[Finding]) -> None:
        """A service that somebody removed while we waited has no verdict, and is no success."""
        gone = sorted(set(waiting.touched) - {finding.service for finding in findings})
        if gone:
            if waiting.record:
                self._close(waiting, Ending.FAILED)
            sentence = f"Service(s) {', '.join(gone)} were removed by somebody else meanwhile; run it again if they should be there."
            raise self._failure(waiting, [sentence], "none", findings)

    def _is_well(self, waiting: Waiting) -> tuple[str, ...]:
        """Write it down, then tidy up: what cannot be removed yet makes no good deploy bad."""
        if waiting.record:
            self._close(waiting, Ending.SWITCHING if waiting.switch else Ending.GOOD)
        return self._tidy(waiting)

    def leave(self, waiting: Waiting) -> tuple[str, ...]:
        """Nobody waits, so nobody will know how it ended."""
        if waiting.record:
            self._close(waiting, Ending.UNSEEN)
        return self._tidy(waiting)

    def _tidy(self, waiting: Waiting) -> tuple[str, ...]:
        steps = (Step(Kind.REMOVE, Sort(sort), name, live={"ID": found, "Id": found}) for sort, name, found in waiting.leftovers)
        problems = tidy(self.engine, Plan(tuple(steps)), self.clock)
        if waiting.leftovers and self.request.revoke:
            self._note_revoked(frozenset((Sort(sort), name) for sort, name, _id in waiting.leftovers if name not in problems))
        return tuple(problems.values())

    def _note_revoked(self, removed: References) -> None:
        """Write down in the revisions that needed them what cannot come back."""
        past = listed(self.engine, self.request.name)
        for revision in past:
            gone = needed([revision], 1) & removed
            if gone:
                revoke(self.engine, revision, self.request.name, (f"{sort.value} {name}" for sort, name in gone))

    def _close(self, waiting: Waiting, ending: Ending) -> None:
        def attempt() -> None:
            found = read(self.engine, waiting.record, self.request.name, ending)
            if found.is_pending:
                # of a failed deploy too: what it made is removed, and a later one may take the name
                mark(self.engine, found, self.request.name, ending, self._made(found), Switch.from_label(waiting.switch))
            forget(self.engine, listed(self.engine, self.request.name), self.request.history_max)

        persist(attempt, QuorumLostError, ELECTION, self.clock)

    def _made(self, revision: Revision) -> dict[str, str]:
        """Ids of the secrets and configs that did not exist yet when the record was written."""
        content = revision.content()
        if content is None:
            return {}
        lacking = [
            (sort, name) for sort, name in used(content.state) if sort in CONTENTS and f"{sort.value} {name}" not in content.state.ids
        ]
        if not lacking:
            return {}
        actual = self._actual(content.state)
        live = {Sort.SECRET: actual.secret_ids, Sort.CONFIG: actual.config_ids}
        return {f"{sort.value} {name}": live[sort][name] for sort, name in lacking if name in live[sort]}

    def _patiently(self, attempt: Callable[[], Found]) -> Found:
        """Read what the way back needs, also while the managers elect a leader: that is when deploys fail."""
        return persist(attempt, (QuorumLostError, EngineUnreachableError), ELECTION, self.clock)

    @contextmanager
    def _told(self, waiting: Waiting, findings: list[Finding]) -> Iterator[None]:
        """Where nobody can be asked any more, say all the same why the stack should have gone back."""
        try:
            yield
        except (QuorumLostError, EngineUnreachableError) as problem:
            told = f"It could not be taken back, and is as this run has left it: {problem.message}"
            raise self._failure(waiting, [told, "Run it again when the swarm answers."], "failed", findings) from problem

    def _read(self, waiting: Waiting) -> Revision:
        return self._patiently(lambda: read(self.engine, waiting.record, self.request.name))

    def _failed(self, waiting: Waiting, findings: list[Finding]) -> Waiting:
        """Set out on the way back, or fail here if there is none."""
        evidence = self._evidence(waiting, findings)
        failures = [item.to_wire() for item in evidence]
        return self._go_back(waiting, paragraphs(evidence), failures, findings)

    def _evidence(self, waiting: Waiting, findings: list[Finding]) -> list[Evidence]:
        bad = [finding for finding in findings if finding.verdict not in (Verdict.CONVERGED, Verdict.UPDATING)]
        pulse = self.pulse(waiting)
        return self._patiently(lambda: gather(self.engine, pulse.during(bad), self.request.log_lines, self.request.hidden()))

    def _go_back(
        self, waiting: Waiting, why: list[str], failures: Sequence[Mapping[str, Any]], findings: list[Finding] | None = None
    ) -> Waiting:
        waiting = replace(waiting, why=tuple(why), failures=tuple(failures))
        with self._told(waiting, findings or []):
            record = self._read(waiting) if waiting.record else None
            content = record.content() if record else None
            reason = self._no_way_back(waiting, content)
            if reason or content is None or content.before is None:
                if record:
                    self._close(waiting, Ending.FAILED)
                raise self._failure(waiting, [reason], "none", findings or self._look(waiting))
            return self._carried_back(waiting, content.before)

    def _carried_back(self, waiting: Waiting, state: State) -> Waiting:
        began = self.clock.wall()
        pulse = self.pulse(waiting)

        def plan() -> Plan:
            pulse.check()
            actual = self._actual(state)
            kept = needed(revisions(actual.records), self.request.history_max) | needed_by_all(self.engine, but=self.request.name).keys()
            return by_rollback(way_back(state, actual, self.request.name, kept))

        try:
            found = plan()
            apply(self.engine, found, plan, self.auth, pulse.while_asleep())
        except TakenOverError:
            raise
        except SwarmError as problem:
            self._is_lost(waiting, self._look(waiting), problem.message)
        return replace(
            waiting,
            changed=True,
            touched=touched(found),
            since=began,
            beat=pulse.last,
            deadline=self.clock.wall() + self._limits(going_back=True).timeout,
            leftovers=leftovers(found),
            turns=waiting.turns + 1,
        )

    def _turned_back(self, waiting: Waiting, findings: list[Finding], well: bool) -> Waiting:
        """Say what came of the way back; go it once more where the engine, which may have been rolling back itself, turned it round."""
        content = self._read(waiting).content()
        earlier = (content and content.before) or State()
        versions = self._versions(content) if content else {}
        is_earlier = {name for name, version in versions.items() if version == EARLIER} == earlier.services.keys() == versions.keys()
        if well and is_earlier:
            self._is_back(waiting, findings)
        if is_earlier or waiting.turns >= TURNS:
            self._is_lost(waiting, findings)
        return self._carried_back(waiting, earlier)

    def _no_way_back(self, waiting: Waiting, content: Content | None) -> str:
        """Why the stack stays as it is; empty if it can go back."""
        if content is None and waiting.done:
            return "There is nothing else to go back to."
        if content is None:
            return "This run changed nothing, so there is nothing to take back."
        if not self.request.goes_back:
            return "The stack is left as it is (on_failure: pause)."
        if content.before is None:
            return "The stack is left as it is: it was broken before, and no earlier version of it is known to have worked."
        missing = lost(content.before, self._actual(content.before))
        if missing:
            return f"The stack is left as it is, because the earlier version cannot be had any more: {'; '.join(missing)}."
        return ""

    def _actual(self, state: State) -> Actual:
        wanted = as_desired(state, self.request.name)
        return self._patiently(lambda: observe(self.engine, self.request.name, wanted, strict=False))

    def _look(self, waiting: Waiting) -> list[Finding]:
        seen = self._patiently(lambda: snapshot(self.engine, self.request.name, self.clock))
        return self._hidden(judge_all(seen, self.request.limits, waiting.deed))

    def _hidden(self, findings: list[Finding]) -> list[Finding]:
        """An engine quotes what it fails at, a template with a secret in it for one."""
        hide = self._masker
        return [replace(finding, reason=hide.sub(MASK, finding.reason)) for finding in findings] if hide else findings

    @cached_property
    def _masker(self) -> re.Pattern[str] | None:
        return masker(self.request.hidden())

    def _is_back(self, waiting: Waiting, findings: list[Finding]) -> NoReturn:
        """The stack is as it was: say so, and fail all the same."""
        content = self._read(waiting).content()
        remembered = any(revision.is_restorable for revision in self._patiently(lambda: listed(self.engine, self.request.name)))
        first = content is not None and not content.before and not remembered
        if not first:
            self._close(waiting, Ending.ROLLED_BACK)
        stays = self._tidy(waiting)
        if first:
            for revision in listed(self.engine, self.request.name):
                self.engine.delete(f"/configs/{revision.live['ID']}")
        told = (
            f"{'Only this' if stays else 'Nothing'} is left of it, as it was the stack's first deploy{':' if stays else '.'}"
            if first
            else f"The whole stack is back on its earlier version: {_counted(findings)}."
        )
        raise self._failure(waiting, [told, *stays], "done", findings)

    def _is_lost(self, waiting: Waiting, findings: list[Finding], problem: str = "") -> NoReturn:
        """Going back failed too: say exactly how things are."""
        evidence = self._evidence(waiting, findings)
        content = self._read(waiting).content()
        told = ["Going back to the earlier version failed too.", *filter(None, [problem]), *paragraphs(evidence), "This is how things are:"]
        told += standing(findings, self._versions(content) if content else {})
        self._close(waiting, Ending.LOST)
        raise self._failure(waiting, told, "failed", findings)

    def _versions(self, content: Content) -> dict[str, str]:
        """Which version of each service is there."""
        earlier = content.before or State()
        now = after(Plan(), self._actual(earlier), self.request.name, ())
        return {name: _version(spec, content.state.services.get(name), earlier.services.get(name)) for name, spec in now.services.items()}

    def _failure(self, waiting: Waiting, outcome: list[str], rollback: str, findings: list[Finding]) -> NotConvergedError:
        lines = [f"Stack '{self.request.name}' did not come up.", *waiting.why, *outcome]
        return NotConvergedError(
            "\n".join(lines),
            {
                "changed": waiting.changed,
                "revision": waiting.revision,
                "rollback": rollback,
                "services": as_rows(findings),
                "failures": list(waiting.failures),
                **({"done": list(waiting.done)} if waiting.done else {}),
            },
        )


def _version(spec: Mapping[str, Any], new: Mapping[str, Any] | None, earlier: Mapping[str, Any] | None) -> str:
    if earlier is not None and same(spec, earlier):
        return EARLIER
    return "the new version" if new is not None and same(spec, new) else "a version of its own"


def _counted(findings: list[Finding]) -> str:
    return ", ".join(f"{finding.service} {counted(finding)}" for finding in findings) or "it had no services"


def touched(plan: Plan) -> tuple[str, ...]:
    """The services that are written to and stay."""
    return tuple(step.name for step in plan.steps if step.sort is Sort.SERVICE and step.kind is not Kind.REMOVE)


def leftovers(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """What is removed when the stack is well: sort, name, id."""
    return tuple(
        (step.sort.value, step.name, str(step.live.get("ID") or step.live.get("Id")))
        for step in plan.steps
        if step.kind is Kind.REMOVE and step.sort is not Sort.SERVICE
    )


def is_well(engine: Engine, stack: str, limits: Limits, clock: Clock) -> bool:
    """Whether all services of the stack are well now."""
    return all(finding.verdict is Verdict.CONVERGED for finding in judge_all(snapshot(engine, stack, clock), limits))
