# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.app_problems import app_problems


def app(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "compose": [f"{name}.yml"], **more}


@pytest.mark.parametrize(
    ("apps", "words"),
    [
        pytest.param([], [], id="none"),
        pytest.param([app("a"), app("b"), {"name": "c", "state": "absent"}], [], id="good ones"),
        pytest.param([app("a"), app("b"), app("a", state="absent")], ["2 apps are named a"], id="a name twice"),
        pytest.param([app("ingress")], ["belongs to the role swarm_ingress"], id="a name that is taken"),
        pytest.param([{"name": "a"}], ["a: there is nothing to deploy"], id="no files"),
        pytest.param([{"name": "a"}, app("ingress", state="absent")], ["belongs to", "nothing to deploy"], id="all at once"),
    ],
)
def test_problems(apps: list[dict[str, Any]], words: list[str]) -> None:
    found = app_problems(apps, ["ingress"])
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))
