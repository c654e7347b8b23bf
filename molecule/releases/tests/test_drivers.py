# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and configs that somebody else fills in: the engine for each task (golang), or a plugin that has the value."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import outside
import pytest
from access import Node
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import NotConvergedError
from driver import Driver

STACK = "filled"


def idle(driver: Driver) -> dict[str, Any]:
    here = [f"node.hostname == {driver.node.name}"]
    deploy = {"endpoint_mode": "dnsrr", "placement": {"constraints": here}, "update_config": {"monitor": "1s", "parallelism": 0}}
    return {"image": driver.image(), "command": ["sleep", "infinity"], "stop_signal": "SIGKILL", "deploy": deploy}


def templated(driver: Driver) -> dict[str, Any]:
    web = {**idle(driver), "environment": {"WHO": "me"}, "secrets": ["told"], "configs": [{"source": "motd", "target": "/motd"}]}
    return {
        "services": {"web": web},
        "secrets": {"told": {"environment": "TOLD", "template_driver": "golang"}},
        "configs": {"motd": {"content": "${MOTD}", "template_driver": "golang"}},
    }


def deploy(driver: Driver, config: str, secret: str, *, check: bool = False) -> Any:
    loaded = driver.load(templated(driver), {"MOTD": config, "TOLD": secret})
    return driver.stack(STACK, loaded, check=check, resolve_image="never")


def read(driver: Driver, *paths: str) -> tuple[str, ...]:
    """What the service's container has there."""
    service = driver.service(STACK, "web")["ID"]
    find = f"docker ps --quiet --filter label=com.docker.swarm.service.id={service}"
    return tuple(driver.node.check("sh", "-c", f"docker exec $({find}) cat {path}") for path in paths)


@pytest.fixture(autouse=True)
def clean(driver: Driver) -> Iterator[None]:
    yield
    driver.remove(STACK)


def test_templates_rotate_and_come_back(driver: Driver) -> None:
    first, second = ("on {{ .Task.Slot }}", 'for {{ env "WHO" }}'), ("in {{ .Service.Name }}", 'of {{ env "WHO" }}')
    filled = {first: ("on 1", "for me"), second: (f"in {STACK}_web", "of me")}
    for templates in (first, second):
        foretold = deploy(driver, *templates, check=True)
        done = deploy(driver, *templates)
        assert foretold.values["plan"] == done.values["plan"]
        assert read(driver, "/motd", "/run/secrets/told") == filled[templates]
        with driver.ear.heard():
            assert not deploy(driver, *templates).changed
            assert not deploy(driver, *templates, check=True).changed
        assert driver.ear.writes() == []
    specs = [driver.engine.get(f"/{path}/{STACK}_{key}.v2")["Spec"] for path, key in (("secrets", "told"), ("configs", "motd"))]
    assert [spec["Templating"] for spec in specs] == [{"Name": "golang"}] * 2
    foretold = driver.roll_back(STACK, 1, check=True)
    done = driver.roll_back(STACK, 1)
    assert foretold.values["plan"] == done.values["plan"]
    assert read(driver, "/motd", "/run/secrets/told") == filled[first]


# A plugin as the leader asks it for each task.
PLUGIN = """
import base64, http.server, json, os, socketserver, sys, threading
path = "/run/docker/plugins/homevault.sock"
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        says = {"Implements": ["secretprovider"]}
        if self.path != "/Plugin.Activate":
            value = asked["SecretName"] + " for " + asked["ServiceName"]
            says = {"Value": base64.b64encode(value.encode()).decode()}
        body = json.dumps(says).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def address_string(self):
        return "engine"
    def log_message(self, *words):
        pass
os.makedirs(os.path.dirname(path), exist_ok=True)
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
server = Server(path, Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
os.unlink(path)
"""


@pytest.fixture
def plugin(driver: Driver, tmp_path: Path) -> Iterator[None]:
    """On every node, as any may lead."""
    with contextlib.ExitStack() as stack:
        for node in outside.nodes():
            (folder := tmp_path / node.name).mkdir()
            process = stack.enter_context(Node(node.name, folder).start("python3", "-c", PLUGIN))
            assert process.stdin
            assert process.stdout
            stack.callback(process.stdin.close)
            assert process.stdout.readline() == "ready\n"
        yield


def held(driver: Driver, entry: dict[str, Any], *, check: bool = False) -> Any:
    web = {**idle(driver), "secrets": ["told"]}
    file = {"services": {"web": web}, "secrets": {"told": entry}}
    return driver.stack(STACK, file, check=check, resolve_image="never")


def test_a_plugin_has_the_value(driver: Driver, plugin: None) -> None:
    first, second = ({"driver": "homevault", "driver_opts": {"path": path}} for path in ("one", "two"))
    for entry, name in ((first, f"{STACK}_told"), (second, f"{STACK}_told.v2")):
        foretold = held(driver, entry, check=True)
        done = held(driver, entry)
        assert foretold.values["plan"] == done.values["plan"]
        assert read(driver, "/run/secrets/told") == (f"{name} for {STACK}_web",)
        assert driver.engine.get(f"/secrets/{name}")["Spec"]["Driver"] == {"Name": "homevault", "Options": entry["driver_opts"]}
        with driver.ear.heard():
            assert not held(driver, entry).changed
            assert not held(driver, entry, check=True).changed
        assert driver.ear.writes() == []
    labels = {"labels": {"of": "ours"}}
    labelled = held(driver, {**second, **labels})
    assert [(step["action"], step["type"]) for step in labelled.values["plan"]] == [("update", "secret")]
    assert driver.engine.get(f"/secrets/{STACK}_told.v2")["Spec"]["Labels"]["of"] == "ours"
    assert not held(driver, {**second, **labels}).changed
    driver.roll_back(STACK, 1)
    assert read(driver, "/run/secrets/told") == (f"{STACK}_told for {STACK}_web",)


def test_a_plugin_that_is_not_there_is_named(driver: Driver, full: bool) -> None:
    if not full:
        pytest.skip("the engine looks for the plugin for 15 s; `make test-full` plays it")
    said = r'Secret filled_told could not be created.*plugin "nowhere" not found; install that plugin on every manager'
    with pytest.raises(NotConvergedError, match=said):
        held(driver, {"driver": "nowhere"})
    assert not driver.services(STACK)
