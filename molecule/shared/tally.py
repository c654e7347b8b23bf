# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of many requests: which failed and when, the longest gap, which versions answered. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

GOOD = range(200, 300)


@dataclass(frozen=True)
class Answer:
    """One request and what came of it. Times are seconds since the load began."""

    began: float
    seconds: float
    through: str  # the ingress node that was asked
    method: str
    kept: bool  # on a connection that is kept, not on a new one
    status: int = 0  # none came
    problem: str = ""
    version: str = ""
    secret: str = ""
    asked: float = 0.0  # how long the app was asked to take
    reached: float = 0.0  # when the app had it, in seconds since 1970

    @property
    def good(self) -> bool:
        return self.status in GOOD and not self.problem

    @property
    def ended(self) -> float:
        return self.began + self.seconds

    def __str__(self) -> str:
        connection = "kept" if self.kept else "new"
        what = self.problem or str(self.status)
        taking = f" that takes {self.asked:g} s" if self.asked else ""
        where = f"through {self.through} ({connection} connection)"
        return f"at {self.began:.2f} s: {self.method}{taking} {where}: {what} after {self.seconds:.2f} s"


@dataclass(frozen=True)
class Tally:
    """All requests of one load."""

    answers: tuple[Answer, ...]

    @property
    def failed(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if not answer.good)

    @property
    def seconds(self) -> float:
        return max((answer.began for answer in self.answers), default=0.0)

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds if self.seconds else 0.0

    @property
    def gap(self) -> float:
        """The longest time in which no good answer came through one of the ingress nodes."""
        nodes = {answer.through for answer in self.answers}
        return max((gap(self.through(node).answers) for node in nodes), default=0.0)

    @property
    def slowest(self) -> float:
        """By how much the slowest good answer was later than the app was asked to be."""
        return max((answer.seconds - answer.asked for answer in self.answers if answer.good), default=0.0)

    @property
    def versions(self) -> dict[str, int]:
        """Who answered, in order of appearance; with the secret it had, where that changed."""
        good = sorted((answer for answer in self.answers if answer.good), key=lambda answer: answer.began)
        several = len({answer.secret for answer in good}) > 1
        return dict(Counter(f"{answer.version} ({answer.secret})" if several else answer.version for answer in good))

    def through(self, *nodes: str) -> Tally:
        return Tally(tuple(answer for answer in self.answers if answer.through in nodes))

    def but(self, version: str) -> Tally:
        """Without what one version has answered."""
        return Tally(tuple(answer for answer in self.answers if answer.version != version))

    def kinds(self) -> dict[str, int]:
        """Failures by what they were."""
        return dict(Counter(answer.problem or str(answer.status) for answer in self.failed))


def handovers(tally: Tally, old: str, new: str) -> list[float]:
    """For how many seconds new requests still went to the version that lost them: the first for when ``new`` took over, the second for
    when ``old`` did again, if it did.

    Counted from the first request that the other one got, by when the app had them: one that is sent waits for a connection first.
    """
    first, second = (sorted(answer.reached for answer in tally.answers if answer.version == version) for version in (old, new))
    if not first or not second:
        return []
    # while the new one had all requests, the old one had none for longest
    pauses = [*pairwise(first), (first[-1], float("inf"))]
    left, back = max(pauses, key=lambda pause: min(pause[1], second[-1]) - pause[0])
    taken = [max(0.0, left - second[0])]
    return taken if back == float("inf") else [*taken, max(0.0, second[-1] - back)]


def gap(answers: Sequence[Answer]) -> float:
    """The longest time without a good answer, from the first request to the last one."""
    if not answers:
        return 0.0
    first, last = min(answer.began for answer in answers), max(answer.began for answer in answers)
    moments = [first, *sorted(answer.ended for answer in answers if answer.good)]
    # what was answered after the last request was sent ends no gap that matters
    return max(later - earlier for earlier, later in pairwise([*moments, max(last, moments[-1])]))


HEADINGS = ("while", "requests", "per second", "failed", "longest gap", "latest answer", "answered by")


def line(name: str, tally: Tally) -> tuple[str, ...]:
    """A row of the table."""
    versions = ", ".join(f"{version}: {count}" for version, count in tally.versions.items())
    figures = (str(len(tally.answers)), f"{tally.rate:.0f}", str(len(tally.failed)), f"{tally.gap:.2f} s", f"{tally.slowest:.2f} s")
    return (name, *figures, versions)


def failures(tally: Tally, shown: int = 10) -> Iterator[str]:
    """The first failures, and how many there were of each kind."""
    yield from map(str, tally.failed[:shown])
    yield from (f"{count} in all: {kind}" for kind, count in tally.kinds().items())


def whole(tallies: Iterable[Tally]) -> Tally:
    return Tally(tuple(answer for tally in tallies for answer in tally.answers))
