# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.app_problems import app_problems


def app(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "compose": [f"{name}.yml"], **more}


def green(name: str, **release: Any) -> dict[str, Any]:
    return app(name, strategy="blue_green", release=release, expose=[{"service": "web", "port": 80, "host": "a.x"}])


@pytest.mark.parametrize(
    ("apps", "words"),
    [
        pytest.param([], [], id="none"),
        pytest.param([app("a"), app("b"), {"name": "c", "state": "absent"}], [], id="good ones"),
        pytest.param([app("a"), app("b"), app("a", state="absent")], ["2 apps are named a"], id="a name twice"),
        pytest.param([app("ingress")], ["belongs to the role swarm_ingress"], id="a name that is taken"),
        pytest.param([{"name": "a"}], ["a: there is nothing to deploy"], id="no files"),
        pytest.param([app("a", strategy="blue_green")], ["a: strategy: blue_green moves requests"], id="nothing is exposed"),
        pytest.param([app("a", strategy="blue_green", state="absent")], [], id="nothing has to be"),
        pytest.param([green("a")], [], id="a release"),
        pytest.param([green("a", weights=[10, 50, 100])], [], id="steps"),
        pytest.param([green("a", weights=[10])], ["a: release.weights is [10]"], id="no end"),
        pytest.param([green("a", weights=[50, 10, 100])], ["growing"], id="back and forth"),
        pytest.param([green("a", weights=[0, 100])], ["from 1 on"], id="a step that is none"),
        pytest.param([green("a", weights=[])], ["the last one 100"], id="no steps"),
        pytest.param([green("a", weights=100)], ["release.weights is 100; give growing"], id="no list of steps"),
        pytest.param([green("a", weights=["10", "100"])], ["release.weights is ['10', '100']"], id="steps that are words"),
        pytest.param([green("a", bake_time=-1, max_errors=0)], ["a: release: bake_time is -1; give 0 or more."], id="less than no time"),
        pytest.param(
            [green("a", checks=[{"path": "health"}, {"command": ""}, {"times": 0}])],
            ["entry 1, has the path health; begin it", "entry 2, has an empty command", "entry 3: times is 0; give 1 or more."],
            id="checks that would be none",
        ),
        pytest.param([green("a", checks=[{"path": "/"}, {"command": "true", "times": 2}])], [], id="checks"),
        pytest.param(
            [green("a", checks=[{}, {"command": "true", "status": 200}])],
            ["checks, entry 2, has a command and status"],
            id="two checks in one",
        ),
        pytest.param([{"name": "a"}, app("ingress", state="absent")], ["belongs to", "nothing to deploy"], id="all at once"),
    ],
)
def test_problems(apps: list[dict[str, Any]], words: list[str]) -> None:
    found = app_problems(apps, ["ingress"])
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_no_release_without_an_ingress() -> None:
    (found,) = app_problems([green("a")], ingress=False)
    assert "swarm_apps_ingress is false" in found
