# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._request import OPTIONS, Request

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
    options = {name: option.get("default") for name, option in OPTIONS.items()}
    assert Request.of({**options, "name": "s", "registry_auth": auth}).not_yet == expected
