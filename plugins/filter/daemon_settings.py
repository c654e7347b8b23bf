# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's daemon.json: what is there, and what is wanted of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def daemon_settings(text: str, wanted: Mapping[str, Any], log: Mapping[str, Any]) -> str:
    """The new text of daemon.json, from its present one (empty: no such file).

    Keys in ``wanted`` win, None removes a key, other keys are kept. ``log`` is taken when nobody says anything about logs.
    A file that means the same already is given back as it is, whatever its layout.
    """
    if wanted.get("live-restore"):
        raise AnsibleFilterError("docker_engine_daemon: live-restore cannot be used in a swarm; remove the key.")
    present = _parsed(text)
    named = present.keys() | wanted.keys()
    settings = {**({} if named & log.keys() else log), **present, **wanted}
    if settings.get("live-restore"):
        # the engine refuses to be a node of a swarm with it
        del settings["live-restore"]
    settings = {key: value for key, value in settings.items() if value is not None}
    return text if settings == present and text else json.dumps(settings, indent=2, sort_keys=True) + "\n"


def _parsed(text: str) -> dict[str, Any]:
    try:
        present = json.loads(text or "{}")
    except ValueError as problem:
        raise AnsibleFilterError(f"daemon.json is not JSON ({problem}); mend or remove the file on this node.") from problem
    if not isinstance(present, dict):
        raise AnsibleFilterError("daemon.json does not hold a mapping; mend or remove the file on this node.")
    return present


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"daemon_settings": daemon_settings}
