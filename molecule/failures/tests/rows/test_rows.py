# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the table: what the task said, and what is there now, object by object."""

from __future__ import annotations

import json
import os
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import outside
import pytest
import yaml
from managers import on

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "vars" / "rows.yml").read_text())["rows"]
ANSWERS = outside.HOME / "rows"
PLAYED = sorted(path.stem for path in ANSWERS.glob("*.json"))
RECORD = "homecloud.swarm.revision"
NAMESPACE = "com.docker.stack.namespace"

Objects = dict[str, dict[str, Any]]


def test_no_row_is_left_out() -> None:
    swarms = os.environ["FAILURES_SWARMS"].split(",")
    rows = [row for row, says in TABLE.items() if len(swarms) == 1 or says.get("everywhere")]
    assert sorted(f"{row}.{manager}" for row in rows for manager in swarms) == PLAYED


def said(played: str) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """A row's stack, its manager, what the table says of it and what came of it."""
    stack, manager = played.split(".")
    return stack, manager, TABLE[stack], json.loads((ANSWERS / f"{played}.json").read_text())


def objects(text: str) -> Objects:
    """What several `docker inspect` printed, by sort and name."""
    found: Objects = {}
    decoder = json.JSONDecoder()
    while text := text.strip():
        items, end = decoder.raw_decode(text)
        text = text[end:]
        for item in items:
            spec = item.get("Spec", item)
            sort = "service" if "TaskTemplate" in spec else "network" if "Driver" in item else "content"
            found[f"{'record' if RECORD in (spec.get('Labels') or {}) else sort} {spec['Name']}"] = item
    return found


@cache
def everything(manager: str) -> Objects:
    script = "docker {0} ls --quiet --filter label={1} | xargs --no-run-if-empty docker {0} inspect"
    sorts = ("service", "network", "secret", "config")
    return objects(on(manager).check_output("; ".join(script.format(sort, NAMESPACE) for sort in sorts)))


def live(stack: str, manager: str) -> Objects:
    """All that has the stack's label now."""
    found = everything(manager)
    return {name: item for name, item in found.items() if (item.get("Spec", item).get("Labels") or {}).get(NAMESPACE) == stack}


def without_records(found: Objects) -> Objects:
    return {name: item for name, item in found.items() if not name.startswith("record ")}


@cache
def replicas(manager: str) -> dict[str, str]:
    """Every service of the swarm -> "running/wanted"."""
    lines = on(manager).check_output("docker service ls --format '{{.Name}} {{.Replicas}}'").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


@pytest.mark.parametrize("played", PLAYED)
def test_it_says_what_happened(played: str) -> None:
    stack, _manager, says, came = said(played)
    expect, done = says.get("expect"), came["done"]
    if not expect:
        assert {service["verdict"] for service in done["services"]} == {"converged"}
        return
    failures = {failure["service"].removeprefix(f"{stack}_"): failure for failure in done.get("failures", [])}
    verdicts = expect.get("verdicts", {})
    assert failures.keys() == verdicts.keys()
    assert all(failures[name]["verdict"] in wanted.split("|") for name, wanted in verdicts.items()), failures
    assert [word for word in expect["words"] if word not in done["msg"]] == [], done["msg"]
    assert [word for word in expect.get("without", []) if word in json.dumps(done)] == []
    assert done.get("rollback") == expect.get("rollback")
    assert done.get("changed", False) is expect.get("changed", "rollback" in expect)


@pytest.mark.parametrize("played", [played for played in PLAYED if "verdicts" in TABLE[played.split(".")[0]].get("expect", {})])
def test_it_shows_why(played: str) -> None:
    _stack, _manager, says, came = said(played)
    expect = says["expect"]
    for failure in came["done"]["failures"]:
        assert failure["task"]
        assert failure["task"][:12] in came["done"]["msg"]
        if "exit_code" in expect:
            assert (failure["exit_code"], bool(failure["node"])) == (expect["exit_code"], True)
            assert failure["node"] in came["done"]["msg"]
        if "node" in expect:
            assert failure["node"] == expect["node"]


@pytest.mark.parametrize("played", [played for played in PLAYED if TABLE[played.split(".")[0]]["end"] in ("old", "first")])
def test_it_is_as_before_object_by_object(played: str) -> None:
    stack, manager, says, came = said(played)
    before, now = (without_records(found) for found in (objects(came[says["end"]]), live(stack, manager)))
    assert now.keys() == before.keys()
    for name, item in before.items():
        assert now[name].get("Spec", name) == item.get("Spec", name)
        assert name.startswith("service") or now[name].get("ID", now[name].get("Id")) == item.get("ID", item.get("Id"))


@pytest.mark.parametrize("played", [played for played in PLAYED if TABLE[played.split(".")[0]]["end"] == "nothing"])
def test_nothing_is_left(played: str) -> None:
    stack, manager, _says, _came = said(played)
    assert live(stack, manager) == {}


@pytest.mark.parametrize("played", [played for played in PLAYED if TABLE[played.split(".")[0]]["end"] in ("new", "left")])
def test_it_is_what_was_asked_for(played: str) -> None:
    stack, manager, says, _came = said(played)
    services = {name: item["Spec"] for name, item in live(stack, manager).items() if name.startswith("service")}
    assert services.keys() == {f"service {stack}_{key}" for key in says["then"]["services"]}
    for key, service in says["then"]["services"].items():
        container = services[f"service {stack}_{key}"]["TaskTemplate"]["ContainerSpec"]
        assert container["Args"] == service["command"]
        assert container.get("Env", []) == [f"{name}={value}" for name, value in service.get("environment", {}).items()]


@pytest.mark.parametrize("played", [played for played in PLAYED if TABLE[played.split(".")[0]]["end"] in ("old", "first", "new")])
def test_every_service_runs(played: str) -> None:
    stack, manager, says, _came = said(played)
    for name, item in live(stack, manager).items():
        key = name.partition(f"{stack}_")[2]
        mode = item.get("Spec", {}).get("Mode", {})
        ends = "ReplicatedJob" in mode or says.get("then", {}).get("services", {}).get(key, {}).get("deploy", {}).get(
            "restart_policy", {}
        ).get("condition")
        if name.startswith("service") and not ends and key in says.get("whole", [key]):
            running, _slash, wanted = replicas(manager)[f"{stack}_{key}"].partition("/")
            assert running == wanted, name


@pytest.mark.parametrize("played", [played for played in PLAYED if "client" in TABLE[played.split(".")[0]]])
def test_a_client_gets_the_old_version(played: str) -> None:
    _stack, manager, says, _came = said(played)
    hosts = yaml.safe_load(outside.INVENTORY.read_text())["all"]["children"]["swarm_managers"]["hosts"]
    answers = set()
    for settings in hosts.values():
        try:
            with urllib.request.urlopen(f"http://{settings['lab_address']}:{says['client']}/", timeout=5) as answer:
                answers.add(answer.read().decode().strip())
        except OSError:
            # a single replica is on one node only
            continue
    assert answers == {"one"}, manager
