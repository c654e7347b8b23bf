# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who goes first, and whose port nobody can have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Kind, Sort, Step
from ansible_collections.homecloud.swarm.plugins.module_utils._order import check_ports, in_safe_order


def spec(name: str, *ports: int, host: bool = False, protocol: str = "tcp") -> dict[str, Any]:
    mode = "host" if host else "ingress"
    listed = [{"TargetPort": 80, "PublishedPort": port, "PublishMode": mode, "Protocol": protocol} for port in ports]
    return {"Name": f"s_{name}", "EndpointSpec": {"Ports": listed}, "TaskTemplate": {}}


def step(name: str, before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> Step:
    live = {} if before is None else {"ID": name, "Spec": spec(name, *before)}
    kind = Kind.CREATE if before is None else Kind.REMOVE if after is None else Kind.UPDATE
    return Step(kind, Sort.SERVICE, f"s_{name}", body={} if after is None else spec(name, *after), live=live)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # nothing to do with ports: by dependency, removals last
        ([step("a", (), None), step("z", (), ()), step("b", None, ())], ["s_z", "s_b", "s_a"]),
        # a port moves from b to a
        ([step("a", (), (80,)), step("b", (80,), ())], ["s_b", "s_a"]),
        # a removal frees the port of a new service; another one frees nothing that anyone wants
        ([step("a", None, (80,)), step("m", (81,), None), step("y", (80,), None)], ["s_y", "s_a", "s_m"]),
        # a chain: a takes what b has, b what c has
        ([step("a", (79,), (80,)), step("b", (80,), (81,)), step("c", (81,), ())], ["s_c", "s_b", "s_a"]),
        # a circle: one gives up first
        ([step("a", (80,), (81,)), step("c", (81,), (80,))], ["s_a", "s_c", "s_a"]),
        # two circles and somebody who waits for one of them
        (
            [step("a", (1,), (2,)), step("f", (2,), (1,)), step("c", (3, 5), (4,)), step("d", (4,), (3,)), step("e", None, (5,))],
            ["s_a", "s_f", "s_a", "s_c", "s_d", "s_c", "s_e"],
        ),
    ],
)
def test_order(steps: list[Step], expected: list[str]) -> None:
    assert [step.name for step in in_safe_order(steps, ["s_z", "s_b"])] == expected


def test_who_gives_up_first_keeps_everything_else() -> None:
    first, _second, third = in_safe_order([step("a", (80, 90), (81, 90)), step("b", (81,), (80,))], [])
    assert [port["PublishedPort"] for port in first.body["EndpointSpec"]["Ports"]] == [90]
    assert [port["PublishedPort"] for port in third.body["EndpointSpec"]["Ports"]] == [81, 90]
    assert [(change.path, change.old) for change in first.changes] == [("services.s_a.ports", "80/tcp")]


@pytest.mark.parametrize(
    ("wanted", "staying", "clash"),
    [
        (spec("a", 80), spec("b", 81), False),
        (spec("a", 80), spec("b", 80), True),
        (spec("a", 80), spec("b", 80, protocol="udp"), False),
        (spec("a", 80, host=True), spec("b", 80), True),
        (spec("a", 80), spec("b", 80, host=True), True),
        # on the nodes themselves the scheduler keeps them apart
        (spec("a", 80, host=True), spec("b", 80, host=True), False),
    ],
)
@pytest.mark.parametrize("same_file", [False, True])
def test_a_port_that_is_taken(wanted: dict[str, Any], staying: dict[str, Any], clash: bool, same_file: bool) -> None:
    files = {wanted["Name"]: wanted, **({staying["Name"]: staying} if same_file else {})}
    others = [] if same_file else [staying]
    steps = [Step(Kind.CREATE, Sort.SERVICE, name, body=body) for name, body in files.items()]
    if not clash:
        check_ports(steps, files, others, "s")
        return
    with pytest.raises(RefusedError, match=r"services\.[ab]\.ports: the port 80/tcp is published by service 's_[ab]' already"):
        check_ports(steps, files, others, "s")


def test_who_writes_nothing_is_not_refused() -> None:
    check_ports([], {"s_a": spec("a", 80)}, [spec("b", 80)], "s")
