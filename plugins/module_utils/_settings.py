# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a swarm: where each option stands in its spec. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._errors import RefusedError
from ._model import Body

#: Option -> where it stands in the swarm's spec, so that one can be changed without touching the others.
SETTINGS: dict[str, tuple[str, ...]] = {
    "name": ("Name",),
    "labels": ("Labels",),
    "task_history_retention_limit": ("Orchestration", "TaskHistoryRetentionLimit"),
    "snapshot_interval": ("Raft", "SnapshotInterval"),
    "keep_old_snapshots": ("Raft", "KeepOldSnapshots"),
    "log_entries_for_slow_followers": ("Raft", "LogEntriesForSlowFollowers"),
    "heartbeat_tick": ("Raft", "HeartbeatTick"),
    "election_tick": ("Raft", "ElectionTick"),
    "dispatcher_heartbeat_period": ("Dispatcher", "HeartbeatPeriod"),
    "node_cert_expiry": ("CAConfig", "NodeCertExpiry"),
    "ca_force_rotate": ("CAConfig", "ForceRotate"),
    "autolock_managers": ("EncryptionConfig", "AutoLockManagers"),
}


def merged_spec(live: Body, given: Mapping[str, Any]) -> dict[str, Any]:
    """The live spec with the passed settings in their places."""
    spec = {name: dict(part) if isinstance(part, Mapping) else part for name, part in live.items()}
    for option, path in SETTINGS.items():
        if option in given:
            *sections, name = path
            place = spec
            for section in sections:
                place = place.setdefault(section, {})
            place[name] = given[option]
    return spec


def settings_of(spec: Body) -> dict[str, Any]:
    """The spec's settings under the names of our options; what the engine leaves out is at its default."""
    settings: dict[str, Any] = {}
    for option, path in SETTINGS.items():
        value: Any = spec
        for name in path:
            value = (value or {}).get(name)
        if value is not None:
            settings[option] = value
    return settings


def signing_of(swarm: Body, given: Mapping[str, Any]) -> dict[str, str]:
    """The CA to sign with, where it is not the swarm's already: the engine shows no key, but whom its nodes trust."""
    cert = str(given.get("signing_ca_cert", "")).strip()
    if not cert or cert == str((swarm.get("TLSInfo") or {}).get("TrustRoot", "")).strip():
        return {}
    return {"SigningCACert": cert + "\n", "SigningCAKey": str(given.get("signing_ca_key", ""))}


def check_fixed(swarm: Body, given: Mapping[str, Any]) -> None:
    """Some settings hold for a swarm's whole life: say so instead of ignoring the wish."""
    live = {
        "default_addr_pool": sorted(swarm.get("DefaultAddrPool") or []),
        "subnet_size": swarm.get("SubnetSize"),
        "data_path_port": swarm.get("DataPathPort") or 4789,
    }
    for option, value in live.items():
        wanted = sorted(given[option]) if isinstance(given.get(option), list) else given.get(option)
        if wanted is not None and value and wanted != value:
            raise RefusedError(
                f"{option} of this swarm is {value} and cannot be changed to {wanted}: it is decided when a swarm is "
                "made; leave it out, or build the swarm anew."
            )


def differs(live: Body, wanted: Body) -> bool:
    """Whether any setting differs; the engine leaves out zeros."""
    before, after = settings_of(live), settings_of(wanted)
    return any((before.get(option) or None) != (after.get(option) or None) for option in SETTINGS)
