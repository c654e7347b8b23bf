"""Planning a thousand services: load, convert and compare in one process, no engine."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".cache" / "collections"))

from ansible_collections.homecloud.swarm.plugins.module_utils._actual import Actual
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired, convert
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Plan, Sort
from ansible_collections.homecloud.swarm.plugins.module_utils._plan import Intent, bind, compare
from bench.measure import Aim, judge, show
from bench.stacks import CONFIG, SECRET, stack

SERVICES = 1000
CONTENTS = {(Sort.SECRET, "password"): SECRET.encode(), (Sort.CONFIG, "settings"): CONFIG.encode()}


def planned(text: str, actual: Actual) -> tuple[Desired, Plan]:
    loaded = load([Source.file("stack.yml", text, "/")], {}, lambda _path: b"")
    desired = convert(loaded.project, "shop")
    return desired, compare(desired, actual, Intent(CONTENTS))


def stored(spec: dict[str, Any]) -> dict[str, Any]:
    """A service's spec as the engine gives it back, its own defaults filled in."""
    template = spec["TaskTemplate"]
    container = {**template["ContainerSpec"], "Isolation": "default", "DNSConfig": {}}
    return {**spec, "EndpointSpec": {"Mode": "vip"}, "TaskTemplate": {**template, "ContainerSpec": container, "Runtime": "container"}}


def deployed(desired: Desired, plan: Plan) -> Actual:
    """What an engine has when the plan is carried out."""

    def live(body: Any) -> dict[str, Any]:
        called = f"id-{body['Name']}"
        return {"ID": called, "Id": called, "Version": {"Index": 7}, "Spec": body, **body}

    made = {sort: {step.name: live(step.body) for step in plan.steps if step.sort is sort} for sort in Sort}
    ids = {sort: {name: f"id-{name}" for name in made[sort]} for sort in Sort}
    there = Actual(
        networks=made[Sort.NETWORK],
        network_ids=ids[Sort.NETWORK],
        secret_ids=ids[Sort.SECRET],
        config_ids=ids[Sort.CONFIG],
    )
    names = {(sort, name): name for sort in (Sort.SECRET, Sort.CONFIG) for name in made[sort]}
    return replace(there, services={name: live(stored(bind(spec, there, names))) for name, spec in desired.services.items()})


def peak_mb() -> float:
    """The most memory this process had, interpreter included."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main() -> int:
    text, changed = stack(SERVICES), stack(SERVICES, level="debug")
    there = Actual()
    rows: list[tuple[str, str, str]] = []
    slowest = 0.0
    for what, file, steps in (("all to be created", text, SERVICES), ("nothing to do", text, 0), ("all to be updated", changed, SERVICES)):
        # Planning waits for nothing, so this is what it takes on a machine that does nothing else.
        began = time.process_time()
        desired, plan = planned(file, there)
        seconds = time.process_time() - began
        slowest = max(slowest, seconds)
        rows.append((what, f"{seconds:.2f} s", f"{peak_mb():.0f} MB"))
        found = sum(step.sort is Sort.SERVICE for step in plan.steps)
        assert found == steps, f"{what}: the plan has {found} steps for services, not {steps}"
        if not there.services:
            there = deployed(desired, plan)
    show((f"{SERVICES} services", "load, convert, compare", "most memory so far"), rows)
    return judge(
        [
            Aim(f"planning {SERVICES} services", slowest, 3, " s"),
            Aim("most memory", peak_mb(), 200, " MB", fair=True),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
