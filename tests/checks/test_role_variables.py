"""Variables of roles that work something out, with what they are to make of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pythons import ROOT

SKIPPED = {"skipped": True, "changed": False}


def worked_out(roles: str, name: str, given: dict[str, Any], folder: Path, hosts: str = "localhost", play: str = "all") -> Any:
    """What Ansible makes of the variable, or of an expression of variables of several roles, in a play on some of these hosts."""
    tasks = [{"ansible.builtin.copy": {"content": f"{{{{ {name} | to_json }}}}", "dest": str(folder / "found")}, "run_once": True}]
    sources = [ROOT / "roles" / role / kind / "main.yml" for role in roles.split() for kind in ("defaults", "vars")]
    files = [str(source) for source in sources if source.exists()]
    plays = [{"hosts": play, "connection": "local", "gather_facts": False, "vars_files": files, "tasks": tasks}]
    (folder / "play.json").write_text(json.dumps(plays))
    (folder / "given.json").write_text(json.dumps(given))
    ran = subprocess.run(
        ["ansible-playbook", "-i", f"{hosts},", "-e", f"@{folder / 'given.json'}", str(folder / "play.json")],
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


MANAGERS = "swarm_apps_manager swarm_ca_manager swarm_ingress_manager swarm_registry_manager swarm_release_manager"


@pytest.mark.parametrize(
    ("given", "play", "expected"),
    [
        ({}, "all", "m1"),
        ({}, "m2,m3", "m2"),
        # the first manager has joined in this run, so in check mode it has not
        ({"swarm_cluster_speaker": "m2"}, "all", "m2"),
        ({"swarm_cluster_speaker": ""}, "all", "m1"),
        # who spoke has left, or was lost on the way
        ({"swarm_cluster_speaker": "m1"}, "m2,m3", "m2"),
    ],
)
def test_manager_that_is_asked(given: dict[str, Any], play: str, expected: str, tmp_path: Path) -> None:
    """Roles share no variables, so each has a default of its own; all say the same."""
    roles, expression = MANAGERS.replace("_manager", ""), f"[{MANAGERS.replace(' ', ', ')}]"
    given = {"swarm_cluster_managers_group": "all", **given}
    assert worked_out(roles, expression, given, tmp_path, "m1,m2,m3", play) == [expected] * 5


@pytest.mark.parametrize(("speaker", "expected"), [("localhost", "localhost"), ("w1", ""), (None, "")])
def test_manager_that_spoke(speaker: str | None, expected: str, tmp_path: Path) -> None:
    """A manager that becomes a worker in this run cannot be asked for the rest of it."""
    given = {"__swarm_cluster_plan": {"speaker": speaker}, "swarm_cluster_managers_group": "all"}
    assert worked_out("swarm_cluster", "__swarm_cluster_speaker", given, tmp_path) == expected
