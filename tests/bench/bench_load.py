"""Requests that fail while something is done to the app, the ingress or the swarm; the same load on what Swarm does by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "molecule" / "shared"):
    sys.path.insert(0, str(folder))

from bench.measure import lab, show
from load_home import SCENARIO, Home
from load_rows import ROWS
from tally import HEADINGS, Tally, failures, line

RATE, REQUESTS = 150.0, 10_000


def prepare(home: Home) -> None:
    """A swarm with the app, as the scenario has it."""
    for playbook in ("prepare.yml", "apps.yml"):
        ran = home.play(playbook)
        if ran.returncode:
            sys.exit(f"{ran.stdout}\n{SCENARIO / playbook} failed; its last task above says why.")


def measured(home: Home) -> dict[str, Tally]:
    found = {}
    for row in ROWS:
        began = time.monotonic()
        found[row.name] = home.under_load(lambda row=row: row.act(home))
        print(f"{row.name}: {time.monotonic() - began:.0f} s, {len(found[row.name].failed)} failed", flush=True)
        for sentence in failures(found[row.name]):
            print(f"    {sentence}", flush=True)
    return found


def main() -> int:
    with lab("bench-load", managers="3", workers="1", release="trixie") as inventory:
        home = Home(inventory, RATE, REQUESTS)
        prepare(home)
        found = measured(home)
    show(HEADINGS, [line(name, tally) for name, tally in found.items()])
    return int(any(tally.failed for tally in found.values()))


if __name__ == "__main__":
    sys.exit(main())
