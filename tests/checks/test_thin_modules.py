"""A module is documentation, options and one call; meta/runtime.yml and the module's attributes know it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pythons import ROOT

MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
LINES_OF_MAIN = 25


def faults(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    defined = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for name in sorted(defined.keys() - {"main"}):
        yield f"{name}: logic belongs into module_utils"
    if "main" not in defined:
        yield "there is no main()"
    elif (lines := (defined["main"].end_lineno or 0) - defined["main"].lineno) > LINES_OF_MAIN:
        yield f"main() has {lines} lines, more than {LINES_OF_MAIN}"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module not in ("__future__", "typing"):
            yield f"imports {node.module}; a module needs ..module_utils alone"
        if isinstance(node, ast.Import):
            yield f"imports {node.names[0].name}; a module needs ..module_utils alone"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_is_thin(path: Path) -> None:
    found = list(faults(path.read_text()))
    assert not found, "\n".join(found)


def test_every_module_with_a_connection_is_in_the_action_group() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    connected = [path.stem for path in MODULES if "  - homecloud.swarm.connection\n" in path.read_text()]
    assert groups["swarm"] == connected != [path.stem for path in MODULES]
    assert groups["all"] == [{"metadata": {"extend_group": ["homecloud.swarm.swarm"]}}]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("def main(): pass\ndef compare(): pass", "compare: logic"),
        ("class Plan: pass\ndef main(): pass", "Plan: logic"),
        ("x = 1", "no main"),
        ("def main():\n" + "    x = 1\n" * 26, "26 lines"),
        ("import docker\ndef main(): pass", "imports docker"),
        ("from ansible.module_utils.basic import AnsibleModule\ndef main(): pass", "imports ansible"),
    ],
)
def test_thick_modules_are_found(source: str, fault: str) -> None:
    assert any(fault in found for found in faults(source))


def test_thin_modules_are_quiet() -> None:
    assert not list(faults("from __future__ import annotations\nfrom ..module_utils._swarm_module import SwarmModule\ndef main(): pass"))
