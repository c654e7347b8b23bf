# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember: what each deploy set out to do, from what, and what became of it, kept in the swarm itself.

One config object a revision. Its data never changes and says what was planned; its verdict is a label, which the engine
lets be changed. Its unique name settles who deploys when two want to; each write to it is a sign of life.
"""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from ._actual import Actual, labelled, labels_of, of_stack
from ._clock import Clock
from ._colours import Placed, Switch, placed
from ._engine import Engine
from ._errors import EngineError, EngineUnreachableError, NotFoundError, OutOfSequenceError, RefusedError
from ._model import MADE, NAMESPACE, OURS, REVISION, REVOKED, SWITCH, VERDICT, Body, References, Sort
from ._situation import moment
from ._state import CONTENTS, State, used
from ._verifier import VERIFIER
from ._versions import within_limit

Item = TypeVar("Item")

#: Of the data; readers skip what is newer than they know.
FORMAT = 1
#: What the engine takes in one config.
LARGEST = 1000 * 1024
#: Seconds without a sign of life after which a deploy counts as given up.
STALE = 60.0
#: Seconds between two signs of life.
BEAT = 15.0


class Ending(str, Enum):
    """What became of a deploy."""

    PENDING = "pending"
    #: the new colour runs beside the old one, and requests move to it
    SWITCHING = "switching"
    GOOD = "converged"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    LOST = "rollback_failed"
    GIVEN_UP = "interrupted"
    #: nobody waited for its end
    UNSEEN = "unknown"


class TakenOverError(RefusedError):
    """Somebody else has deployed or removed the stack in the meantime."""


@dataclass(frozen=True)
class Content:
    """What a record says. ``before`` is where a failure leads back to; None where nothing is known to have worked."""

    before: State | None
    state: State
    touched: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    time: str = ""
    by: str = ""
    #: what somebody else changed between the revision before and this one
    outside: tuple[str, ...] = ()
    #: what the deploy is beside a deploy of files, for example "rollback to 7"
    note: str = ""


@dataclass(frozen=True)
class Revision:
    """A record as it stands in the swarm."""

    number: int
    live: Body

    @property
    def ending(self) -> str:
        return str(self.live["Spec"]["Labels"].get(VERDICT, ""))

    @property
    def is_pending(self) -> bool:
        return self.ending == Ending.PENDING.value

    @property
    def switch(self) -> Switch | None:
        """The release that is under way since this deploy."""
        return Switch.from_label(self.live["Spec"]["Labels"].get(SWITCH, "")) if self.ending == Ending.SWITCHING.value else None

    @property
    def is_under_way(self) -> bool:
        """Whether it can still go back to what was before it."""
        return self.ending in (Ending.PENDING.value, Ending.SWITCHING.value)

    @property
    def is_restorable(self) -> bool:
        """Whether it came up, or nobody saw that it did not."""
        return self.ending in (Ending.GOOD.value, Ending.UNSEEN.value)

    @property
    def revoked(self) -> tuple[str, ...]:
        """The secrets and configs that it needs and somebody has revoked, as "secret NAME"."""
        return tuple(filter(None, self.live["Spec"]["Labels"].get(REVOKED, "").split(",")))

    @property
    def made(self) -> dict[str, str]:
        """Ids of the secrets and configs that its deploy made, as in a State's ``ids``."""
        try:
            return dict(json.loads(self.live["Spec"]["Labels"].get(MADE) or "{}"))
        except (ValueError, TypeError):
            return {}

    @property
    def last_sign(self) -> float:
        """When its deploy last gave a sign of life, by the clock of the swarm's leader, in seconds since 1970."""
        return moment(str(self.live["UpdatedAt"]))

    def silent_for(self, now: float) -> float:
        """Seconds since its deploy last gave a sign of life."""
        return now - self.last_sign

    def content(self) -> Content | None:
        """What it says; None where it cannot be read: it is damaged, or of a format that only newer versions know."""
        try:
            wire = json.loads(lzma.decompress(base64.b64decode(self.live["Spec"]["Data"])))
            if wire["format"] > FORMAT:
                return None
            state = State.from_wire(wire["state"])
            return Content(
                before=State.from_wire(wire["before"]) if wire["before"] is not None else None,
                state=replace(state, ids={**self.made, **state.ids}),
                touched=tuple(wire["touched"]),
                summary=tuple(wire["summary"]),
                time=wire["time"],
                by=wire["by"],
                outside=tuple(wire["outside"]),
                note=wire["note"],
            )
        except (ValueError, KeyError, TypeError, EOFError, lzma.LZMAError):
            return None


def revisions(records: Iterable[Body]) -> list[Revision]:
    """The newest first."""
    found = [(record["Spec"]["Labels"][REVISION], record) for record in records]
    numbered = [Revision(int(number), record) for number, record in found if number.isdigit()]
    return sorted(numbered, key=lambda revision: revision.number, reverse=True)


def last_good(past: Sequence[Revision]) -> tuple[Revision, Content] | None:
    """The newest that converged and can be read."""
    for revision in past:
        content = revision.content() if revision.ending == Ending.GOOD.value else None
        if content:
            return revision, content
    return None


def aim(past: list[Revision], wanted: int | None, stack: str) -> tuple[Revision, Content]:
    """The revision to bring back, and what it says. Raises RefusedError where there is none or it cannot be read."""
    if wanted is None:
        found = last_good(past)
        if found is None:
            raise RefusedError(
                f"Stack '{stack}' has no revision that came up, so there is nothing to go back to; revisions are written by "
                "homecloud.swarm.stack, and homecloud.swarm.stack_info lists them."
            )
        return found
    revision = next((revision for revision in past if revision.number == wanted), None)
    if revision is None:
        numbers = ", ".join(str(revision.number) for revision in reversed(past)) or "none"
        raise RefusedError(f"Stack '{stack}' has no revision {wanted}; those that the swarm remembers are: {numbers}.")
    content = revision.content()
    if content is None:
        raise RefusedError(
            f"Revision {wanted} of stack '{stack}' cannot be read: its record (config {revision.live['Spec']['Name']}) is damaged, or "
            "written by a newer version of this collection; choose another one, or upgrade the collection."
        )
    return revision, content


def switching(past: Sequence[Revision]) -> tuple[Revision, Switch] | None:
    """The release that is under way."""
    switch = past[0].switch if past else None
    return (past[0], switch) if switch else None


def starting(past: Sequence[Revision], live: Iterable[str], stack: str) -> tuple[Revision, Switch] | None:
    """The release whose deploy has not ended: it is under way, or was interrupted before anybody saw the new colour come up.

    ``live`` are full names of services.
    """
    content = past[0].content() if past and past[0].is_pending else None
    new = content.state.colours if content else {}
    old = {key: name for key, name in placed(new, colours(past), live, stack).items() if name != new[key]}
    return (past[0], Switch(old, {key: new[key] for key in old}, started=False)) if old else None


def colours(past: Sequence[Revision]) -> Placed:
    """Which services stood for the coloured ones when a deploy last came up."""
    contents = (revision.content() for revision in past if revision.is_restorable)
    return next((content.state.colours for content in contents if content), {})


def recalled(actual: Actual, stack: str) -> Actual:
    """The secrets of the stack with the labels of ours that somebody, such as the CLI, has erased: records have them by the secrets' ids.

    The data under an id never changes, so neither does what these labels tell of it. Nothing is written for that.
    """
    bare = {name: live for name, live in of_stack(actual.secrets, stack).items() if _is_bare(live)}
    if not bare:
        return actual
    contents = [content for revision in revisions(actual.records) if (content := revision.content())]
    found = {name: labels for name, live in bare.items() if (labels := _remembered_labels(contents, name, live["ID"]))}
    return replace(actual, secrets={**actual.secrets, **{name: _labelled(bare[name], labels) for name, labels in found.items()}})


def _is_bare(live: Body) -> bool:
    return not live["Spec"].get("Driver") and VERIFIER not in (live["Spec"].get("Labels") or {})


def _remembered_labels(contents: Iterable[Content], name: str, identity: str) -> dict[str, str]:
    states = (content.state for content in contents)
    labels = (state.secrets.get(name, {}) for state in states if state.ids.get(f"{Sort.SECRET.value} {name}") == identity)
    told = (found for found in labels if VERIFIER in found)
    return {label: text for label, text in next(told, {}).items() if label.startswith(OURS)}


def _labelled(live: Body, labels: Mapping[str, str]) -> Body:
    return {**live, "Spec": {**live["Spec"], "Labels": {**(live["Spec"].get("Labels") or {}), **labels}}}


def listed(engine: Engine, stack: str) -> list[Revision]:
    """All of the stack's, the newest first."""
    return revisions(item for item in labelled(engine, "/configs", stack) if REVISION in labels_of(item))


def open_record(engine: Engine, stack: str, number: int, content: Content) -> str | None:
    """Write the record of a deploy that begins, and return its id; None when somebody else has just taken the number."""
    data = packed(stack, number, content)
    if len(data) >= LARGEST:
        raise RefusedError(
            f"The record of stack '{stack}' would have {len(data)} bytes, and the engine keeps up to {LARGEST}: split the stack."
        )
    labels = {NAMESPACE: stack, REVISION: str(number), VERDICT: Ending.PENDING.value}
    body = {"Name": name_of(stack, number), "Labels": labels, "Data": base64.b64encode(data).decode("ascii")}
    try:
        return str(engine.post("/configs/create", body)["ID"])
    except EngineError as error:
        if error.status == 409:
            return None
        raise


def packed(stack: str, number: int, content: Content) -> bytes:
    """The data of a record."""
    wire = {
        "format": FORMAT,
        "stack": stack,
        "number": number,
        "time": content.time,
        "by": content.by,
        "summary": content.summary,
        "touched": content.touched,
        "before": content.before.to_wire() if content.before is not None else None,
        "state": content.state.to_wire(),
        "outside": content.outside,
        "note": content.note,
    }
    # the lowest preset needs little memory on small machines, and still finds that both states are nearly the same
    return lzma.compress(json.dumps(wire, sort_keys=True, separators=(",", ":")).encode(), preset=1)


def name_of(stack: str, number: int) -> str:
    """Unique for the stack and number, within the engine's limit."""
    return within_limit(stack, f".r{number}")


def read(engine: Engine, identity: str, stack: str, ending: Ending = Ending.PENDING) -> Revision:
    """The record of a deploy that is under way, or has just ended so. Raises TakenOverError when it is not ours any more."""
    try:
        live: Mapping[str, Any] = engine.get(f"/configs/{identity}")
    except NotFoundError:
        raise taken_over(stack) from None
    found = Revision(int(live["Spec"]["Labels"][REVISION]), live)
    if not found.is_pending and found.ending != ending.value:
        raise taken_over(stack)
    return found


def mark(
    engine: Engine,
    revision: Revision,
    stack: str,
    ending: Ending = Ending.PENDING,
    made: Mapping[str, str] | None = None,
    switch: Switch | None = None,
) -> None:
    """Give a sign of life, or say how it ended, what was made, and between which colours it stands."""
    said = {MADE: json.dumps(made) if made else "", SWITCH: switch.to_label() if switch else ""}
    _relabel(engine, revision, stack, {VERDICT: ending.value, **{label: text for label, text in said.items() if text}})


def revoke(engine: Engine, revision: Revision, stack: str, names: Iterable[str]) -> None:
    """Write down that secrets or configs which the revision needs are gone for good."""
    _relabel(engine, revision, stack, {REVOKED: ",".join(sorted({*revision.revoked, *names}))})


def _relabel(engine: Engine, revision: Revision, stack: str, labels: Mapping[str, str]) -> None:
    spec = revision.live["Spec"]
    body = {**spec, "Labels": {**spec["Labels"], **labels}}
    try:
        engine.post(f"/configs/{revision.live['ID']}/update", body, version=revision.live["Version"]["Index"])
    except (NotFoundError, OutOfSequenceError):
        raise taken_over(stack) from None


@dataclass
class Pulse:
    """A deploy under way: gives signs of life, and finds out when the deploy is not ours any more.

    Without a record there is nothing to tell and nobody to tell it.
    """

    engine: Engine
    stack: str
    record: str
    clock: Clock
    #: when the last sign was given, by the clock's time of day
    last: float

    def check(self) -> None:
        """Raise TakenOverError when somebody else has deployed or removed the stack."""
        if self.record:
            # a leader may just be changing; the next look tells
            with suppress(EngineError, EngineUnreachableError):
                read(self.engine, self.record, self.stack)

    def beat(self) -> None:
        """Give a sign of life when one is due. Raises TakenOverError like ``check``."""
        if self.record and self.clock.wall() - self.last >= BEAT:
            with suppress(EngineError, EngineUnreachableError):
                mark(self.engine, read(self.engine, self.record, self.stack), self.stack)
                self.last = self.clock.wall()

    def while_asleep(self) -> Clock:
        """The clock for whatever waits: it gives signs of life while it lets time pass."""

        def sleep(seconds: float) -> None:
            self.clock.sleep(seconds)
            self.beat()

        return replace(self.clock, sleep=sleep)

    def during(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, with a sign of life before each when one is due."""
        for item in items:
            self.beat()
            yield item


def forget(engine: Engine, past: Sequence[Revision], most: int) -> None:
    """Remove the oldest records: of those that came up, and of those that did not, the newest ``most`` stay, and the newest good one."""
    good = next((revision.number for revision in past if revision.ending == Ending.GOOD.value), None)
    for came_up in (True, False):
        for revision in [revision for revision in past if revision.is_restorable is came_up][most:]:
            if revision.number != good:
                engine.delete(f"/configs/{revision.live['ID']}")


def kept(past: Sequence[Revision], most: int, good: bool = True) -> list[tuple[Revision, Content]]:
    """The newest ``most`` revisions that came up, and the newest ``good`` one that somebody saw come up, if they can be read."""
    came_up = [revision for revision in past if revision.is_restorable]
    newest = [revision for revision in came_up if revision.ending == Ending.GOOD.value][:1] if good else []
    older = [revision for revision in newest if revision not in came_up[:most]]
    return [(revision, content) for revision in (*came_up[:most], *older) if (content := revision.content())]


def needed(past: Sequence[Revision], most: int, good: bool = True) -> References:
    """The secrets and configs that these revisions use, see ``kept``; networks can be made again."""
    return _contents(content.state for _revision, content in kept(past, most, good))


def _contents(states: Iterable[State]) -> References:
    return frozenset((sort, name) for state in states for sort, name in used(state) if sort in CONTENTS)


def needed_by_all(engine: Engine, but: str = "") -> dict[tuple[Sort, str], list[str]]:
    """The secrets and configs that any stack's revisions use, with those revisions ("shop 7"); ``but`` is a stack that is left out.

    A deploy under way needs what its way back leads to.
    """
    found = engine.get("/configs", filters={"label": [REVISION]}) or []
    users: dict[tuple[Sort, str], list[str]] = {}
    for record in found:
        labels = record["Spec"].get("Labels") or {}
        if REVISION in labels and labels.get(NAMESPACE) != but:
            for revision in revisions([record]):
                content = revision.content() if revision.is_under_way or revision.is_restorable else None
                before = content.before if content and revision.is_under_way else None
                for reference in _contents(state for state in (content and content.state, before) if state):
                    users.setdefault(reference, []).append(f"{labels.get(NAMESPACE)} {revision.number}")
    return users


def left(past: Sequence[Revision]) -> State | None:
    """The stack as the newest deploy left it; None where that is not known."""
    newest = past[0] if past else None
    content = newest.content() if newest else None
    if newest is None or content is None:
        return None
    return {
        Ending.GOOD.value: content.state,
        Ending.UNSEEN.value: content.state,
        Ending.FAILED.value: content.state,
        Ending.ROLLED_BACK.value: content.before,
    }.get(newest.ending)


def taken_over(stack: str) -> TakenOverError:
    return TakenOverError(
        f"Stack '{stack}' has been deployed or removed by somebody else while this deploy was under way, so this one stopped; "
        "look at what runs (homecloud.swarm.stack_info), and run it again if it should win."
    )
