# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._request import OPTIONS, ROLLBACK_OPTIONS, Request, attach_of
from ansible_collections.homecloud.swarm.plugins.module_utils._stack import predict_stack
from ansible_collections.homecloud.swarm.plugins.module_utils._stack_info import show_stacks

AUTH = {"username": "me", "password": "hush", "serveraddress": "mine.lab:5000"}


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (None, ""),
        ({**AUTH, "since": None}, ""),
        ({**AUTH, "since": ""}, ""),
        ({**AUTH, "since": "2020-01-31T12:00:00.123Z"}, ""),
        ({**AUTH, "since": "9999"}, "mine.lab:5000"),
    ],
)
def test_a_registry_does_not_take_credentials_that_are_to_come(auth: dict[str, str] | None, expected: str) -> None:
    assert Request.of({**defaults(OPTIONS), "name": "s", "registry_auth": auth}).not_yet == expected


def defaults(options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: option.get("default") for name, option in options.items()}


@pytest.mark.parametrize("name", ["", " ", "a.b", "-a", "a_", "a/b", "a b", "ä", "a" * 64])
def test_what_cannot_be_the_name_of_a_stack_names_none(name: str) -> None:
    ways: list[Any] = [
        lambda: Request.of({**defaults(OPTIONS), "name": name}),
        lambda: Request.of_rollback({**defaults(ROLLBACK_OPTIONS), "name": name}),
        lambda: predict_stack({**defaults(OPTIONS), "name": name, "state": "absent"}),
        lambda: show_stacks(None, {"name": name, "compare": None}, False),  # type: ignore[arg-type]
    ]
    for way in ways:
        with pytest.raises(RefusedError, match=f"^'{name}' cannot be the name of a stack"):
            way()


@pytest.mark.parametrize("name", ["a", "A_b-1", "0", "a" * 63])
def test_names_of_stacks(name: str) -> None:
    assert Request.of({**defaults(OPTIONS), "name": name}).name == name


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"web": ["proxy", "logs"]}, ["proxy", "logs"]),
        ({"web": "proxy"}, ["proxy"]),
        ({"web": []}, []),
        ({"web": None}, "for web it has None"),
        ({"web": ""}, "for web it has ''"),
        ({"web": [1]}, r"for web it has \[1\]"),
        ({"web": {"proxy": {}}}, "as in web: "),
    ],
)
def test_what_services_are_attached_to(given: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert attach_of(given) == {"web": expected}
        return
    with pytest.raises(RefusedError, match=expected):
        attach_of(given)
