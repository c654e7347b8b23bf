# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: from whatever a deploy left to exactly what was there before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._actual import Actual
from ansible_collections.homecloud.swarm.plugins.module_utils._model import IMAGE, NAMESPACE, Kind, Plan, Sort, Step
from ansible_collections.homecloud.swarm.plugins.module_utils._state import State, after, between, by_rollback, captured, lost, way_back

LABELS = {NAMESPACE: "s"}


def spec(name: str, image: str = "nginx:1@sha256:old", uses: str = "s_password", **more: Any) -> dict[str, Any]:
    return {
        "Name": f"s_{name}",
        "Labels": {**LABELS, IMAGE: "nginx:1"},
        "Mode": {"Replicated": {"Replicas": 2}},
        "TaskTemplate": {
            "ContainerSpec": {"Image": image, "Secrets": [{"SecretName": uses, "SecretID": f"id-{uses}", "File": {"Name": "pw"}}]},
            "Networks": [{"Target": "id-s_default", "Aliases": [name]}],
            "ForceUpdate": 3,
        },
        **more,
    }


def live(body: dict[str, Any]) -> dict[str, Any]:
    return {"ID": f"id-{body['Name']}", "Version": {"Index": 5}, "Spec": body}


def network(name: str, subnet: str = "10.0.7.0/24") -> dict[str, Any]:
    return {
        "Id": f"id-{name}",
        "Name": name,
        "Driver": "overlay",
        "Labels": LABELS,
        "Options": {"com.docker.network.driver.overlay.vxlanid_list": "4101"},
        "IPAM": {"Driver": "default", "Config": [{"Subnet": subnet, "Gateway": "10.0.7.1"}]},
    }


def actual(*services: dict[str, Any], networks: tuple[str, ...] = ("s_default",), secrets: tuple[str, ...] = ("s_password",)) -> Actual:
    found = {name: live({"Name": name, "Labels": LABELS}) for name in secrets}
    return Actual(
        networks={name: network(name) for name in networks},
        secrets=found,
        services={body["Name"]: live(body) for body in services},
        network_ids={name: f"id-{name}" for name in networks},
        secret_ids={name: item["ID"] for name, item in found.items()},
    )


BEFORE = actual(spec("web"), spec("db"))


@pytest.mark.parametrize(
    ("case", "now", "steps"),
    [
        ("nothing has happened", BEFORE, []),
        ("a digest moved under the same tag", actual(spec("web", "nginx:1@sha256:new"), spec("db")), ["update service s_web"]),
        (
            "a service was added, with a network and a secret",
            actual(spec("web"), spec("db"), spec("new"), networks=("s_default", "s_new"), secrets=("s_password", "s_new")),
            ["remove service s_new", "remove secret s_new", "remove network s_new"],
        ),
        ("a service was removed", actual(spec("web")), ["create service s_db"]),
        (
            "a secret was rotated",
            actual(spec("web", uses="s_password.v2"), spec("db"), secrets=("s_password", "s_password.v2")),
            ["update service s_web", "remove secret s_password.v2"],
        ),
        ("a mode was changed", actual(spec("web", Mode={"Global": {}}), spec("db")), ["replace service s_web"]),
        (
            "all is new",
            actual(networks=(), secrets=("s_password",)),
            ["create network s_default", "create service s_db", "create service s_web"],
        ),
    ],
)
def test_way_back(case: str, now: Actual, steps: list[str]) -> None:
    plan = way_back(captured(BEFORE, "s"), now, "s")
    assert [f"{step.kind.value} {step.sort.value} {step.name}" for step in plan.steps] == steps, case


def test_what_comes_back_is_the_same_to_the_letter() -> None:
    (step,) = way_back(captured(BEFORE, "s"), actual(spec("web", "nginx:1@sha256:new", ForceUpdate=9), spec("db")), "s").steps
    assert step.body == spec("web")


@pytest.mark.parametrize(("previous", "rolls_back"), [(spec("web"), True), (spec("web", "nginx:0"), False), (None, False)])
def test_the_engine_rolls_back_where_it_still_has_the_earlier_spec(previous: dict[str, Any] | None, rolls_back: bool) -> None:
    now = actual(spec("web", "nginx:2"), spec("db"))
    now.services["s_web"].update(PreviousSpec=previous)  # type: ignore[attr-defined]
    plan = way_back(captured(BEFORE, "s"), now, "s")
    assert [step.rollback for step in plan.steps] == [False]
    assert [step.rollback for step in by_rollback(plan).steps] == [rolls_back]


def test_a_state_survives_being_written_down() -> None:
    state = captured(BEFORE, "s")
    assert State.from_wire(json.loads(json.dumps(state.to_wire()))) == state


def test_a_state_knows_names_only_and_no_contents() -> None:
    text = json.dumps(captured(BEFORE, "s").to_wire())
    assert "id-s_default" not in text
    assert "vxlanid" not in text


def test_after_is_before_with_the_plan_carried_out() -> None:
    plan = Plan(
        (
            Step(Kind.CREATE, Sort.SECRET, "s_new", body={"Name": "s_new", "Labels": {"a": "b"}, "Data": b"hush"}),
            Step(Kind.UPDATE, Sort.SERVICE, "s_web", body=spec("web", "nginx:2")),
            Step(Kind.REMOVE, Sort.SERVICE, "s_db"),
        )
    )
    state = after(plan, BEFORE, "s", ("s_web",))
    assert state.order == ("s_web",)
    assert state.services["s_web"]["TaskTemplate"]["ContainerSpec"]["Image"] == "nginx:2"
    assert state.secrets == {"s_password": LABELS, "s_new": {"a": "b"}}
    assert "hush" not in str(state)


@pytest.mark.parametrize(
    ("now", "missing"),
    [
        (BEFORE, []),
        (actual(secrets=()), [f"secret s_password, which service {name} needs, is gone" for name in ("s_db", "s_web")]),
        (actual(networks=()), []),
    ],
)
def test_what_cannot_be_brought_back_is_named(now: Actual, missing: list[str]) -> None:
    assert lost(captured(BEFORE, "s"), now) == missing


def test_addresses_that_only_the_engine_knows_are_no_difference() -> None:
    live = captured(actual(spec("web")), "s")
    asked = replace(live, networks={"s_default": {"Name": "s_default", "Driver": "overlay", "Labels": LABELS}})
    assert live.networks != asked.networks
    assert [between(*states, "s").steps for states in ((asked, live), (live, asked))] == [(), ()]


@pytest.mark.parametrize(
    ("then", "missing"),
    [
        ("id-s_password", []),
        (
            "",
            [
                (
                    "secret s_password, which service s_db needs, was never written down with its id, as the deploy that made it was "
                    "interrupted, so it may have another value"
                )
            ],
        ),
        ("another", ["secret s_password, which service s_db needs, has been made anew since, so it may have another value"]),
    ],
)
def test_a_secret_of_another_id_is_not_the_same(then: str, missing: list[str]) -> None:
    state = replace(captured(actual(spec("db")), "s"), ids={"secret s_password": then})
    assert lost(state, BEFORE) == missing


def test_ids_are_no_part_of_specs() -> None:
    state = captured(BEFORE, "s")
    assert "SecretID" not in json.dumps(state.services)
    assert state.ids == {"secret s_password": "id-s_password"}
