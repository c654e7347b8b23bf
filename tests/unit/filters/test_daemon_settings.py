from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.homecloud.swarm.plugins.filter.daemon_settings import daemon_settings

LOG = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}


@pytest.mark.parametrize(
    ("present", "wanted", "after"),
    [
        ({}, {}, LOG),
        ({"mtu": 1450}, {}, {"mtu": 1450, **LOG}),
        ({"mtu": 1450}, {"mtu": 1400}, {"mtu": 1400, **LOG}),
        ({"mtu": 1450}, {"mtu": None}, LOG),
        ({"log-driver": "journald"}, {}, {"log-driver": "journald"}),
        ({}, {"log-driver": "local"}, {"log-driver": "local"}),
        ({"live-restore": True}, {}, LOG),
        ({"live-restore": False}, {}, {"live-restore": False, **LOG}),
        ({"labels": ["a=1"], **LOG}, {"labels": ["b=2"]}, {"labels": ["b=2"], **LOG}),
    ],
)
def test_merge(present: dict[str, Any], wanted: dict[str, Any], after: dict[str, Any]) -> None:
    text = daemon_settings(json.dumps(present) if present else "", wanted, LOG)
    assert json.loads(text) == after
    assert daemon_settings(text, wanted, LOG) == text


def test_own_layout_is_kept_while_the_meaning_is_right() -> None:
    text = '{"log-driver":"local",\n\n"debug":true}'
    assert daemon_settings(text, {"debug": True}, LOG) == text


@pytest.mark.parametrize(
    ("text", "wanted", "says"),
    [
        ("{", {}, "not JSON"),
        ("[]", {}, "does not hold a mapping"),
        ("", {"live-restore": True}, "live-restore cannot be used in a swarm"),
    ],
)
def test_refused(text: str, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        daemon_settings(text, wanted, LOG)
