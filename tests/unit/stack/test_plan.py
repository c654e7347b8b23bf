# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as tables: what is there, what is wanted, which steps lead from one to the other."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._actual import Actual
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired
from ansible_collections.homecloud.swarm.plugins.module_utils._diff import drawn
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import IMAGE, NAMESPACE, Kind, Plan, Sort
from ansible_collections.homecloud.swarm.plugins.module_utils._plan import Intent, compare, removal
from ansible_collections.homecloud.swarm.plugins.module_utils._verifier import VERIFIER, make_verifier

STACK = {NAMESPACE: "s"}


def spec(
    name: str = "web", image: str = "nginx:1", ports: tuple[int, ...] = (), mode: str = "Replicated", **container: Any
) -> dict[str, Any]:
    return {
        "Name": f"s_{name}",
        "Labels": {**STACK, IMAGE: image},
        "Mode": {mode: {}},
        "EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": port} for port in ports]} if ports else {},
        "TaskTemplate": {
            "ContainerSpec": {"Image": image, **container},
            "Networks": [{"Target": "s_default", "Aliases": [name]}],
            "ForceUpdate": 0,
        },
    }


def live(wanted: dict[str, Any]) -> dict[str, Any]:
    template = {**wanted["TaskTemplate"], "Networks": [{"Target": "id-net", "Aliases": wanted["TaskTemplate"]["Networks"][0]["Aliases"]}]}
    return {"ID": f"id-{wanted['Name']}", "Version": {"Index": 7}, "Spec": {**wanted, "TaskTemplate": template}}


def desired(*services: dict[str, Any], secrets: tuple[str, ...] = (), configs: tuple[str, ...] = ()) -> Desired:
    return Desired(
        stack="s",
        networks={"s_default": {"Name": "s_default", "Driver": "overlay", "Labels": STACK}},
        secrets={f"s_{key}": {"Name": f"s_{key}", "Labels": STACK} for key in secrets},
        configs={f"s_{key}": {"Name": f"s_{key}", "Labels": STACK} for key in configs},
        secret_keys={f"s_{key}": key for key in secrets},
        config_keys={f"s_{key}": key for key in configs},
        services={service["Name"]: service for service in services},
        order=tuple(service["Name"] for service in services),
    )


def actual(*services: dict[str, Any], secrets: dict[str, Any] | None = None, configs: dict[str, Any] | None = None) -> Actual:
    network = {"Id": "id-net", "Name": "s_default", "Driver": "overlay", "Labels": STACK}
    return Actual(
        networks={"s_default": network},
        secrets=secrets or {},
        configs=configs or {},
        services={service["Name"]: live(service) for service in services},
        network_ids={"s_default": "id-net"},
    )


def steps(plan: Plan) -> list[tuple[str, str, str]]:
    return [(step.kind.value, step.sort.value, step.name) for step in plan.steps]


def secret(label: str | None) -> dict[str, Any]:
    labels = STACK if label is None else {**STACK, VERIFIER: label}
    return {"s_pw": {"ID": "id-pw", "Version": {"Index": 3}, "Spec": {"Name": "s_pw", "Labels": labels}}}


def config(content: bytes) -> dict[str, Any]:
    data = base64.b64encode(content).decode()
    return {"s_conf": {"ID": "id-conf", "Version": {"Index": 3}, "Spec": {"Name": "s_conf", "Labels": STACK, "Data": data}}}


HUSH = Intent({(Sort.SECRET, "pw"): b"hush"})
CONF = Intent({(Sort.CONFIG, "conf"): b"a: 1"})
SALT = b"0" * 16


@pytest.mark.parametrize(
    ("wanted", "found", "intent", "expected"),
    [
        (
            desired(spec()),
            Actual(),
            Intent(),
            [("create", "network", "s_default"), ("create", "service", "s_web")],
        ),
        (desired(spec()), actual(spec()), Intent(), []),
        (desired(spec(Env=["A=2"])), actual(spec(Env=["A=1"])), Intent(), [("update", "service", "s_web")]),
        (desired(spec(mode="Global")), actual(spec()), Intent(), [("replace", "service", "s_web")]),
        (desired(spec()), actual(spec(), spec("old")), Intent(), []),
        (desired(spec()), actual(spec(), spec("old")), Intent(prune=True), [("remove", "service", "s_old")]),
        (desired(secrets=("pw",)), actual(), HUSH, [("create", "secret", "s_pw")]),
        (desired(secrets=("pw",)), actual(secrets=secret(make_verifier(b"hush", SALT))), HUSH, []),
        (desired(secrets=("pw",)), actual(secrets=secret(make_verifier(b"was", SALT))), HUSH, [("replace", "secret", "s_pw")]),
        (desired(secrets=("pw",)), actual(secrets=secret(None)), HUSH, [("adopt", "secret", "s_pw")]),
        (desired(configs=("conf",)), actual(configs=config(b"a: 1")), CONF, []),
        (desired(configs=("conf",)), actual(configs=config(b"a: 2")), CONF, [("replace", "config", "s_conf")]),
    ],
)
def test_steps(wanted: Desired, found: Actual, intent: Intent, expected: list[tuple[str, str, str]]) -> None:
    assert steps(compare(wanted, found, intent)) == expected


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        # the port moves from b to a: b has to give it up first, although a comes first by name
        ((spec("a", ports=(80,)), spec("b")), (spec("a"), spec("b", ports=(80,))), ["s_b", "s_a"]),
        # a service that goes away frees the port for a new one
        ((spec("a", ports=(80,)),), (spec("z", ports=(80,)),), ["s_z", "s_a"]),
        # nothing is freed that anyone wants: removals come last
        ((spec("b"),), (spec("a", ports=(80,)),), ["s_b", "s_a"]),
    ],
)
def test_whoever_frees_a_port_goes_first(wanted: tuple[Any, ...], found: tuple[Any, ...], expected: list[str]) -> None:
    plan = compare(desired(*wanted), actual(*found), Intent(prune=True))
    assert [step.name for step in plan.steps] == expected


def test_dependencies_come_first() -> None:
    wanted = Desired("s", services={"s_a": spec("a"), "s_z": spec("z")}, order=("s_z", "s_a"))
    assert [step.name for step in compare(wanted, Actual(), Intent()).steps] == ["s_z", "s_a"]


@pytest.mark.parametrize(
    ("file_image", "live_image", "pinned", "expected"),
    [
        ("nginx:1", "nginx:1@sha256:aa", {}, None),
        ("nginx:1", "nginx:1@sha256:aa", {"nginx:1": ("nginx:1@sha256:aa", [])}, None),
        ("nginx:1", "nginx:1@sha256:aa", {"nginx:1": ("nginx:1@sha256:bb", [])}, "nginx:1@sha256:bb"),
        ("nginx:2", "nginx:1@sha256:aa", {}, "nginx:2"),
    ],
)
def test_image(file_image: str, live_image: str, pinned: dict[str, Any], expected: str | None) -> None:
    running = spec(image="nginx:1")
    running["TaskTemplate"]["ContainerSpec"]["Image"] = live_image
    plan = compare(desired(spec(image=file_image)), actual(running), Intent(pinned=pinned))
    sent = [step.body["TaskTemplate"]["ContainerSpec"]["Image"] for step in plan.steps]
    assert sent == ([expected] if expected else [])


def test_a_forced_update_is_not_undone() -> None:
    running = spec()
    running["TaskTemplate"]["ForceUpdate"] = 3
    assert not compare(desired(spec()), actual(running), Intent())


def test_a_network_of_someone_else_is_refused() -> None:
    with pytest.raises(RefusedError, match="'s_default' exists but does not belong to stack 's'"):
        compare(desired(spec()), Actual(network_ids={"s_default": "x"}), Intent())


def test_drawn_in_the_words_of_the_file() -> None:
    plan = compare(desired(spec(Env=["A=1", "TAG=2"], Args=["x"])), actual(spec(Env=["TAG=1", "A=1"])), Intent())
    assert drawn(plan) == (
        "~ service s_web: update, restarts 1 task\n    services.web.command: (absent) -> ['x']\n    services.web.environment.TAG: 1 -> 2\n"
    )


def test_a_new_image_is_told_once() -> None:
    plan = compare(desired(spec(image="nginx:2")), actual(spec()), Intent())
    assert [change.path for change in plan.steps[0].changes] == ["services.web.image"]


def test_another_spelling_of_the_same_image_is_told() -> None:
    wanted = spec()
    wanted["Labels"] = {**wanted["Labels"], IMAGE: "nginx"}
    plan = compare(desired(wanted), actual(spec()), Intent(pinned={"nginx": ("nginx:1", [])}))
    assert [change.path for change in plan.steps[0].changes] == [f"services.web.deploy.labels.{IMAGE}"]
    assert plan.steps[0].restarts == 0


def test_a_secret_is_never_drawn() -> None:
    plan = compare(desired(secrets=("pw",)), actual(secrets=secret(make_verifier(b"was", SALT))), HUSH)
    assert "hush" not in drawn(plan)
    assert Kind.REPLACE is plan.steps[0].kind


def test_adopting_is_no_change() -> None:
    plan = compare(desired(secrets=("pw",)), actual(secrets=secret(None)), HUSH)
    assert plan
    assert not plan.changed


def test_removal_takes_users_before_what_they_use() -> None:
    plan = removal(actual(spec(), secrets=secret(None), configs=config(b"")), "s")
    assert [step.sort.value for step in plan.steps] == ["service", "secret", "config", "network"]
