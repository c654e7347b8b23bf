# SPDX-License-Identifier: GPL-3.0-or-later
"""The password of a database is rotated while clients on every node never stop asking. The database takes both logins while it lasts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import access
import pytest
import yaml
from driver import Driver, eventually

STACK, CLIENTS = "guests", "clients"
OLD, NEW = "first-login-9f2c", "second-login-51aa"
GUESTBOOK = access.ROOT / "playbooks" / "guestbook" / "stack.yml"
# Asks a replica by its address, and another one where nobody listens, as an ingress does. Any other trouble is a failure.
CLIENT = """
import json, random, socket, time, urllib.request, urllib.error
asked = failed = 0
last = ""
while True:
    asked += 1
    until = time.monotonic() + 5
    while True:
        try:
            address = random.choice(socket.getaddrinfo("tasks.guests_web", 8000, socket.AF_INET, socket.SOCK_STREAM))[4][0]
            with urllib.request.urlopen(f"http://{address}:8000/api/entries", timeout=5) as answer:
                answer.read()
            break
        except (ConnectionRefusedError, socket.gaierror) as problem:
            pass
        except urllib.error.URLError as problem:
            if not isinstance(problem.reason, (ConnectionRefusedError, socket.gaierror)) or time.monotonic() > until:
                failed, last = failed + 1, repr(problem)
                break
        except OSError as problem:
            failed, last = failed + 1, repr(problem)
            break
        if time.monotonic() > until:
            failed, last = failed + 1, "nobody answers"
            break
    if asked % 10 == 0:
        print(json.dumps({"asked": asked, "failed": failed, "last": last}), flush=True)
    time.sleep(0.05)
"""


def deploy(driver: Driver, user: str, password: str, *, check: bool = False) -> Any:
    file: dict[str, Any] = yaml.safe_load(GUESTBOOK.read_text())
    web, database = file["services"]["web"], file["services"]["db"]
    web["environment"]["DB_USER"] = user
    web["networks"] = database["networks"] = ["default"]
    # the database keeps the login that it was made with
    database["secrets"] = [{"source": "made_with", "target": "db_password"}]
    database["deploy"]["placement"]["constraints"] = [f"node.hostname == {driver.node.name}"]
    file["secrets"] = {"db_password": {"environment": "PASSWORD"}, "made_with": {"environment": "MADE_WITH"}}
    file["networks"] = {"default": {"external": True, "name": "guests"}}
    variables = {"REGISTRY": driver.node.registry, "POSTGRES_IMAGE": driver.image("postgres:17"), "REPLICAS": "3"}
    loaded = driver.load(file, {**variables, "PASSWORD": password, "MADE_WITH": OLD})
    return driver.stack(STACK, loaded, check=check, wait_timeout=300, resolve_image="never")


def sql(driver: Driver, *statements: str) -> None:
    service = driver.service(STACK, "db")["ID"]
    container = driver.node.check("docker", "ps", "--quiet", "--filter", f"label=com.docker.swarm.service.id={service}").strip()
    commands = [word for statement in statements for word in ("--command", statement)]
    driver.node.check("docker", "exec", container, "psql", "--username", "guestbook", "--dbname", "guestbook", *commands)


def counts(driver: Driver) -> dict[str, dict[str, Any]]:
    """What each client has come to: task -> its last line."""
    tasks = driver.tasks(CLIENTS)["ask"]
    logs = {task: driver.node.check("docker", "service", "logs", "--raw", "--tail", "1", task).strip() for task in tasks}
    return {task: json.loads(line.splitlines()[-1]) for task, line in logs.items() if line}


def after_more(driver: Driver, requests: int) -> dict[str, dict[str, Any]]:
    """Every client's count when each has asked so many times more."""
    before = counts(driver)

    def enough(now: dict[str, dict[str, Any]]) -> bool:
        return len(now) == 3 and all(now[task]["asked"] >= before.get(task, {"asked": 0})["asked"] + requests for task in now)

    seen = eventually(lambda: counts(driver), enough, seconds=120)
    assert enough(seen), seen
    return seen


@pytest.fixture
def asked(driver: Driver) -> Iterator[None]:
    """The app, and a client of it on each node."""
    driver.engine.post("/networks/create", {"Name": "guests", "Driver": "overlay", "Attachable": True})
    deploy(driver, "guestbook", OLD)
    ask = {"image": driver.image(), "command": ["python3", "/client.py"], "configs": [{"source": "client", "target": "/client.py"}]}
    service = {**ask, "stop_signal": "SIGKILL", "deploy": {"mode": "global", "endpoint_mode": "dnsrr"}, "networks": ["default"]}
    file = {
        "services": {"ask": service},
        "configs": {"client": {"content": CLIENT.replace("$", "$$")}},
        "networks": {"default": {"external": True, "name": "guests"}},
    }
    driver.stack(CLIENTS, file, resolve_image="never")
    yield
    for stack in (CLIENTS, STACK):
        driver.remove(stack)
    driver.engine.delete("/networks/guests")
    driver.node.run("docker", "volume", "rm", f"{STACK}_db")


def test_a_password_is_rotated_under_load(driver: Driver, asked: None) -> None:
    before = after_more(driver, 50)
    sql(driver, f"CREATE ROLE second LOGIN PASSWORD '{NEW}' IN ROLE guestbook")
    foretold = deploy(driver, "second", NEW, check=True)
    done = deploy(driver, "second", NEW)
    assert foretold.values["plan"] == done.values["plan"]
    assert [(step["type"], step["name"], step["restarts"]) for step in done.values["plan"]] == [
        ("secret", f"{STACK}_db_password.v2", 0),
        ("service", f"{STACK}_web", 3),
    ]
    assert NEW not in f"{foretold}{done}"
    with driver.ear.heard():
        assert not deploy(driver, "second", NEW).changed
        assert not deploy(driver, "second", NEW, check=True).changed
    assert driver.ear.writes() == []
    sql(driver, "ALTER ROLE guestbook PASSWORD NULL")
    # whoever still had the old login would be sent away now
    after = after_more(driver, 50)
    print({task: (before[task]["asked"], after[task]) for task in after})
    assert {task: (count["failed"], count["last"]) for task, count in after.items()} == dict.fromkeys(after, (0, ""))
    # and these clients do notice: without any login they fail
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'second'"
    sql(driver, "ALTER ROLE second NOLOGIN", ends)
    noticed = eventually(lambda: counts(driver), lambda now: all(count["failed"] for count in now.values()), seconds=120)
    assert all(count["failed"] for count in noticed.values())
