# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine refuses, and just not, as Engine 20.10 and 26.1 answered."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import ComposeError
from ansible_collections.homecloud.swarm.plugins.module_utils._request import OPTIONS, Request
from ansible_collections.homecloud.swarm.plugins.module_utils._stack import wanted


def foretold(services: str) -> str:
    """The errors, one a line."""
    project = load([Source.file("f.yml", f"services: {services}", "/base")], {}, lambda _path: b"x").project
    options: dict[str, Any] = {name: option.get("default") for name, option in OPTIONS.items()}
    try:
        wanted(Request.of({**options, "name": "s", "project": project.to_wire()}))
    except ComposeError as error:
        return str(error)
    return ""


def resources(kind: str, **values: str) -> str:
    return f"deploy: {{resources: {{{kind}: {{{', '.join(f'{name}: {value}' for name, value in values.items())}}}}}}}"


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (resources("limits", cpus="'0.0009'"), "deploy.resources.limits.cpus: the engine refuses it unless it is at least 0.001"),
        (resources("limits", cpus="'-1'"), "deploy.resources.limits.cpus"),
        (resources("reservations", cpus="'0.0001'"), "deploy.resources.reservations.cpus"),
        (resources("limits", memory="4194303b"), "deploy.resources.limits.memory: the engine refuses it unless it is at least 4M"),
        (resources("reservations", memory="1k"), "deploy.resources.reservations.memory"),
        ("deploy: {restart_policy: {delay: -1s}}", "deploy.restart_policy.delay: the engine refuses it unless it is 0 or more"),
        ("deploy: {restart_policy: {window: -1s}}", "deploy.restart_policy.window"),
        ("deploy: {update_config: {delay: -1s}}", "deploy.update_config.delay"),
        ("deploy: {update_config: {monitor: -1s}}", "deploy.update_config.monitor"),
        (
            "deploy: {update_config: {max_failure_ratio: 1.1}}",
            "deploy.update_config.max_failure_ratio: the engine refuses it unless it is from",
        ),
        ("deploy: {update_config: {max_failure_ratio: -0.1}}", "deploy.update_config.max_failure_ratio"),
        ("healthcheck: {test: [CMD, 'true'], interval: 999us}", "healthcheck.interval: the engine refuses it unless it is at least 1ms"),
        ("healthcheck: {test: [CMD, 'true'], timeout: -1s}", "healthcheck.timeout"),
        ("healthcheck: {start_period: 1ns}", "healthcheck.start_period"),
        ("ports: [{target: 80, published: 81}, {target: 82, published: 81}]", "ports: the port 81/tcp is published twice"),
        ("ports: [{target: 80, published: 81, mode: host}, {target: 82, published: 81}]", "ports: the port 81/tcp is published twice"),
    ],
)
def test_refused(keys: str, place: str) -> None:
    said = foretold(f"{{a: {{image: x, {keys}}}}}")
    assert said.startswith(f"f.yml: services.a.{place}"), said
    assert "\n" not in said


@pytest.mark.parametrize(
    "keys",
    [
        resources("limits", cpus="'0.001'", memory="4M"),
        resources("limits", cpus="0", memory="0"),
        "deploy: {update_config: {max_failure_ratio: 1}}",
        "deploy: {rollback_config: {delay: -1s, monitor: -1s, max_failure_ratio: 2}}",
        "healthcheck: {test: [CMD, 'true'], interval: 1ms, timeout: 0s}",
        "healthcheck: {disable: true, interval: 1ns}",
        "ports: [{target: 80, published: 81}, {target: 80, published: 81, protocol: udp}]",
        "ports: [{target: 80}, {target: 80, mode: host}]",
    ],
)
def test_taken(keys: str) -> None:
    assert foretold(f"{{a: {{image: x, {keys}}}}}") == ""


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ("{subnet: nonsense}", "0.subnet: 'nonsense' is not a network"),
        ("{subnet: 10.0.0.0}", "0.subnet"),
        ("{ip_range: 10.0.0.0/24}", "0.subnet: '' is not a network"),
        ("{subnet: 10.0.0.0/24, gateway: x}", "0.gateway: 'x' is not an address in 10.0.0.0/24"),
        ("{subnet: 10.0.0.0/24, gateway: 10.0.1.1}", "0.gateway"),
        ("{subnet: 10.0.0.0/24, gateway: 'fd00::1'}", "0.gateway"),
        ("{subnet: 10.0.0.0/24, ip_range: 10.0.1.0/28}", "0.ip_range: '10.0.1.0/28' is not a network in 10.0.0.0/24"),
        ("{}", ""),
        ("{subnet: 10.0.0.0/24, gateway: 10.0.0.1, ip_range: 10.0.0.0/28}", ""),
        ("{subnet: 'fd00:1::/64', gateway: 'fd00:1::1'}", ""),
        # a newer engine refuses it, 20.10 does not
        ("{subnet: 10.77.0.5/24}", ""),
    ],
)
def test_pools(pool: str, said: str) -> None:
    found = foretold(f"{{a: {{image: x}}}}\nnetworks: {{default: {{ipam: {{config: [{pool}]}}}}}}")
    assert found.startswith(f"f.yml: networks.default.ipam.config.{said}" if said else "")
    assert bool(found) is bool(said)


def test_all_that_is_wrong_is_said() -> None:
    said = foretold("{a: {image: x, stop_grace_period: 1s, deploy: {update_config: {delay: -1s, monitor: -1s}}}}")
    assert len(said.splitlines()) == 2


def test_names_that_differ_by_their_case_alone() -> None:
    said = foretold("{web: {image: x}, Web: {image: x}}")
    assert "services.web: has the name 's_web', as services.Web has, but for its case, which a swarm does not mind, so both" in said
