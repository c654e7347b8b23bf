# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a swarm: an update changes what was passed and nothing else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._settings import (
    SETTINGS,
    check_fixed,
    differs,
    merged_spec,
    settings_of,
    signing_of,
)

#: As engine 20.10 answers: zeros are left out.
SPEC: dict[str, Any] = {
    "Name": "default",
    "Labels": {"home": "yes"},
    "Orchestration": {"TaskHistoryRetentionLimit": 5},
    "Raft": {
        "SnapshotInterval": 10000,
        "KeepOldSnapshots": 0,
        "LogEntriesForSlowFollowers": 500,
        "ElectionTick": 10,
        "HeartbeatTick": 1,
    },
    "Dispatcher": {"HeartbeatPeriod": 5000000000},
    "CAConfig": {"NodeCertExpiry": 7776000000000000, "ExternalCAs": [{"URL": "https://ca.example"}]},
    "TaskDefaults": {"LogDriver": {"Name": "local"}},
    "EncryptionConfig": {"AutoLockManagers": True},
}

OTHER: dict[str, Any] = {
    "name": "other",
    "labels": {"a": "b"},
    "task_history_retention_limit": 1,
    "snapshot_interval": 2,
    "keep_old_snapshots": 3,
    "log_entries_for_slow_followers": 4,
    "heartbeat_tick": 5,
    "election_tick": 6,
    "dispatcher_heartbeat_period": 7,
    "node_cert_expiry": 8,
    "ca_force_rotate": 9,
    "autolock_managers": False,
}


def at(spec: dict[str, Any], path: tuple[str, ...]) -> Any:
    for name in path:
        spec = spec.get(name, {})
    return spec


@pytest.mark.parametrize("option", SETTINGS)
def test_one_setting_changes_and_all_others_stay(option: str) -> None:
    live = deepcopy(SPEC)
    wanted = merged_spec(live, {option: OTHER[option]})
    assert at(wanted, SETTINGS[option]) == OTHER[option]
    assert differs(live, wanted)
    assert live == SPEC
    *sections, name = SETTINGS[option]
    at(wanted, tuple(sections)).pop(name)
    at(live, tuple(sections)).pop(name, None)
    assert wanted == live


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"election_tick": 10},
        {"labels": {"home": "yes"}},
        {"ca_force_rotate": 0},
        {"keep_old_snapshots": 0},
        {"autolock_managers": True},
        settings_of(SPEC),
    ],
)
def test_what_is_so_already_does_not_differ(given: dict[str, Any]) -> None:
    assert not differs(SPEC, merged_spec(SPEC, given))


def test_settings_round_trip() -> None:
    assert settings_of(merged_spec({}, OTHER)) == OTHER


FIXED = {"DefaultAddrPool": ["10.0.0.0/8", "172.30.0.0/16"], "SubnetSize": 24, "DataPathPort": 4789}


@pytest.mark.parametrize(
    "given",
    [{}, {"default_addr_pool": ["172.30.0.0/16", "10.0.0.0/8"]}, {"subnet_size": 24}, {"data_path_port": 4789}, {"data_path_port": None}],
)
def test_fixed_settings_that_fit(given: dict[str, Any]) -> None:
    check_fixed(FIXED, given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"default_addr_pool": ["10.0.0.0/8"]}, "default_addr_pool of this swarm is"),
        ({"subnet_size": 25}, "subnet_size of this swarm is 24 and cannot be changed to 25"),
        ({"data_path_port": 4790}, "data_path_port of this swarm is 4789 and cannot be changed to 4790"),
    ],
)
def test_fixed_settings_that_do_not(given: dict[str, Any], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        check_fixed(FIXED, given)


@pytest.mark.parametrize(
    ("cert", "root", "sent"),
    [(None, "A\n", False), ("A", "A\n", False), ("A\n\n", "A\n", False), ("B\n", "A\n", True), ("B", "", True)],
)
def test_a_new_ca_is_sent_once(cert: str | None, root: str, sent: bool) -> None:
    given = {"signing_ca_cert": cert, "signing_ca_key": "K"} if cert else {}
    assert signing_of({"TLSInfo": {"TrustRoot": root}}, given) == ({"SigningCACert": "B\n", "SigningCAKey": "K"} if sent else {})
