# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a swarm: the objects of a stack, and the names of networks that no list has."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._actual import labelled, observe
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired
from ansible_collections.homecloud.swarm.plugins.module_utils._engine import Engine
from ansible_collections.homecloud.swarm.plugins.module_utils._model import NAMESPACE


class Swarm:
    """One service of stack ``s``, on one network."""

    def __init__(self, network: str) -> None:
        self.network = network

    def get(self, path: str, **_query: Any) -> Any:
        spec = {"Name": "s_web", "Labels": {NAMESPACE: "s"}, "TaskTemplate": {"Networks": [{"Target": self.network}]}}
        return {"/networks": [{"Name": "s_default", "Id": "listed"}], "/services": [{"ID": "w", "Spec": spec}]}.get(path, [])

    def find(self, path: str, scope: str) -> Any:
        """Only the node's own networks have no such entry in the swarm's scope."""
        found = {"/networks/host": {"Id": "of-the-host"}, "/networks/bridge": {"Id": "of-the-bridge"}}
        return found.get(path) if scope == "swarm" else None


LISTED = {"s_default": "listed"}
PREDEFINED = {"host": "of-the-host", "bridge": "of-the-bridge"}


@pytest.mark.parametrize(
    ("runs_on", "wanted", "known"),
    [
        pytest.param("listed", "s_default", LISTED, id="an ordinary network"),
        pytest.param("listed", "host", {**LISTED, "host": "of-the-host"}, id="the file names one"),
        pytest.param("of-the-bridge", "s_default", {**LISTED, **PREDEFINED}, id="the file names none any more"),
    ],
)
def test_networks_that_are_not_listed(runs_on: str, wanted: str, known: dict[str, str]) -> None:
    desired = Desired("s", services={"s_web": {"TaskTemplate": {"Networks": [{"Target": wanted}]}}})
    assert observe(cast(Engine, Swarm(runs_on)), "s", desired).network_ids == known


class Lax:
    """An engine that minds no filter."""

    def get(self, path: str, **_query: Any) -> Any:
        labels: list[Any] = [{NAMESPACE: "s"}, {NAMESPACE: "other"}, {NAMESPACE: ""}, {"mine": "s"}, {}, None]
        return [{"Labels": each} if path == "/networks" else {"Spec": {"Labels": each}} for each in labels]


@pytest.mark.parametrize("path", ["/networks", "/services", "/secrets", "/configs"])
def test_only_what_carries_the_very_label_is_the_stacks(path: str) -> None:
    assert len(labelled(cast(Engine, Lax()), path, "s")) == 1
    assert labelled(cast(Engine, Lax()), path, "o") == []
