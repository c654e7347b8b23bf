"""Waiting until a stack runs: ours beside `docker stack deploy --detach=false` and community.docker's docker_stack; what a poll costs."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.measure import FILES, Aim, Samples, judge, lab, play, show, versions
from pythons import environment, find_python

# It brings community.docker; all sides run on its ansible-core.
PEER = ["--no-compile", "ansible==12.*"]
OURS, THEIRS, CLI = "homecloud.swarm.stack", "community.docker.docker_stack", "ansible.builtin.command"
SIDES = (OURS, THEIRS, CLI)
FIRST, AGAIN = "first deploy", "nothing to do"
SERVICES, ROUNDS = 10, 2
# 50 services watched for so long, at two polls a second.
WATCHED, WATCHED_S = 50, 100
NODE = "/root/converge.yml"
DEPLOY = {"endpoint_mode": "dnsrr"}
SERVICE: dict[str, Any] = {
    "image": "registry.lab:5000/probe:1",
    "command": ["sleep", "infinity"],
    "stop_grace_period": "0s",
    "deploy": DEPLOY,
}


def compose(services: int, **more: Any) -> dict[str, Any]:
    return {"version": "3.8", "services": {f"app{number}": {**SERVICE, **more} for number in range(services)}}


def task(what: str, side: str) -> dict[str, Any]:
    """The same work, waited for, in each side's words."""
    deploy = ["docker", "stack", "deploy", "--detach=false", "--resolve-image", "never", "-c", NODE, "wait"]
    works: dict[str, dict[str, Any]] = {
        OURS: {"name": "wait", "compose": [str(FILES / "converge.yml")], "resolve_image": "never", "progress": False},
        THEIRS: {"name": "wait", "compose": [NODE], "resolve_image": "never", "detach": False},
        CLI: {"argv": deploy},
    }
    return {"name": f"{what} | {side}", side: works[side]}


def remove() -> dict[str, Any]:
    return {"name": "remove", OURS: {"name": "wait", "state": "absent"}}


def rounds() -> Iterator[dict[str, Any]]:
    yield {"name": "a swarm", "homecloud.swarm.cluster": {"state": "present"}}
    yield {"name": "the file", "ansible.builtin.copy": {"src": str(FILES / "converge.yml"), "dest": NODE, "mode": "0644"}}
    yield {"name": "the image", "ansible.builtin.command": f"docker pull {SERVICE['image']}"}
    for number in range(ROUNDS):
        for side in (*SIDES[number % 3 :], *SIDES[: number % 3]):
            yield task(FIRST, side)
            yield task(AGAIN, side)
            yield remove()


def rollback() -> Iterator[dict[str, Any]]:
    """The engine takes an update back, slowly; the module is told to report that and leave it."""
    config = {"failure_action": "rollback", "monitor": "10s"}
    good = {**SERVICE, "deploy": {**DEPLOY, "replicas": 2, "update_config": config, "rollback_config": {"monitor": "20s"}}}
    bad = {**good, "command": ["false"]}
    for name, service in (("good", good), ("bad", bad)):
        works = {"name": "back", "compose": [{"services": {"web": service}}], "on_failure": "pause", "progress": False}
        yield {"name": name, OURS: works, "register": "done", "failed_when": "done is failed" if name == "good" else "done is not failed"}


def latency(container: str) -> float:
    """Seconds from the engine's status to the module's verdict, both by the swarm's own clock: when which object was last written."""
    service = inspected(container, "service", "back_web")
    record = inspected(container, "config", "back.r2")
    assert service["UpdateStatus"]["State"] == "rollback_started", "the rollback was over before it was looked at"
    assert record["Spec"]["Labels"]["homecloud.swarm.verdict"] == "failed"
    return seconds(record["UpdatedAt"]) - seconds(service["UpdatedAt"])


def inspected(container: str, sort: str, name: str) -> dict[str, Any]:
    shown = subprocess.run(["docker", "exec", container, "docker", sort, "inspect", name], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(shown.stdout)[0]
    return found


def seconds(moment: str) -> float:
    hours, minutes, rest = moment.rstrip("Z").partition("T")[2].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def node_cpu(container: str) -> float:
    """Seconds of processor time that the node's processes have used, its engine and modules included, and those that have ended."""
    told = subprocess.run(
        ["docker", "exec", container, "sh", "-c", "getconf CLK_TCK; cat /proc/[0-9]*/stat"], capture_output=True, text=True, check=True
    )
    ticks, *processes = told.stdout.splitlines()
    # behind the name: state, and from the twelfth the user and system time of the process and of its children that have ended
    times = (process.rpartition(")")[2].split()[11:15] for process in processes)
    return sum(int(time) for process in times for time in process) / int(ticks)


def controller_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watched(inventory: Path, python: Path, container: str) -> tuple[float, float]:
    """Processor seconds of controller and node for watching a stack of many services, beyond what a run that need not wait takes."""
    many = compose(WATCHED, deploy={**DEPLOY, "replicas": 0})
    # One service with a task that has to be up for long keeps the watch going.
    many["services"]["app0"] = SERVICE
    works = {"name": "many", "compose": [many], "progress": False}
    costs = []
    for stable in (0, WATCHED_S):
        before = controller_cpu(), node_cpu(container)
        play([{"name": "watch", OURS: {**works, "wait_stable": stable, "resolve_image": "never"}}], inventory, "manager1", python)
        costs.append((controller_cpu() - before[0], node_cpu(container) - before[1]))
        if stable == 0:
            # the next one finds nothing to change, but a task that is new
            subprocess.run(
                ["docker", "exec", container, "docker", "service", "update", "--force", "--detach", "many_app0"],
                check=True,
                capture_output=True,
            )
    return costs[1][0] - costs[0][0], costs[1][1] - costs[0][1]


def main() -> int:
    base = find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert base
    python = environment("bench", base, PEER)
    FILES.mkdir(parents=True, exist_ok=True)
    (FILES / "converge.yml").write_text(json.dumps(compose(SERVICES)))
    with lab("bench-converge", managers="1", workers="0", release="trixie") as inventory:
        container = "homecloud-bench-converge-manager1"
        found: dict[str, list[float]] = defaultdict(list)
        for one in play(list(rounds()), inventory, "manager1", python):
            found[one.name].append(one.seconds)
        play(list(rollback()), inventory, "manager1", python)
        late = latency(container)
        controller, node = watched(inventory, python, container)
    timed = {name: Samples(tuple(seconds)) for name, seconds in found.items() if " | " in name}
    print(f"\n{versions(python)}; waiting for {SERVICES} services; medians, and the fastest and slowest of each\n")
    show(("", *SIDES), [(what, *(str(timed[f"{what} | {side}"]) for side in SIDES)) for what in (FIRST, AGAIN)])
    polls = 2 * WATCHED_S
    print(f"\n{polls} polls of {WATCHED} services: {controller:.1f} s of the controller's processor, {node:.1f} s of the node's")
    ratios = {
        (what, side): timed[f"{what} | {OURS}"].median / timed[f"{what} | {side}"].median
        for what in (FIRST, AGAIN)
        for side in (THEIRS, CLI)
    }
    return judge(
        [
            *(Aim(f"{AGAIN}, against {side}", ratios[AGAIN, side], 0.05, fair=True) for side in (THEIRS, CLI)),
            *(Aim(f"{FIRST}, against {side}", ratios[FIRST, side], 0.4, fair=True) for side in (THEIRS, CLI)),
            Aim("a rollback is seen after the engine says it", late, 1.0, " s"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
