# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking turns with the node's own CLI: what one has deployed, the other finds as it wants it, and no task restarts.

A stack with running tasks, and then every stack file at hand (our own fixtures, and the folder that STACK_CORPUS names) without tasks.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Loaded, Source
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired, convert
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import SwarmError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Kind, Outcome
from differential.test_corpus import trials
from differential.test_fixtures import VARIABLES
from driver import Driver, eventually

HERE = Path(__file__).parent
FIXTURES = HERE.parents[2] / "tests" / "differential" / "fixtures" / "equal"
CORPUS = os.environ.get("STACK_CORPUS", "")
#: Stack files of others that have to take turns on each engine, when there are any; more are tried in a full run.
ENOUGH = 30
#: The CLI of the oldest engine wants to be told a version.
VERSION_OPTIONAL = (1, 42)


def nothing_to_do(outcome: Outcome) -> bool:
    """A secret that the CLI has made gets our verifier, which is no change."""
    return not outcome.changed and all(step["action"] == Kind.ADOPT.value for step in outcome.values["plan"])


@pytest.fixture
def folder(driver: Driver) -> Iterator[Path]:
    """One that has the same path here and on the node, because relative paths of a file become absolute ones."""
    with tempfile.TemporaryDirectory(prefix="turns-") as name:
        yield Path(name)
        driver.node.check("rm", "-rf", name)


def test_with_running_tasks(driver: Driver, folder: Path) -> None:
    there = Path(shutil.copytree(HERE / "stacks", folder / "stacks"))
    driver.node.copy(there)
    variables = {"REGISTRY": driver.node.registry, "TAG": "1"}
    file = there / "everything.yml"
    cli = ("docker", "stack", "deploy", "--compose-file", str(file), "turns")
    loaded = load([Source.file(file.name, file.read_text(), str(there))], variables, lambda path: Path(path).read_bytes())

    driver.node.check(*cli, env=variables)
    eventually(lambda: sum(map(len, driver.tasks("turns").values())), lambda count: count == 4)
    specs, tasks = driver.specs("turns"), driver.tasks("turns")
    assert nothing_to_do(driver.stack("turns", loaded, check=True))
    assert nothing_to_do(driver.stack("turns", loaded))
    assert (driver.specs("turns"), driver.tasks("turns")) == (specs, tasks)

    assert driver.remove("turns").changed
    driver.stack("turns", loaded)
    specs, tasks = driver.specs("turns"), driver.tasks("turns")
    driver.node.check(*cli, env=variables)
    assert driver.specs("turns") == specs
    driver.node.check("docker", "service", "update", "--quiet", "--force", "turns_last")
    now = driver.tasks("turns")
    assert not now.pop("last") & tasks.pop("last")
    assert now == tasks
    # the CLI has erased our labels of the secret that we had made; the history remembers them
    assert driver.stack("turns", loaded, check=True).values["plan"] == []
    driver.remove("turns", volumes=True)


@dataclass(frozen=True)
class Idle:
    """A stack file whose services have no tasks, as both sides read it."""

    name: str
    file: Path
    loaded: Loaded
    desired: Desired
    variables: Mapping[str, str]


def test_without_tasks(driver: Driver, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = bool(os.environ.get("TEST_FULL"))
    ours = prepared(driver, sorted(FIXTURES.glob("*.yml")), folder / "ours", [VARIABLES])
    theirs = prepared(driver, sorted(Path(CORPUS).glob("*.yml")), folder / "theirs") if CORPUS else iter(())
    results: Counter[str] = Counter()
    differing: list[str] = []
    for origin, stacks in (("own fixture", ours), ("stack file", theirs)):
        for number, stack in enumerate(stacks):
            result, details = take_turns(driver, stack, f"t{origin[0]}{number}")
            results[f"{origin}: {result}"] += 1
            differing += [f"{stack.name}: {result}: {details}"] if result.startswith("differs") else []
            if not full and origin == "stack file" and results["stack file: took turns"] == ENOUGH:
                break
    with capsys.disabled():
        print(f"\n{driver.node.name}, API {driver.api[0]}.{driver.api[1]}")
        print("".join(f"  {count:3} {what}\n" for what, count in sorted(results.items())), end="")
    assert not differing, "\n".join(differing)
    assert results["own fixture: took turns"] > 0
    assert not CORPUS or results["stack file: took turns"] >= ENOUGH


def prepared(driver: Driver, files: Iterable[Path], folder: Path, variables: Iterable[Mapping[str, str]] | None = None) -> Iterator[Idle]:
    """Those that we can read; files that they refer to are made where they are missing."""
    for file in files:
        there = folder / file.stem
        shutil.copytree(file.parent, there) if file.is_relative_to(FIXTURES) else there.mkdir(parents=True)
        copy = there / file.name
        copy.write_text(without_tasks(file.read_text(), with_version=driver.api < VERSION_OPTIONAL))

        def read(path: str, there: Path = there) -> bytes:
            if not Path(path).exists() and Path(path).is_relative_to(there):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text("A=1\n")
            return Path(path).read_bytes()

        for trial in variables or trials(file.read_text()):
            try:
                loaded = load([Source.file(file.name, copy.read_text(), str(there))], trial, read)
                yield Idle(file.stem, copy, loaded, convert(loaded.project, "t"), trial)
                break
            except (SwarmError, OSError):
                continue


def without_tasks(text: str, with_version: bool) -> str:
    """No replicas, or where there are none to be set a constraint that no node meets. Every scalar stays as it was written."""
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    for service in entries(child(root, "services")):
        deploy = child(service, "deploy")
        mode = next((value.value for key, value in deploy.value if key.value == "mode"), "replicated")
        if mode == "replicated":
            put(deploy, "replicas", yaml.ScalarNode("tag:yaml.org,2002:int", "0"))
        else:
            nowhere = yaml.ScalarNode("tag:yaml.org,2002:str", "node.labels.disk == none")
            put(child(deploy, "placement"), "constraints", yaml.SequenceNode("tag:yaml.org,2002:seq", [nowhere]))
    if with_version and not any(key.value == "version" for key, _value in root.value):
        put(root, "version", yaml.ScalarNode("tag:yaml.org,2002:str", "3.9", style='"'))
    return str(yaml.serialize(root))


def entries(node: yaml.MappingNode) -> list[yaml.MappingNode]:
    return [value for _key, value in node.value if isinstance(value, yaml.MappingNode)]


def child(node: yaml.MappingNode, name: str) -> yaml.MappingNode:
    """The mapping of that name, made where it is missing."""
    found = next((value for key, value in node.value if key.value == name), None)
    if not isinstance(found, yaml.MappingNode):
        found = yaml.MappingNode("tag:yaml.org,2002:map", [])
        put(node, name, found)
    return found


def put(node: yaml.MappingNode, name: str, value: yaml.Node) -> None:
    kept = [(key, old) for key, old in node.value if key.value != name]
    node.value = [*kept, (yaml.ScalarNode("tag:yaml.org,2002:str", name), value)]


def take_turns(driver: Driver, stack: Idle, name: str) -> tuple[str, Any]:
    """How it went, and what was different if anything was."""
    externals = make_externals(driver, stack.desired)
    driver.node.copy(stack.file.parent)
    quick: dict[str, Any] = {"resolve_image": "never", "wait": False}
    cli = ("docker", "stack", "deploy", "--resolve-image", "never", "--compose-file", str(stack.file), name)
    try:
        deployed = driver.node.run(*cli, env=dict(stack.variables))
        if deployed.returncode:
            return f"refused by this CLI or engine ({reason(deployed.stderr)})", ""
        theirs = driver.specs(name)
        outcome = driver.stack(name, stack.loaded, check=True, **quick)
        if not nothing_to_do(outcome):
            return "differs after the CLI", outcome.prepared
        if not nothing_to_do(driver.stack(name, stack.loaded, **quick)) or driver.specs(name) != theirs:
            return "differs after the CLI, when run", driver.specs(name)
        driver.remove(name)
        driver.stack(name, stack.loaded, **quick)
        ours = driver.specs(name)
        driver.node.check(*cli, env=dict(stack.variables))
        if driver.specs(name) != ours:
            return "differs after us", [(ours[key], spec) for key, spec in driver.specs(name).items() if spec != ours[key]]
        outcome = driver.stack(name, stack.loaded, check=True, **quick)
        return ("took turns", "") if nothing_to_do(outcome) else ("differs at the end", outcome.prepared)
    finally:
        driver.remove(name)
        for path in externals:
            driver.engine.delete(path)


def reason(stderr: str) -> str:
    """The last words of a refusal, short enough to count by."""
    return (stderr.strip().splitlines() or ["?"])[-1].rpartition("desc = ")[2][:60]


def make_externals(driver: Driver, desired: Desired) -> list[str]:
    """What the file expects to exist; where to find it."""
    made = []
    for path, names, body in (
        ("/networks", desired.external_networks, {"Driver": "overlay", "Attachable": True}),
        ("/secrets", desired.external_secrets, {"Data": "QQ=="}),
        ("/configs", desired.external_configs, {"Data": "QQ=="}),
    ):
        for name in names:
            answer = driver.engine.post(f"{path}/create", {"Name": name, **body})
            made.append(f"{path}/{answer.get('ID') or answer['Id']}")
    return made
