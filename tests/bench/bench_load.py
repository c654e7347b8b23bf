"""Requests that fail while something is done to the app, the ingress or the swarm; the same load on what Swarm does by itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "molecule" / "shared"))

from bench.measure import Aim, judge, lab, show
from load_compared import compared
from load_deaths import DEATHS
from load_home import HOST, PLAIN_HOST, SCENARIO, Home
from load_rows import ROWS, Row, no_twin
from tally import HEADINGS, Tally, failures, handovers, line

RATE, REQUESTS = 200.0, 10_000
# Where nodes die, and where nothing has to be shown but a difference.
FEWER = 3_000


@dataclass(frozen=True)
class Outcome:
    """What came of a row, and how the engine calls the app's last update."""

    name: str
    tally: Tally
    update: str = ""
    #: for how many seconds requests still went to the version that had lost them, each time
    late: tuple[float, ...] = ()


def prepare(home: Home) -> None:
    """A swarm with the app, as the scenario has it."""
    for playbook in ("prepare.yml", "apps.yml"):
        ran = home.play(playbook)
        if ran.returncode:
            sys.exit(f"{ran.stdout}\n{SCENARIO / playbook} failed; its last task above says why.")


def played(home: Home, rows: Iterable[Row]) -> list[Outcome]:
    return [_played(home, row) for row in rows]


def _played(home: Home, row: Row) -> Outcome:
    tally, new = row.play(home), str(home.version)
    outcome = told(row.name, tally.but(new) if row.bad else tally)
    if not row.switches:
        return outcome
    old = next(answer.version for answer in tally.answers if answer.version not in ("", new))
    return replace(outcome, late=tuple(handovers(tally, old, new)))


def compare(home: Home) -> list[Outcome]:
    """What the engine calls the update tells whether it went back."""
    services = {HOST: "load_web", PLAIN_HOST: "plain_web"}
    return [told(row.name, row.play(home), home.update_state(services[row.host])) for row in compared()]


def died(home: Home) -> list[Outcome]:
    outcomes = []
    for name, death in DEATHS.items():
        found = death(home)
        outcomes.append(told(name, found.others))
        if found.dead.answers:
            outcomes.append(told(f"{name}: those that ask it still", found.dead))
    return outcomes


def told(name: str, tally: Tally, update: str = "") -> Outcome:
    print(f"{time.strftime('%H:%M:%S')} {name}: {len(tally.failed)} of {len(tally.answers)} failed", flush=True)
    for sentence in failures(tally):
        print(f"    {sentence}", flush=True)
    return Outcome(name, tally, update)


def main() -> int:
    with lab("bench-load", managers="3", workers="1", release="trixie") as inventory:
        home = Home(inventory, RATE, REQUESTS)
        prepare(home)
        rows = played(home, ROWS)
        no_twin(home)
        home.requests = FEWER
        deaths, sides = died(home), compare(home)
    for title, outcomes in (("No request may fail", rows), ("Nodes that die", deaths)):
        print(f"\n{title}\n")
        show(HEADINGS, [line(outcome.name, outcome.tally) for outcome in outcomes])
    late = [(outcome.name, f"{seconds:.2f} s") for outcome in rows for seconds in outcome.late]
    print("\nFor how long new requests still went to the version that had lost them\n")
    show(("while", "seconds"), late)
    print("\nThe same load on what Swarm does by itself\n")
    show((*HEADINGS, "the update"), [(*line(outcome.name, outcome.tally), outcome.update) for outcome in sides])
    living = [outcome.tally for outcome in deaths if not outcome.name.endswith("still")]
    aims = [
        *(Aim(f"failed: {outcome.name}", len(outcome.tally.failed), 0, fair=True) for outcome in rows),
        *(Aim(f"late: {outcome.name}", max(outcome.late), 1, " s") for outcome in rows if outcome.late),
        *(Aim(f"gap: {outcome.name}", outcome.tally.gap, 2, " s") for outcome in deaths if outcome.tally in living),
    ]
    return judge(aims)


if __name__ == "__main__":
    sys.exit(main())
