"""What remembering costs: a run and a deploy with many revisions and versioned secrets against the same with few and none; the way back."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.bench_converge import inspected, seconds
from bench.measure import Aim, Samples, judge, lab, play, show, versions
from pythons import environment, find_python

PEER = ["--no-compile", "ansible==12.*"]
STACK, BACK = "homecloud.swarm.stack", "homecloud.swarm.stack_rollback"
SERVICES, SECRETS, REVISIONS, ROUNDS = 50, 10, 10, 5
TURNED = 10
QUIET = {"resolve_image": "never", "progress": False}


def file(tag: str, versioned: bool) -> dict[str, Any]:
    names = [f"s{number}" for number in range(SECRETS)]
    service = {"image": "registry.lab:5000/probe:1", "environment": {"TAG": tag}, "deploy": {"replicas": 0}}
    services: dict[str, Any] = {f"app{number}": dict(service) for number in range(SERVICES)}
    for number, name in enumerate(names):
        services[f"app{number}"]["secrets"] = [name]
    shared = {name: {"file": "unused"} if versioned else {"external": True} for name in names}
    return {"services": services, "secrets": shared}


def deploy(label: str, stack: str, tag: str) -> dict[str, Any]:
    """Stacks named ``versioned…`` are given values; the others use secrets that exist."""
    versioned = stack.startswith("versioned")
    values = {f"s{number}": f"value {number}" for number in range(SECRETS)} if versioned else {}
    return {"name": label, STACK: {"name": stack, "compose": [file(tag, versioned)], "secrets": values, **QUIET}}


def tasks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"name": "a swarm", "homecloud.swarm.cluster": {"state": "present"}}]
    found += [{"name": "secret", "homecloud.swarm.secret": {"name": f"s{number}", "data": "x"}} for number in range(SECRETS)]
    for stack in ("plain", "versioned_young", "versioned_old"):
        found += [deploy("fill", stack, str(tag)) for tag in range(REVISIONS if stack.endswith("old") else 1)]
    for number in range(ROUNDS):
        for stack in ("plain", "versioned_young", "versioned_old"):
            found.append(deploy(f"nothing to do | {stack}", stack, str(REVISIONS - 1 if stack.endswith("old") else 0)))
        for stack in ("versioned_old", "plain"):
            found.append(deploy(f"a deploy | {stack}", stack, f"round {number}"))
            found.append(deploy("fill", stack, str(REVISIONS - 1 if stack.endswith("old") else 0)))
    return found


def turning() -> list[dict[str, Any]]:
    """A stack of services with a task each, deployed twice and taken back."""
    service = {"image": "registry.lab:5000/probe:1", "command": ["sleep", "infinity"], "stop_grace_period": "0s"}
    found: list[dict[str, Any]] = [{"name": "the image", "ansible.builtin.command": f"docker pull {service['image']}"}]
    for tag in ("one", "two"):
        web = {**service, "environment": {"TAG": tag}, "deploy": {"endpoint_mode": "dnsrr"}}
        found.append({"name": tag, STACK: {"name": "turned", "compose": [{"services": {f"app{n}": web for n in range(TURNED)}}], **QUIET}})
    return [*found, {"name": "rollback", BACK: {"name": "turned", "revision": 1, "progress": False}}]


def updates_took(container: str) -> float:
    """Seconds from the first service's update to the end of the last one's, as the engine tells it."""
    statuses = [inspected(container, "service", f"turned_app{number}")["UpdateStatus"] for number in range(TURNED)]
    return max(seconds(status["CompletedAt"]) for status in statuses) - min(seconds(status["StartedAt"]) for status in statuses)


def record_size(container: str) -> int:
    listing = ["docker", "exec", container, "docker", "config", "ls", "--format", "{{.Name}}"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    records = [inspected(container, "config", name) for name in names if name.startswith("versioned_old.r")]
    return max(len(base64.b64decode(record["Spec"]["Data"])) for record in records)


def main() -> int:
    base = find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert base
    python = environment("bench", base, PEER)
    found: dict[str, list[float]] = defaultdict(list)
    with lab("bench-history", managers="1", workers="0", release="trixie") as inventory:
        container = "homecloud-bench-history-manager1"
        for one in play(tasks(), inventory, "manager1", python):
            found[one.name].append(one.seconds)
        size = record_size(container)
        turned = next(one.seconds for one in play(turning(), inventory, "manager1", python) if one.name == "rollback")
        engine = updates_took(container)
    timed = {name: Samples(tuple(taken)) for name, taken in found.items() if " | " in name}
    print(f"\n{versions(python)}; {SERVICES} services, {SECRETS} secrets; medians, and the fastest and slowest of each\n")
    show(("", "time"), [(name, str(samples)) for name, samples in timed.items()])
    print(f"\na record of {SERVICES} services: {size / 1024:.1f} KiB")
    print(f"a rollback of {TURNED} services: {turned:.2f} s, of which the engine's own updates take {engine:.2f} s\n")
    idle, young = timed["nothing to do | plain"].median, timed["nothing to do | versioned_young"].median
    old = timed["nothing to do | versioned_old"].median
    deployed = timed["a deploy | versioned_old"].median / timed["a deploy | plain"].median
    print(json.dumps({"versions": round(young / idle, 2), "history": round(old / young, 2), "deploy": round(deployed, 2)}))
    return judge([Aim("nothing to do, ten revisions against one", old / young, 1.5, fair=True)])


if __name__ == "__main__":
    sys.exit(main())
