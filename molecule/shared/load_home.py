# SPDX-License-Identifier: GPL-3.0-or-later
"""The home cloud under load: what a row does to it, by playbooks and modules as its owner would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from load import Door, Load
from tally import Tally

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = ROOT / "molecule" / "load"
#: Seen from the scenario.
RELEASE = "../../playbooks/release.yml"
HOST, PLAIN_HOST = "load.home.arpa", "plain.home.arpa"
EXPOSED = {"service": "web", "port": 8000, "host": HOST}
SERVICE = "load_web"
#: The worker takes no requests.
WORKER = "worker1"
#: What answers for a host that nobody serves.
NO_VERSION = "none"


class NotDone(Exception):
    """What a row should have done was not done, or went well where it should not."""


@dataclass
class Home:
    """A lab of three ingress nodes and a worker, with the app; ``now`` is what differs from the scenario's variables."""

    inventory: Path
    rate: float
    requests: int
    now: dict[str, Any] = field(default_factory=dict)
    version: int = 1

    def under_load(self, action: Callable[[], None], host: str = HOST) -> Tally:
        load = Load(self.doors, host, self.inventory.parent / "ingress-ca.crt", self.rate)
        load.answered()
        return load.during(action, self.requests)

    @property
    def doors(self) -> list[Door]:
        return [Door(name, int(about["lab_https_port"])) for name, about in self._hosts("swarm_managers").items()]

    @property
    def managers(self) -> list[str]:
        return list(self._hosts("swarm_managers"))

    @property
    def registry(self) -> str:
        return str(yaml.safe_load(self.inventory.read_text())["all"]["vars"]["lab_registry"])

    def _hosts(self, group: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = yaml.safe_load(self.inventory.read_text())["all"]["children"][group]["hosts"]
        return found

    def apply(self, **changes: Any) -> None:
        """Change the inventory so, and run the role."""
        self.now |= changes
        ran = self.play("apps.yml", self.now)
        if ran.returncode:
            raise NotDone(ran.stdout[-6000:])

    def apply_in_vain(self, **changes: Any) -> None:
        """The same with a change that the run has to fail at, and that shall leave nothing behind."""
        ran = self.play("apps.yml", {**self.now, **changes})
        if not ran.returncode:
            raise NotDone(f"{changes} should have failed:\n{ran.stdout[-6000:]}")

    def next_version(self) -> str:
        self.version += 1
        return str(self.version)

    def module(self, host: str, name: str, /, **arguments: Any) -> str:
        """Run one module on a node."""
        ran = self._run(["ansible", host, "--module-name", name, "--args", json.dumps(arguments)])
        if ran.returncode:
            raise NotDone(f"{name} on {host}: {ran.stdout[-6000:]}")
        return ran.stdout

    def leader(self, ask: str = "") -> str:
        """The manager that leads, as one of the managers tells it."""
        told = self.command(ask or self.managers[0], "docker node ls --format '{{.Hostname}} {{.ManagerStatus}}'")
        return next(line.split()[0] for line in told.splitlines() if line.endswith("Leader"))

    def running(self, service: str = SERVICE, ask: str = "") -> list[str]:
        """Where the service's tasks run, each of them healthy."""
        lines = "docker service ps --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' "
        told = [line.split() for line in self.command(ask or self.managers[0], lines + service).splitlines()]
        return [node for node, state, *_since in told if state == "Running"]

    def update_state(self, service: str) -> str:
        """What the engine says of the service's last update."""
        template = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}"
        return self.command(self.managers[0], f"docker service inspect --format '{template}' {service}").strip()

    def ready(self, node: str, ask: str) -> bool:
        """Whether the managers see the node, and one that was a manager is reachable as such."""
        told = self.command(ask, "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'").splitlines()
        states = {name: rest for name, *rest in map(str.split, told)}
        return states[node] in (["Ready"], ["Ready", "Reachable"], ["Ready", "Leader"])

    def wait(self, what: str, seen: Callable[[], bool], seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > deadline:
                raise NotDone(f"In {seconds:.0f} s not seen: {what}")
            time.sleep(0.5)

    def command(self, host: str, command: str, text: str = "", check: bool = True) -> str:
        """Run a shell command on a node; what it prints."""
        about = yaml.safe_load(self.inventory.read_text())["all"]["vars"]
        settings = {**about, **self._hosts("swarm_managers"), **self._hosts("swarm_workers")}[host]
        ssh = ["ssh", "-p", str(settings["ansible_port"]), "-i", about["ansible_ssh_private_key_file"]]
        words = [*ssh, *about["ansible_ssh_common_args"].split(), f"{about['ansible_user']}@{about['ansible_host']}", command]
        ran = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
        if ran.returncode and check:
            raise NotDone(f"{host}: {command}: {ran.stderr or ran.stdout}")
        return ran.stdout

    def fault(self, kind: str, node: str) -> None:
        """Do this to a node, or to the lab's registry."""
        lab = [sys.executable, "molecule/lab/lab.py", "fault", kind, node, "--name", self.inventory.parent.name]
        subprocess.run(lab, cwd=ROOT, check=True, capture_output=True)

    def answers_at(self, host: str) -> Tally:
        """A few answers for the host, asked through each ingress node."""
        load = Load(self.doors, host, self.inventory.parent / "ingress-ca.crt", self.rate)
        return load.during(lambda: None, 3 * len(self.doors), tail=0)

    def stack(self, name: str) -> dict[str, Any]:
        """What stack_info says of a stack."""
        said = self.module(self.managers[0], "homecloud.swarm.stack_info", stack=name).partition("=>")[2]
        (found,) = yaml.safe_load(said)["stacks"]
        return dict(found)

    def version_at(self, host: str) -> str:
        """Which version answers for the host, asked through the first ingress node."""
        load = Load(self.doors[:1], host, self.inventory.parent / "ingress-ca.crt", self.rate)
        return str(next(iter(load.during(lambda: None, 1, tail=0).versions), NO_VERSION))

    def release(self, step: str) -> str:
        """What the playbook release says of it."""
        ran = self.play(RELEASE, {**self.now, "stack": "twin", "step": step})
        if ran.returncode:
            raise NotDone(ran.stdout[-6000:])
        return ran.stdout

    def play(
        self, playbook: str, variables: Mapping[str, Any] | None = None, check: bool = False, limit: str = "all"
    ) -> subprocess.CompletedProcess[str]:
        with self.begun(playbook, variables, check, limit) as process:
            return _ended(process)

    def begun(
        self, playbook: str, variables: Mapping[str, Any] | None = None, check: bool = False, limit: str = "all"
    ) -> subprocess.Popen[str]:
        """A playbook under way, for those who do not wait for its end."""
        given = self.now if variables is None else variables
        extra = [
            *(["--check"] if check else []),
            "--limit",
            limit,
            "--extra-vars",
            f"@{SCENARIO / 'vars' / 'load.yml'}",
            "--extra-vars",
            json.dumps(given),
        ]
        return self._begun(["ansible-playbook", *extra, str(SCENARIO / playbook)])

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        with self._begun(words) as process:
            return _ended(process)

    def _begun(self, words: list[str]) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        program, *rest = words
        return subprocess.Popen(
            [program, "--inventory", str(self.inventory), *rest],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    said, _nothing = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, said)
