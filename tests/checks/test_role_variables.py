"""Variables of roles that work something out, with what they are to make of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pythons import ROOT

SKIPPED = {"skipped": True, "changed": False}


def worked_out(role: str, name: str, given: dict[str, Any], folder: Path) -> Any:
    """What Ansible makes of the variable."""
    tasks = [{"ansible.builtin.copy": {"content": f"{{{{ {name} | to_json }}}}", "dest": str(folder / "found")}}]
    files = [str(ROOT / "roles" / role / "vars" / "main.yml")]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars_files": files, "tasks": tasks}
    (folder / "play.json").write_text(json.dumps([play]))
    (folder / "given.json").write_text(json.dumps(given))
    ran = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-e", f"@{folder / 'given.json'}", str(folder / "play.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads((folder / "found").read_text())


def node(plan: str | None = None, **entered: Any) -> dict[str, Any]:
    """What is known of a host's place; what did not happen is a skipped task, or no variable at all."""
    return {"__swarm_cluster_plan": {"node_id": plan}, **{f"__swarm_cluster_{name}": result for name, result in entered.items()}}


def app(name: str, volumes: Any) -> dict[str, Any]:
    return {"name": name, "state": "absent", "volumes": volumes}


@pytest.mark.parametrize(
    ("role", "name", "given", "expected"),
    [
        # a machine need not be called as its line in the inventory
        ("swarm_cluster", "__swarm_cluster_node", node("id1"), "id1"),
        ("swarm_cluster", "__swarm_cluster_node", node("id1", entered_as_worker=SKIPPED, settled={"node_id": "id1"}), "id1"),
        ("swarm_cluster", "__swarm_cluster_node", node(entered_as_manager=SKIPPED, entered_as_worker={"node_id": "id2"}), "id2"),
        ("swarm_cluster", "__swarm_cluster_node", node(entered_as_manager={"node_id": None}), "localhost"),
        # -e volumes=false is a text
        ("swarm_apps", "__swarm_apps_emptied", {"swarm_apps": [app("a", "false"), app("b", "no"), app("c", False)]}, []),
        ("swarm_apps", "__swarm_apps_emptied", {"swarm_apps": [app("a", "true"), app("b", True)]}, ["a", "b"]),
    ],
)
def test_variable(role: str, name: str, given: dict[str, Any], expected: Any, tmp_path: Path) -> None:
    found = worked_out(role, name, given, tmp_path)
    assert (sorted(found) if isinstance(found, list) else found) == expected
