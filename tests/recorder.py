"""Record what real engines say while services come up or fail: `recorder.py LAB [CASE...]`, into tests/unit/stack/recordings.

The lab's managers are one swarm each, so that one run records several engines:
LAB_NAME=recorder LAB_MANAGERS=3 LAB_WORKERS=0 LAB_RELEASE=bookworm,trixie,forky make lab
Services are made with Docker's own command line, so a recording shows the engine's ways and not ours. Ids are replaced, and of all
fields only those are kept that a verdict may rest on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import yaml
from pythons import ROOT

HERE = ROOT / "tests" / "unit" / "stack" / "recordings"
#: Services recorded at once, so that the machine's own slowness is not what is recorded.
AT_ONCE = 5
#: A service whose tasks fail many times a second says the same soon enough.
MOST = 24
IMAGE = "registry.lab:5000/probe:1"
BASE = "--endpoint-mode dnsrr --restart-delay 1s --stop-grace-period 0s --no-resolve-image --detach"
CHECK = "--health-interval 1s --health-timeout 1s --health-retries 2"
SLEEP = f"{IMAGE} sleep infinity"
CRASH = f"{IMAGE} sh -c 'exit 3'"
JOB = f"--mode replicated-job --restart-condition none --no-resolve-image --detach {IMAGE}"
#: case -> (options and image to create with, options to update with)
CASES: dict[str, tuple[str, str]] = {
    "first": (f"{BASE} --replicas 2 {SLEEP}", ""),
    "first_crash": (f"{BASE} {CRASH}", ""),
    "first_ends_at_once": (f"{BASE} {IMAGE} true", ""),
    "first_unhealthy": (f"{BASE} {CHECK} --health-cmd false {SLEEP}", ""),
    "first_no_image": (f"{BASE} registry.lab:5000/nosuch:1", ""),
    "first_no_node": (f"{BASE} --constraint node.labels.none==here {SLEEP}", ""),
    "first_no_memory": (f"{BASE} --reserve-memory 900G {SLEEP}", ""),
    "first_attempts_used_up": (f"{BASE} --restart-max-attempts 1 {CRASH}", ""),
    "global": (f"{BASE} --mode global {SLEEP}", ""),
    "one_shot": (f"{BASE} --restart-condition none {IMAGE} true", ""),
    "job": (f"{JOB} true", ""),
    "job_fails": (f"{JOB} sh -c 'exit 3'", ""),
    "update": (f"{BASE} --replicas 2 --update-monitor 5s {SLEEP}", "--env-add NEW=1"),
    "update_paused": (f"{BASE} --replicas 2 --update-monitor 5s {SLEEP}", "--args 'sh -c \"exit 3\"'"),
    "update_rolled_back": (
        f"{BASE} --replicas 2 --update-monitor 5s --rollback-monitor 2s --update-failure-action rollback {SLEEP}",
        "--args 'sh -c \"exit 3\"'",
    ),
    "update_continues": (f"{BASE} --update-monitor 5s --update-failure-action continue {SLEEP}", "--args 'sh -c \"exit 3\"'"),
    "update_scale_only": (f"{BASE} {SLEEP}", "--replicas 2"),
    "update_of_a_one_shot": (f"{BASE} --restart-condition none --update-monitor 5s {IMAGE} true", "--env-add NEW=1"),
}

#: Runs on the node: makes all services, updates them, and prints a line for each poll in which something was different.
AGENT = """
import json, subprocess, sys, threading, time
import docker
cases = json.load(sys.stdin)
engine = docker.APIClient(version="auto", timeout=60)
began, written = {}, {}
def read(path, **query):
    return engine.get(engine._url(path), params=query).json()
def run(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
def make(case, options):
    run(f"docker service rm {case} >/dev/null 2>&1; docker service create --name {case} {options}")
def begin():
    for case, (create, update) in cases.items():
        began[case] = time.time()
        if update:
            run(f"docker service update --detach --no-resolve-image {update} {case}")
        else:
            make(case, create)
        written[case] = time.time()
run("docker info --format '{{.Swarm.LocalNodeState}}' | grep -qx active || docker swarm init --advertise-addr eth0")
for case, (create, update) in cases.items():
    if update:
        make(case, create)
time.sleep(10)
beginning = threading.Thread(target=begin)
beginning.start()
stop = time.time() + 60
while time.time() < stop:
    now = time.time()
    services, tasks = read("/services"), read("/tasks", filters='{"_up-to-date": ["true"]}')
    print(json.dumps({"now": now, "services": services, "tasks": tasks, "nodes": read("/nodes")}), flush=True)
    time.sleep(0.5)
beginning.join()
print(json.dumps({"engine": engine.version()["Version"], "began": began, "written": written}))
for case in cases:
    run(f"docker service rm {case}")
"""

KEPT = {
    "service": ("ID", "Spec.Name", "Spec.Mode", "Spec.UpdateConfig", "Spec.TaskTemplate.RestartPolicy", "Spec.TaskTemplate.Placement")
    + ("Spec.TaskTemplate.ContainerSpec.Healthcheck", "UpdateStatus", "JobStatus"),
    "task": ("ID", "ServiceID", "Slot", "NodeID", "DesiredState", "CreatedAt", "UpdatedAt", "JobIteration")
    + ("Status.State", "Status.Err", "Status.ContainerStatus.ExitCode"),
    "node": ("ID", "Spec.Role", "Spec.Availability", "Spec.Labels", "Status.State", "Description.Hostname", "Description.Platform"),
}


def main() -> None:
    folder = ROOT / ".lab" / sys.argv[1]
    inventory = yaml.safe_load((folder / "inventory.yml").read_text())["all"]["children"]["swarm_managers"]["hosts"]
    for host in inventory.values():
        wanted = sys.argv[2:] or list(CASES)
        for first in range(0, len(wanted), AT_ONCE):
            names = wanted[first : first + AT_ONCE]
            write(names, record(folder, host["ansible_port"], {name: CASES[name] for name in names}))


def record(folder: Any, port: int, cases: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    command = ["ssh", "-p", str(port), "-i", folder / "id_ed25519", "-o", f"UserKnownHostsFile={folder / 'known_hosts'}", "root@127.0.0.1"]
    subprocess.run([*command, "cat > /tmp/agent.py"], input=AGENT, text=True, check=True)
    found = subprocess.run([*command, "python3 /tmp/agent.py"], input=json.dumps(cases), text=True, check=True, capture_output=True)
    return [json.loads(line) for line in found.stdout.splitlines()]


def write(cases: list[str], lines: list[dict[str, Any]]) -> None:
    *snapshots, about = lines
    folder = HERE / ".".join(about["engine"].split("+")[0].split(".")[:2])
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        names: dict[str, str] = {}
        seen = [snapshot for snapshot in snapshots if snapshot["now"] > about["written"][case]]
        polls = list(islice(changes(case, seen, names), MOST))
        # when somebody looked, as what is seen may be old by the next look
        ended = polls[-1]["now"] if len(polls) == MOST else seen[-1]["now"]
        looks = [round(snapshot["now"], 1) for snapshot in seen if snapshot["now"] <= ended]
        recording = {"began": round(about["began"][case], 1), "looks": looks, "polls": polls}
        (folder / f"{case}.json").write_text(json.dumps(recording, separators=(",", ":")).replace("},{", "},\n{") + "\n")
        print(f"{folder.name} {case}: {len(polls)} polls", flush=True)


def changes(case: str, snapshots: list[dict[str, Any]], names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The polls in which something about one case is new."""
    last = None
    for snapshot in snapshots:
        service = next((item for item in snapshot["services"] if item["Spec"]["Name"] == case), None)
        if service is None:
            # not made yet
            continue
        found = {
            "services": [kept("service", service)],
            "tasks": [kept("task", task) for task in snapshot["tasks"] if task["ServiceID"] == service["ID"]],
            "nodes": [kept("node", node) for node in snapshot["nodes"]],
        }
        found["tasks"].sort(key=lambda task: (task["CreatedAt"], task["ID"]))
        nameless = anonymous(found, names)
        if nameless != last:
            last = nameless
            yield {"now": round(snapshot["now"], 1), **nameless}


def kept(sort: str, item: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for path in KEPT[sort]:
        *above, name = path.split(".")
        found, place = item, out
        for part in above:
            found, place = found.get(part) or {}, place.setdefault(part, {})
        if name in found:
            place[name] = found[name]
    return out


def anonymous(value: Any, names: dict[str, str], key: str = "") -> Any:
    """Ids become id1, id2 and so on; hostnames too."""
    if isinstance(value, dict):
        return {name: anonymous(item, names, name) for name, item in value.items()}
    if isinstance(value, list):
        return [anonymous(item, names) for item in value]
    if key in ("ID", "ServiceID", "NodeID", "Hostname"):
        return names.setdefault(value, f"id{len(names) + 1}")
    if key == "Message":
        return " ".join(names.get(word, word) for word in value.split())
    return value


if __name__ == "__main__":
    main()
