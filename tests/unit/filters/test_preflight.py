from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.homecloud.swarm.plugins.filter.preflight_peers import preflight_peers
from ansible_collections.homecloud.swarm.plugins.filter.preflight_report import preflight_report

SETTINGS: dict[str, Any] = {
    "pools": ["10.0.0.0/8"],
    "subnet_size": 24,
    "memory_mb": 512,
    "disk_mb": 2048,
    "clock_seconds": 2,
    "ignore": [],
}
FINE = {"overlay": "present", "vxlan": "present", "ipvs": "present", "bridge": "present", "veth": "present"}
HOSTS = ["m1", "w1"]

Facts = dict[str, Any]


def facts(name: str, **more: Any) -> Facts:
    return {
        "hostname": name,
        "machine_id": f"id-{name}",
        "kernel": "6.12.1-amd64",
        "features": FINE,
        "cgroup_version": 2,
        "memory_bytes": 4 * 2**30,
        "disk_free_bytes": 50 * 2**30,
        "disk_path": "/var/lib/docker",
        "address": f"192.168.1.{len(name)}",
        "routes": [{"network": "192.168.1.0/24", "interface": "eth0"}],
        "live_restore": False,
        "daemon_problem": None,
        "in_swarm": False,
        "engine_running": False,
        **more,
    }


def answer(peer: str, port: str, reachable: bool | None = True, clock: float | None = 0.0, in_use: bool = False) -> dict[str, Any]:
    return {"peer": peer, "port": port, "reachable": reachable, "clock": clock, "in_use": in_use}


def report(answers: Any = (), settings: Facts | None = None, w1: Facts | None = None, **more: Any) -> dict[str, list[str]]:
    """Of m1, which has these facts and found these answers, and w1."""
    hostvars = {
        "m1": {"__swarm_preflight_machine": facts("m1", **more), "__swarm_preflight_probed": {"answers": list(answers)}},
        "w1": {"__swarm_preflight_machine": facts("w1", **(w1 or {}))},
    }
    return preflight_report(hostvars, HOSTS, {**SETTINGS, **(settings or {})})


def test_nothing_to_say() -> None:
    said = report([answer("w1", "7946/tcp"), answer("w1", "clock")])
    assert (said["blockers"], said["warnings"]) == ([], [])
    assert said["table"][0].split() == ["node", "address", "kernel", "lacks", "memory", "disk", "clock", "ports"]
    assert said["table"][1].split() == ["m1", "192.168.1.2", "6.12.1", "-", "4.0G", "50G", "0.0s", "1", "ok"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"features": {**FINE, "vxlan": "missing"}}, "m1: the kernel has no VXLAN: .* [vxlan]"),
        ({"features": {**FINE, "overlay": "missing"}}, "m1: the kernel has no OVERLAY: .* [overlay]"),
        ({"w1": {"hostname": "m1"}}, "m1, w1: all have the hostname m1.* [hostname]"),
        ({"disk_free_bytes": 2**20}, "m1: 1 MB free for /var/lib/docker.* [disk]"),
        ({"answers": [answer("w1", "7946/udp", reachable=False)]}, "w1: m1 cannot reach its 7946/udp; .* [ports]"),
        ({"answers": [answer("w1", "4789/udp", None, in_use=True)]}, "w1: 4789/udp is in use, but no engine runs there.* [ports]"),
        ({"answers": [answer("w1", "clock", clock=-90.0)]}, "m1, w1: their clocks differ by 90.0 s.* [clock]"),
        ({"routes": [{"network": "10.0.3.0/24", "interface": "eth0"}]}, "m1: has a route to 10.0.3.0/24.*[10.200.0.0/16].* [pool]"),
        ({"routes": [{"network": "10.0.0.0/8", "interface": "tun0"}]}, "m1: has a route to 10.0.0.0/8.*[172.30.0.0/16].* [pool]"),
        ({"daemon_problem": "daemon.json is not JSON"}, "m1: daemon.json is not JSON.* [daemon_json]"),
    ],
)
def test_blockers(more: Facts, says: str) -> None:
    _compare(report(**more)["blockers"], says)
    assert report(**more)["warnings"] == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"features": {**FINE, "ipvs": "missing"}}, "m1: the kernel has no IPVS: .*dnsrr.* [ipvs]"),
        ({"features": {**FINE, "vxlan": "unknown"}}, "m1: cannot see whether the kernel has VXLAN. [vxlan]"),
        ({"cgroup_version": 1}, "m1: cgroup v1.* [cgroup]"),
        ({"memory_bytes": 2**28}, "m1: less than 512 MB of memory. [memory]"),
        ({"disk_free_bytes": 2**20, "engine_running": True}, "m1: 1 MB free.* [disk]"),
        ({"w1": {"machine_id": "id-m1"}}, "m1, w1: all have the machine id id-m1.* [machine_id]"),
        ({"answers": [answer("w1", "clock", clock=3.0)]}, "m1, w1: their clocks differ by 3.0 s.* [clock]"),
        ({"routes": [{"network": "10.99.0.0/24", "interface": "eth0"}]}, "m1: has a route to 10.99.0.0/24.* [pool]"),
        ({"routes": [{"network": "10.0.3.0/24", "interface": "eth0"}], "in_swarm": True}, "m1: has a route to 10.0.3.0/24.* [pool]"),
        ({"live_restore": True}, "m1: live-restore is on.* [live_restore]"),
    ],
)
def test_warnings(more: Facts, says: str) -> None:
    _compare(report(**more)["warnings"], says)
    assert report(**more)["blockers"] == []


def _compare(lines: list[str], says: str) -> None:
    (line,) = lines
    position = 0
    for part in says.split(".*"):
        position = line.index(part, position)


@pytest.mark.parametrize("name", ["ports", "ports:w1"])
def test_accepted_findings_do_not_block(name: str) -> None:
    closed = [answer("w1", "7946/udp", reachable=False)]
    said = report(closed, {"ignore": [name]})
    assert (said["blockers"], len(said["ignored"])) == ([], 1)
    assert report(closed, {"ignore": ["ports:m1"]})["blockers"]


def test_what_is_accepted_on_one_host_is_told_of_the_others() -> None:
    blind = {"features": {**FINE, "vxlan": "missing"}}
    said = report((), {"ignore": ["vxlan:w1"]}, w1=blind, **blind)
    _compare(said["blockers"], "m1: the kernel has no VXLAN: .* [vxlan]")
    _compare(said["ignored"], "w1: the kernel has no VXLAN: .* [vxlan]")


@pytest.mark.parametrize("host", HOSTS)
def test_what_two_hosts_have_together_is_accepted_by_either(host: str) -> None:
    said = report((), {"ignore": [f"hostname:{host}"]}, w1={"hostname": "m1"})
    assert said["blockers"] == []
    _compare(said["ignored"], "m1, w1: all have the hostname m1.* [hostname]")


@pytest.mark.parametrize(
    ("known", "address"),
    [
        ({}, "192.168.1.2"),
        ({"swarm_cluster_advertise_addr": "wg0"}, "192.168.1.2"),
        ({"swarm_cluster_advertise_addr": "10.8.0.2"}, "10.8.0.2"),
        ({"swarm_cluster_advertise_addr": "10.8.0.2:2377"}, "10.8.0.2"),
        ({"swarm_cluster_advertise_addr": "[fd00::1]:2377"}, "fd00::1"),
        ({"swarm_cluster_advertise_addr": "10.8.0.2", "swarm_preflight_address": "10.9.0.2"}, "10.9.0.2"),
    ],
)
def test_by_which_address_a_host_is_tried(known: Facts, address: str) -> None:
    listener = {"listening": ["7946/tcp"], "in_use": [], "clock_port": 40000}
    hostvars = {"m1": {"__swarm_preflight_machine": facts("m1"), "__swarm_preflight_listener": listener, **known}}
    assert [peer["address"] for peer in preflight_peers(hostvars, "w1", HOSTS)] == [address]


def test_host_that_nobody_knows_how_to_reach_is_named() -> None:
    _compare(report(address=None)["warnings"], "m1: no default route .* [address]")


def test_pool_that_is_none_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match=r"swarm_preflight_pools: 10\.0\.0\.1/8 is no address pool"):
        report(settings={"pools": ["10.0.0.1/8"]})


def test_all_blockers_are_named_at_once() -> None:
    more: Facts = {"features": {**FINE, "vxlan": "missing", "overlay": "missing"}, "w1": {"hostname": "m1"}}
    assert len(report(**more)["blockers"]) == 3


@pytest.mark.parametrize("known", [{}, {"__swarm_preflight_machine": {"unreachable": True}}])
def test_unreachable_host_is_named_and_holds_nobody_up(known: Facts) -> None:
    said = preflight_report({"m1": {"__swarm_preflight_machine": facts("m1")}, "w1": known}, HOSTS, SETTINGS)
    assert said["blockers"] == []
    assert said["table"][2].split() == ["w1", "not", "reached"]
    assert said["warnings"] == ["w1: not reached, so nothing is known of it."]


def test_ports_in_use_by_the_engine_are_said_to_be_so() -> None:
    said = report([answer("w1", "7946/tcp", in_use=True), answer("w1", "7946/udp", None, in_use=True)], w1={"engine_running": True})
    assert said["blockers"] == []
    assert said["table"][1].endswith("1 ok, 1 used")


def test_peers() -> None:
    ports = {"listening": ["2377/tcp", "7946/udp"], "in_use": ["7946/tcp"], "clock_port": 4000}
    hostvars = {
        "m1": {"__swarm_preflight_listener": ports, "__swarm_preflight_machine": {"address": "192.0.2.1"}},
        "w1": {"__swarm_preflight_listener": ports, "swarm_preflight_address": "192.0.2.9"},
        "w2": {"__swarm_preflight_listener": {"unreachable": True}},
        "w3": {"__swarm_preflight_listener": ports, "__swarm_preflight_machine": {"address": None}},
    }
    hosts = ["m1", "w1", "w2", "w3", "w4"]
    assert preflight_peers(hostvars, "m1", hosts) == [
        {"name": "w1", "address": "192.0.2.9", "ports": ["2377/tcp", "7946/udp", "7946/tcp"], "in_use": ["7946/tcp"], "clock_port": 4000}
    ]
    assert preflight_peers(hostvars, "w1", hosts)[0]["ports"] == ["2377/tcp", "7946/udp", "7946/tcp"]
