"""Requests that fail while something is done to the app, the ingress or the swarm; the same load on what Swarm does by itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "molecule" / "shared"))

from bench.measure import Aim, judge, lab, show
from load_compared import compared
from load_deaths import DEATHS
from load_home import HOST, SCENARIO, Home
from load_rows import ROWS, Row
from tally import HEADINGS, Tally, failures, line

RATE, REQUESTS = 200.0, 10_000
# Where nodes die, and where nothing has to be shown but a difference.
FEWER = 3_000


@dataclass(frozen=True)
class Outcome:
    """What came of a row, and how the engine calls the app's last update."""

    name: str
    tally: Tally
    update: str = ""


def prepare(home: Home) -> None:
    """A swarm with the app, as the scenario has it."""
    for playbook in ("prepare.yml", "apps.yml"):
        ran = home.play(playbook)
        if ran.returncode:
            sys.exit(f"{ran.stdout}\n{SCENARIO / playbook} failed; its last task above says why.")


def played(home: Home, rows: Iterable[Row]) -> list[Outcome]:
    return [told(row.name, row.play(home), home.update_state("load_web" if row.host == HOST else "plain_web")) for row in rows]


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
        home.requests = FEWER
        deaths, sides = died(home), played(home, compared())
    for title, outcomes in (("No request may fail", rows), ("Nodes that die", deaths)):
        print(f"\n{title}\n")
        show(HEADINGS, [line(outcome.name, outcome.tally) for outcome in outcomes])
    print("\nThe same load on what Swarm does by itself\n")
    show((*HEADINGS, "the update"), [(*line(outcome.name, outcome.tally), outcome.update) for outcome in sides])
    living = [outcome.tally for outcome in deaths if not outcome.name.endswith("still")]
    aims = [
        *(Aim(f"failed: {outcome.name}", len(outcome.tally.failed), 0, fair=True) for outcome in rows),
        *(Aim(f"gap: {outcome.name}", outcome.tally.gap, 2, " s") for outcome in deaths if outcome.tally in living),
    ]
    return judge(aims)


if __name__ == "__main__":
    sys.exit(main())
