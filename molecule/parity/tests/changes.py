# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of change, one per family of fields: what a service was, what it becomes, and what the plan has to name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Of images in the lab's registry.
PROBE, OTHER = "probe:1", "caddy:2.11"
#: Ends at once when it is told to.
BASE: Mapping[str, Any] = {"command": ["sleep", "infinity"], "stop_signal": "SIGKILL"}
#: Sections that the services of all cases may refer to.
TOP: Mapping[str, Any] = {
    "networks": {"default": {}, "back": {}},
    "volumes": {"data": {}},
    "secrets": {"key": {"content": "correct horse"}},
    "configs": {"motd": {"content": "Welcome"}},
}
#: Engines before 25 do not know the field.
START_INTERVAL = (1, 44)


@dataclass(frozen=True)
class Case:
    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    #: fields below the service, as the file calls them
    named: Sequence[str]
    #: whether running tasks are replaced, as the engine's own rules have it
    restarts: bool = True
    api: tuple[int, int] = (1, 41)


def deploy(**settings: Any) -> dict[str, Any]:
    return {"deploy": settings}


def port(published: int, target: int = 80, **more: Any) -> dict[str, Any]:
    return {"ports": [{"target": target, "published": published, **more}]}


CASES: Sequence[Case] = (
    Case("image", {}, {"image": OTHER}, ["image"]),
    Case("variable", {"environment": {"TAG": "1", "B": "2"}}, {"environment": {"TAG": "2", "B": "2"}}, ["environment.TAG"]),
    Case("variable-added", {}, {"environment": {"TAG": "1"}}, ["environment.TAG"]),
    Case("variable-removed", {"environment": {"TAG": "1"}}, {}, ["environment.TAG"]),
    Case("command", {}, {"command": ["sleep", "100000"]}, ["command"]),
    Case("entrypoint", {}, {"entrypoint": ["/usr/bin/env"]}, ["entrypoint"]),
    Case("labels", {"labels": {"a": "1"}}, {"labels": {"a": "2"}}, ["labels.a"]),
    Case("deploy-labels", deploy(labels={"a": "1"}), deploy(labels={"a": "2"}), ["deploy.labels.a"], restarts=False),
    Case("more-replicas", {}, deploy(replicas=2), ["deploy.replicas"], restarts=False),
    Case("fewer-replicas", deploy(replicas=2), deploy(replicas=1), ["deploy.replicas"], restarts=False),
    Case("port-added", {}, port(21001), ["ports.21001:80/tcp"]),
    Case("port-changed", port(21002), port(21003), ["ports.21002:80/tcp", "ports.21003:80/tcp"]),
    Case("port-removed", port(21004), {}, ["ports.21004:80/tcp"]),
    Case("port-protocol", port(21005), port(21005, protocol="udp"), ["ports.21005:80/tcp", "ports.21005:80/udp"]),
    Case("port-mode", port(21006), port(21006, mode="host"), ["ports.21006:80/tcp"]),
    Case("endpoint-mode", {}, deploy(endpoint_mode="dnsrr"), ["deploy.endpoint_mode"]),
    Case("network-added", {}, {"networks": ["default", "back"]}, ["networks.{stack}_back"]),
    Case("network-removed", {"networks": ["default", "back"]}, {}, ["networks.{stack}_back"]),
    Case(
        "network-alias",
        {"networks": {"default": {"aliases": ["a"]}}},
        {"networks": {"default": {"aliases": ["b"]}}},
        ["networks.{stack}_default.aliases"],
    ),
    Case("secret", {}, {"secrets": ["key"]}, ["secrets.key"]),
    Case("secret-mode", {"secrets": ["key"]}, {"secrets": [{"source": "key", "mode": 0o400}]}, ["secrets.key.mode"]),
    Case("config", {}, {"configs": [{"source": "motd", "target": "/etc/motd"}]}, ["configs./etc/motd"]),
    Case("volume", {}, {"volumes": ["data:/data"]}, ["volumes./data"]),
    Case("volume-read-only", {"volumes": ["data:/data"]}, {"volumes": ["data:/data:ro"]}, ["volumes./data.readonly"]),
    Case("bind", {}, {"volumes": [{"type": "bind", "source": "/srv", "target": "/srv"}]}, ["volumes./srv"]),
    Case("tmpfs", {}, {"volumes": [{"type": "tmpfs", "target": "/t", "tmpfs": {"size": 1048576}}]}, ["volumes./t"]),
    Case("healthcheck", {}, {"healthcheck": {"test": ["CMD", "true"], "interval": "30s"}}, ["healthcheck.interval", "healthcheck.test"]),
    Case(
        "healthcheck-interval",
        {"healthcheck": {"test": ["CMD", "true"], "interval": "30s"}},
        {"healthcheck": {"test": ["CMD", "true"], "interval": "1m"}},
        ["healthcheck.interval"],
    ),
    Case(
        "healthcheck-start",
        {"healthcheck": {"test": ["CMD", "true"], "interval": "30s"}},
        {"healthcheck": {"test": ["CMD", "true"], "interval": "30s", "start_period": "10s", "start_interval": "2s"}},
        ["healthcheck.start_interval", "healthcheck.start_period"],
        api=START_INTERVAL,
    ),
    Case("limits", {}, deploy(resources={"limits": {"memory": "64M"}}), ["deploy.resources.limits.memory"]),
    Case("reservations", {}, deploy(resources={"reservations": {"memory": "8M"}}), ["deploy.resources.reservations.memory"]),
    Case(
        "cpus",
        deploy(resources={"limits": {"cpus": "0.5"}}),
        deploy(resources={"limits": {"cpus": "0.25"}}),
        ["deploy.resources.limits.cpus"],
    ),
    Case("pids", {}, deploy(resources={"limits": {"pids": 100}}), ["deploy.resources.limits.pids"]),
    Case(
        "restart-policy",
        deploy(restart_policy={"condition": "any", "delay": "1s"}),
        deploy(restart_policy={"condition": "any", "delay": "2s"}),
        ["deploy.restart_policy.delay"],
    ),
    Case(
        "update-config",
        deploy(update_config={"parallelism": 1}),
        deploy(update_config={"parallelism": 2, "order": "start-first"}),
        ["deploy.update_config.order", "deploy.update_config.parallelism"],
        restarts=False,
    ),
    Case(
        "rollback-config",
        deploy(rollback_config={"delay": "1s"}),
        deploy(rollback_config={"delay": "2s"}),
        ["deploy.rollback_config.delay"],
        restarts=False,
    ),
    Case(
        "constraint",
        {},
        deploy(placement={"constraints": ["node.role == manager"]}),
        ["deploy.placement.constraints"],
        restarts=False,
    ),
    Case("nowhere", {}, deploy(placement={"constraints": ["node.labels.disk == none"]}), ["deploy.placement.constraints"]),
    Case(
        "preference",
        {},
        deploy(placement={"preferences": [{"spread": "node.labels.rack"}]}),
        ["deploy.placement.preferences"],
        restarts=False,
    ),
    Case(
        "most-per-node",
        {},
        deploy(placement={"max_replicas_per_node": 3}),
        ["deploy.placement.max_replicas_per_node"],
        restarts=False,
    ),
    Case(
        "logging", {}, {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}}, ["logging.driver", "logging.options.max-size"]
    ),
    Case("hosts", {}, {"extra_hosts": ["gate:192.0.2.1"]}, ["extra_hosts"]),
    Case("dns", {}, {"dns": ["192.0.2.53"]}, ["dns"]),
    Case("dns-search", {}, {"dns_search": ["home.arpa"]}, ["dns_search"]),
    Case("user", {}, {"user": "nobody"}, ["user"]),
    Case("working-dir", {}, {"working_dir": "/srv"}, ["working_dir"]),
    Case("hostname", {}, {"hostname": "{{.Node.Hostname}}-a"}, ["hostname"]),
    Case("stop-signal", {}, {"stop_signal": "SIGTERM"}, ["stop_signal"]),
    Case("stop-grace-period", {"stop_grace_period": "1s"}, {"stop_grace_period": "2s"}, ["stop_grace_period"]),
    Case("cap-add", {}, {"cap_add": ["NET_ADMIN"]}, ["cap_add"]),
    Case("cap-drop", {}, {"cap_drop": ["CHOWN"]}, ["cap_drop"]),
    Case("sysctls", {}, {"sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"}}, ["sysctls.net.ipv4.ip_unprivileged_port_start"]),
    Case("ulimits", {}, {"ulimits": {"nofile": {"soft": 100, "hard": 200}}}, ["ulimits.nofile"]),
    Case("init", {}, {"init": False}, ["init"]),
    Case("tty", {}, {"tty": True}, ["tty"]),
    Case("stdin", {}, {"stdin_open": True}, ["stdin_open"]),
    Case("read-only", {}, {"read_only": True}, ["read_only"]),
    # The engine spares a task whose node still fits, even when its ports change with the placement.
    Case(
        "constraint-and-port",
        {},
        {**port(21007), **deploy(placement={"constraints": ["node.role == manager"]})},
        ["deploy.placement.constraints", "ports.21007:80/tcp"],
        restarts=False,
    ),
    Case(
        "constraint-and-variable",
        {},
        {"environment": {"A": "1"}, **deploy(placement={"constraints": ["node.role == manager"]})},
        ["deploy.placement.constraints", "environment.A"],
    ),
)


@dataclass(frozen=True)
class Whole:
    """A change of the stack rather than of one service; the steps it takes."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    steps: Sequence[tuple[str, str, str]]
    options: Mapping[str, Any] = field(default_factory=dict)


def stack(*services: str, default: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A stack of services without tasks."""
    named = {key: {"image": PROBE, **BASE, **deploy(replicas=0)} for key in services}
    return {"services": named, **({"networks": {"default": default}} if default else {}), **more}


def using(kind: str, content: str) -> dict[str, Any]:
    made = stack("a")
    return {"services": {"a": {**made["services"]["a"], kind: ["x"]}}, kind: {"x": {"content": content}}}


WHOLE: Sequence[Whole] = (
    Whole("service-added", stack("a"), stack("a", "b"), [("create", "service", "b")]),
    Whole("service-gone", stack("a", "b"), stack("a"), []),
    Whole("service-pruned", stack("a", "b"), stack("a"), [("remove", "service", "b")], {"prune": True}),
    Whole(
        "mode",
        stack("a"),
        {"services": {"a": {"image": PROBE, **BASE, **deploy(mode="global", placement={"constraints": ["node.labels.disk == none"]})}}},
        [("replace", "service", "a")],
    ),
    Whole("network-differs", stack("a"), stack("a", default={"driver_opts": {"com.docker.network.driver.mtu": "1400"}}), []),
    Whole(
        "network-made-anew",
        stack("a"),
        stack("a", default={"ipam": {"config": [{"subnet": "10.78.0.0/24"}]}}),
        [("replace", "network", "default"), ("update", "service", "a")],
        {"recreate": True},
    ),
    Whole(
        "config-content",
        using("configs", "1"),
        using("configs", "2"),
        [("create", "config", "x.v2"), ("update", "service", "a")],
    ),
    Whole(
        "secret-value",
        using("secrets", "1"),
        using("secrets", "2"),
        [("create", "secret", "x.v2"), ("update", "service", "a")],
    ),
    Whole(
        "secret-revoked",
        using("secrets", "1"),
        using("secrets", "2"),
        [("create", "secret", "x.v2"), ("update", "service", "a"), ("remove", "secret", "x")],
        {"revoke": True},
    ),
    Whole("secret-remembered", using("secrets", "1"), stack("a"), [("update", "service", "a")], {"prune": "all"}),
    Whole(
        "secret-pruned",
        using("secrets", "1"),
        stack("a"),
        [("update", "service", "a"), ("remove", "secret", "x")],
        {"prune": "all", "revoke": True},
    ),
    Whole(
        "network-pruned",
        {"services": {"a": {**stack("a")["services"]["a"], "networks": ["default", "back"]}}, "networks": {"back": {}, "default": {}}},
        stack("a"),
        [("update", "service", "a"), ("remove", "network", "back")],
        {"prune": "all"},
    ),
)
