# SPDX-License-Identifier: GPL-3.0-or-later
"""Images from a registry that asks for a password: who may look them up and pull them, which digest runs, what a moved tag does."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from driver import Driver, eventually

#: A loopback address, which an engine trusts without a certificate.
LOCKED = "127.0.0.1:5001"
PASSWORD = "correct horse"
#: For the account "me" with that password.
HTPASSWD = "me:$2b$05$0NuqZdR3QtHQUe6V3Ws3VeAD3uk5IcJYb8mIJO7nHH/xrtYTx3Cxq"
GOOD = {"username": "me", "password": PASSWORD, "serveraddress": LOCKED}
NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def locked(driver: Driver) -> Iterator[None]:
    """The registry on the node, with four images in it that the node does not hold."""
    node = driver.node
    node.check("sh", "-c", "cat > /root/htpasswd", text=HTPASSWD)
    settings = {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "home", "AUTH_HTPASSWD_PATH": "/htpasswd"}
    env = [part for name, value in settings.items() for part in ("--env", f"REGISTRY_{name}={value}")]
    where = ("--name", "locked", "--publish", f"{LOCKED}:5000", "--volume", "/root/htpasswd:/htpasswd:ro")
    node.check("docker", "run", "--detach", *where, *env, driver.image("registry:2.8"))
    login = ("docker", "login", "--username", "me", "--password-stdin", LOCKED)
    eventually(lambda: node.run(*login, text=PASSWORD), lambda ran: not ran.returncode)
    # One connection for all of it.
    put = f"docker tag {driver.image()} {LOCKED}/$name:1 && docker push --quiet {LOCKED}/$name:1 && docker rmi {LOCKED}/$name:1"
    node.check("sh", "-ec", f"docker pull --quiet {driver.image()}; for name in {' '.join(NAMES)}; do {put}; done")
    yield
    node.check("docker", "rm", "--force", "--volumes", "locked")


def move_tag(driver: Driver, name: str) -> None:
    """Put another image there under the same tag."""
    made = driver.node.check("docker", "create", driver.image()).strip()
    driver.node.check("docker", "commit", "--change", "LABEL content=moved", made, image(name))
    driver.node.check("docker", "push", "--quiet", image(name))
    driver.node.check("docker", "rm", made)
    driver.node.check("docker", "rmi", image(name))


def image(name: str) -> str:
    return f"{LOCKED}/{name}:1"


def stack(*names: str, replicas: int = 1) -> dict[str, Any]:
    service = {"command": ["sleep", "infinity"], "stop_signal": "SIGKILL", "deploy": {"replicas": replicas, "endpoint_mode": "dnsrr"}}
    return {"services": {name: {**service, "image": image(name)} for name in names}}


def test_without_the_password_nothing_is_done(driver: Driver, locked: None) -> None:
    attempts: list[dict[str, Any]] = [
        {},
        *({"registry_auth": {**GOOD, **bad}} for bad in ({"password": "wrong"}, {"serveraddress": "elsewhere"})),
    ]
    for options in attempts:
        with driver.ear.heard(), pytest.raises(RefusedError, match=f"The image '{image('a')}' cannot be had.*registry_auth") as refused:
            driver.stack("images", stack("a"), **options)
        assert driver.ear.writes() == []
        assert "wrong" not in str(refused.value)


def test_a_digest_runs_and_a_moved_tag_follows_the_policy(driver: Driver, locked: None) -> None:
    driver.stack("images", stack("a"), registry_auth=GOOD)
    first = running_image(driver)
    assert first.startswith(f"{image('a')}@sha256:")
    move_tag(driver, "a")
    for policy in ("never", "changed"):
        assert not driver.stack("images", stack("a"), registry_auth=GOOD, resolve_image=policy, check=True).changed
    predicted = driver.stack("images", stack("a"), registry_auth=GOOD, check=True)
    tasks = driver.tasks("images")["a"]
    done = driver.stack("images", stack("a"), registry_auth=GOOD)
    assert done.values["plan"] == predicted.values["plan"]
    told = [(step["restarts"], [change["path"] for change in step["changes"]]) for step in done.values["plan"]]
    assert told == [(1, ["services.a.image"])]
    assert running_image(driver) not in (first, image("a"))
    assert not driver.tasks("images")["a"] & tasks
    assert not driver.stack("images", stack("a"), registry_auth=GOOD).changed
    driver.remove("images")


def running_image(driver: Driver) -> str:
    return str(driver.service("images", "a")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def test_changed_looks_up_what_is_new(driver: Driver, locked: None) -> None:
    driver.stack("images", stack("b", replicas=0), registry_auth=GOOD)
    with driver.ear.heard() as requests:
        driver.stack("images", stack("b", "c", replicas=0), registry_auth=GOOD, resolve_image="changed", wait=False)
        assert [path.rpartition("/distribution/")[2] for _method, path in requests if "/distribution/" in path] == [f"{image('c')}/json"]
    with driver.ear.heard() as requests:
        driver.stack("images", stack("b", "c", "d", replicas=0), registry_auth=GOOD, resolve_image="never", wait=False)
        assert not [path for _method, path in requests if "/distribution/" in path]
    assert driver.service("images", "d")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image("d")
    driver.remove("images")


def test_the_nodes_own_credentials(driver: Driver, locked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    login = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {LOCKED: {"auth": login}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(RefusedError, match="cannot be had"):
        driver.stack("images", stack("b"))
    driver.stack("images", stack("b"), with_registry_auth=True)
    driver.remove("images")


def test_images_are_looked_up_at_once(driver: Driver, locked: None) -> None:
    """No look-up is answered before all four have been asked for."""
    gate = threading.Barrier(len(NAMES), timeout=60)

    def hold(_method: str, path: str) -> None:
        if "/distribution/" in path:
            gate.wait()

    with driver.ear.heard(hold):
        driver.stack("images", stack(*NAMES, replicas=0), registry_auth=GOOD, wait=False)
    assert not gate.broken
    driver.remove("images")
