# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overlay networks: what differs, what is refused, what is made anew."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import (
    InUseError,
    NotConvergedError,
    NotInSwarmError,
    RefusedError,
)
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Outcome
from ansible_collections.homecloud.swarm.plugins.module_utils._network import (
    FIELDS,
    NetworkOptions,
    body_of,
    converge_network,
    drift,
    users_of,
    would_create,
)

from .conftest import TableEngine


def live(name: str = "back", **more: Any) -> dict[str, Any]:
    return {
        "Id": f"id-{name}",
        "Name": name,
        "Scope": "swarm",
        "Driver": "overlay",
        "EnableIPv6": False,
        "Internal": False,
        "Attachable": True,
        "Ingress": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": [{"Subnet": "10.0.7.0/24", "Gateway": "10.0.7.1"}]},
        "Options": {"com.docker.network.driver.overlay.vxlanid_list": "4100", "encrypted": ""},
        "Labels": {"tier": "back"},
        **more,
    }


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"attachable": True, "internal": False, "ingress": False, "enable_ipv6": False},
        {"driver": "overlay", "ipam_driver": "default"},
        {"driver_options": {}},
        {"driver_options": {"encrypted": ""}},
        {"labels": {"tier": "back"}},
        {"labels": {}},
        {"ipam_config": []},
        {"ipam_config": [{"subnet": "10.0.7.0/24"}]},
        {"ipam_config": [{"subnet": "10.0.7.9/24", "gateway": "10.0.7.1", "iprange": None, "aux_addresses": None}]},
    ],
)
def test_what_was_not_asked_for_does_not_differ(given: dict[str, Any]) -> None:
    assert drift(live(), NetworkOptions("back", given=given)) == ()


@pytest.mark.parametrize(
    "given",
    [
        {"attachable": False},
        {"internal": True},
        {"enable_ipv6": True},
        {"driver": "macvlan"},
        {"driver_options": {"encrypted": "true"}},
        {"driver_options": {"com.docker.network.driver.mtu": "1400"}},
        {"labels": {"tier": "front"}},
        {"ipam_config": [{"subnet": "10.0.8.0/24"}]},
        {"ipam_config": [{"subnet": "10.0.7.0/24", "gateway": "10.0.7.254"}]},
        {"ipam_config": [{"subnet": "10.0.7.0/24", "aux_addresses": {"a": "10.0.7.9"}}]},
        {"ipam_config": [{"subnet": "10.0.7.0/24"}, {"subnet": "10.0.8.0/24"}]},
    ],
)
def test_what_was_asked_for_differs(given: dict[str, Any]) -> None:
    (change,) = drift(live(), NetworkOptions("back", given=given))
    assert {change.path: change.new} == given


@pytest.mark.parametrize("option", ["driver_options", "ipam_driver_options", "labels"])
def test_what_is_text_to_the_engine(option: str) -> None:
    asked: dict[str, Any] = {**dict.fromkeys(FIELDS), "name": "back", "state": "present", "force": False}
    given = NetworkOptions.of({**asked, option: {"encrypted": True, "mtu": 1400, "spare": None}}).given
    assert given == {option: {"encrypted": "true", "mtu": "1400", "spare": ""}}
    with pytest.raises(RefusedError, match=" mtu: a list cannot be its value"):
        NetworkOptions.of({**asked, option: {"mtu": [1400]}})


@pytest.mark.parametrize("spelling", ["fd00::/64", "fd00:0::0/64", "FD00::1/64"])
def test_one_network_in_several_spellings(spelling: str) -> None:
    held = live(IPAM={"Driver": "default", "Config": [{"Subnet": "fd00::/64", "Gateway": "fd00::1"}, {"Subnet": "10.0.7.0/24"}]})
    assert drift(held, NetworkOptions("back", given={"ipam_config": [{"subnet": "10.0.7.0/24"}, {"subnet": spelling}]})) == ()


def engine_with(*held: dict[str, Any], users: tuple[dict[str, Any], ...] = ()) -> TableEngine:
    engine = TableEngine({"/swarm": {}, "/networks": list(held), "/services": list(users), "/networks/new": live(Id="new")})
    engine.effects["/networks/create"] = lambda _body: {"Id": "new"}
    for one in held:
        engine.effects[f"/networks/{one['Id']}"] = lambda _body: engine.answers["/networks"].clear()
    return engine


def converge(engine: TableEngine, clock: Clock, check: bool = False, **options: Any) -> Outcome:
    return converge_network(cast(Engine, engine), NetworkOptions(**{"name": "back", **options}), check, clock)


def test_create(clock: Clock) -> None:
    for check in (True, False):
        engine = engine_with(live("back2"), live(Scope="local"))
        assert converge(engine, clock, check, given={"attachable": True}).changed
        assert engine.paths == ([] if check else ["/networks/create"])


def test_body_has_only_what_the_api_knows() -> None:
    pools = [{"subnet": "10.0.7.0/24", "gateway": None, "iprange": None, "aux_addresses": {"a": "10.0.7.9"}}]
    assert body_of(NetworkOptions("back", given={"ipam_config": pools, "internal": True})) == {
        "Name": "back",
        "Scope": "swarm",
        "CheckDuplicate": True,
        "Driver": "overlay",
        "Options": {},
        "Attachable": False,
        "Internal": True,
        "Ingress": False,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": {}, "Config": [{"Subnet": "10.0.7.0/24", "AuxiliaryAddresses": {"a": "10.0.7.9"}}]},
        "Labels": {},
    }


def test_no_change_writes_nothing(clock: Clock) -> None:
    engine = engine_with(live())
    assert not converge(engine, clock, given={"attachable": True}).changed
    assert not converge(engine, clock, name="bac", state="absent").changed
    assert engine.written == []


def test_a_network_without_addresses_is_taken_back(clock: Clock) -> None:
    engine = engine_with(live("front"))
    engine.answers["/networks/new"] = live(Id="new", Driver="")
    with pytest.raises(NotConvergedError, match=r"do its subnets overlap with another network's \(front 10.0.7.0/24\)"):
        converge(engine, clock)
    assert engine.paths == ["/networks/create", "/networks/new"]


USER = {"Spec": {"Name": "shop_web", "TaskTemplate": {"Networks": [{"Target": "id-back"}]}}}


def test_drift_needs_force_and_nobody_who_uses_it(clock: Clock) -> None:
    wish: dict[str, Any] = {"given": {"internal": True}}
    engine = engine_with(live())
    with pytest.raises(RefusedError, match=r"\(internal is False, not True\); .* force: true makes it anew"):
        converge(engine, clock, **wish)
    with pytest.raises(RefusedError, match="and is used by shop_web"):
        converge(engine_with(live(), users=(USER,)), clock, force=True, **wish)
    assert converge(engine, clock, True, force=True, **wish).changed
    assert engine.written == []
    assert converge(engine, clock, force=True, **wish).changed
    assert engine.paths == ["/networks/id-back", "/networks/create"]
    body = engine.written[1][1]
    assert (body["Internal"], body["Attachable"], body["Labels"]) == (True, True, {"tier": "back"})


def test_absent(clock: Clock) -> None:
    engine = engine_with(live())
    assert converge(engine, clock, True, state="absent").changed
    assert engine.written == []
    assert converge(engine, clock, state="absent").changed
    assert engine.paths == ["/networks/id-back"]


def test_removing_what_is_used_is_refused(clock: Clock) -> None:
    with pytest.raises(RefusedError, match="network back is used by shop_web"):
        converge(engine_with(live(), users=(USER,)), clock, state="absent")


def test_the_engine_knows_users_we_do_not_see(clock: Clock) -> None:
    engine = engine_with(live())

    def refuse(_body: Any) -> None:
        raise InUseError("network id-back is in use by task t1", 400)

    engine.effects["/networks/id-back"] = refuse
    with pytest.raises(RefusedError, match="in use by task t1; detach what uses it first"):
        converge(engine, clock, state="absent")


def test_a_removal_that_never_ends(clock: Clock) -> None:
    engine = engine_with(live())
    del engine.effects["/networks/id-back"]
    with pytest.raises(NotConvergedError, match="still there 30 s after"):
        converge(engine, clock, state="absent")


@pytest.mark.parametrize(
    "spec",
    [
        {"TaskTemplate": {"Networks": [{"Target": "id-back"}]}},
        {"TaskTemplate": {"Networks": [{"Target": "back"}]}},
        {"TaskTemplate": {}, "Networks": [{"Target": "id-back"}]},
    ],
)
def test_users(spec: dict[str, Any]) -> None:
    stranger = {"Spec": {"Name": "b", "TaskTemplate": {"Networks": None}}}
    assert users_of([stranger, {"Spec": {"Name": "a", **spec}}], live()) == ["a"]


def test_a_worker_is_asked_first(clock: Clock) -> None:
    engine = engine_with(live())
    engine.answers["/swarm"] = NotInSwarmError("no swarm")
    with pytest.raises(NotInSwarmError):
        converge(engine, clock)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a.b", "a b", "x" * 64, "a\n"])
def test_names_the_engine_refuses(name: str) -> None:
    with pytest.raises(RefusedError, match="cannot be the name of a network"):
        would_create(NetworkOptions(name))


@pytest.mark.parametrize("name", ["a", "a-b_c", "a__b", "x" * 63])
def test_names(name: str) -> None:
    assert would_create(NetworkOptions(name)).changed


@pytest.mark.parametrize("pool", [{"subnet": "10.0.7.0"}, {"subnet": "nonsense"}, {"subnet": "10.0.7.0/24", "iprange": "10.0.7.0/33"}])
def test_pools_the_engine_refuses(pool: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="in CIDR notation"):
        would_create(NetworkOptions("a", given={"ipam_config": [pool]}))
