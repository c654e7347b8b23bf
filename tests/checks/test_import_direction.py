"""The rooms of the house: in module_utils a file imports only what stands above it here, and few may reach outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from pythons import ROOT

MODULE_UTILS = ROOT / "plugins" / "module_utils"

# Folders are one room. A new file needs a place: as high as its imports allow.
ORDER = (
    "_errors",
    "_model",
    "_names",
    "_clock",
    "_labels",
    "_verifier",
    "_versions",
    "_identity",
    "_marks",
    "_ports",
    "_preflight",
    "_settings",
    "_compose",
    "_bodies",
    "_desired",
    "_refused",
    "_spec",
    "_engine",
    "_eligible",
    "_situation",
    "_converge",
    "_defaults",
    "_colours",
    "_actual",
    "_images",
    "_diff",
    "_order",
    "_plan",
    "_foretell",
    "_apply",
    "_state",
    "_history",
    "_evidence",
    "_report",
    "_request",
    "_wait",
    "_release",
    "_stack",
    "_rollback",
    "_switch",
    "_stack_info",
    "_node",
    "_membership",
    "_cluster",
    "_network",
    "_content",
    "_cleanup",
    "_restart",
    "_module",
    "_swarm_module",
)

# Who alone may import what, in the whole of plugins/ that runs on nodes.
ONLY = {"docker": "_engine", "ansible.module_utils.basic": "_module"}

# Rooms that compute and do nothing else: the same input gives the same result, and no engine is needed to test them.
PURE = (
    *("_errors", "_model", "_names", "_labels", "_settings", "_compose", "_bodies", "_desired", "_spec", "_diff", "_order", "_plan"),
    *("_refused", "_foretell", "_eligible", "_situation", "_converge", "_defaults", "_state", "_report", "_request"),
)
IMPURE = ("ansible", "docker", "os", "time", "subprocess", "socket", "requests", "urllib3", "pathlib", "random", "secrets")


def imports(source: str) -> Iterator[str]:
    """Every imported name, `.x` and `..x` for the relative ones."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            if node.module:
                yield dots + node.module
            # `from . import x` and `from ansible.module_utils import basic` name modules behind the import.
            yield from (f"{dots}{node.module + '.' if node.module else ''}{alias.name}" for alias in node.names)


def begins(name: str, with_: str) -> bool:
    return name == with_ or name.startswith(with_ + ".")


def faults(files: dict[str, str]) -> Iterator[str]:
    """What is wrong with these sources, by their path below module_utils."""
    for path, source in files.items():
        room = Path(path).parts[0].removesuffix(".py")
        depth = len(Path(path).parts)
        if room == "__init__":
            continue
        if room not in ORDER:
            yield f"{path}: has no place in ORDER"
            continue
        for name in sorted(set(imports(source))):
            yield from _wrong(path, room, depth, name)
    yield from _cycles(files)


def _wrong(path: str, room: str, depth: int, name: str) -> Iterator[str]:
    if name.startswith("." * (depth + 1)) or begins(name, "ansible_collections"):
        yield f"{path}: reaches out of module_utils with {name}"
    elif name.startswith("." * depth):
        target = name.lstrip(".").split(".")[0]
        if target in ORDER and ORDER.index(target) >= ORDER.index(room):
            yield f"{path}: imports {target}, which does not stand above {room}"
    if room in PURE and any(begins(name, impure) for impure in IMPURE):
        yield f"{path}: is pure and must not import {name}"
    yield from _reserved(path, room, name)


def _reserved(path: str, room: str, name: str) -> Iterator[str]:
    for outside, owner in ONLY.items():
        if begins(name, outside) and room != owner:
            yield f"{path}: only {owner} imports {outside}"


def _cycles(files: dict[str, str]) -> Iterator[str]:
    """Inside a folder there is no list, but there is a direction all the same."""
    graph = {
        path: {str(Path(path).parent / f"{name[1:]}.py") for name in imports(source) if name.startswith(".") and not name.startswith("..")}
        for path, source in files.items()
        if len(Path(path).parts) > 1
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        yield f"imports in a circle: {' -> '.join(cycle.args[1])}"


def test_module_utils() -> None:
    files = {str(path.relative_to(MODULE_UTILS)): path.read_text() for path in sorted(MODULE_UTILS.rglob("*.py"))}
    assert "_engine.py" in files
    found = list(faults(files))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").glob("[!m]*/*.py")) + sorted((ROOT / "plugins" / "modules").glob("*.py")))
def test_other_plugins(path: Path) -> None:
    found = [fault for name in imports(path.read_text()) for fault in _reserved(path.name, path.parent.name, name)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"_new.py": ""}, "no place"),
        ({"_model.py": "from ._engine import Engine"}, "does not stand above"),
        ({"_plan.py": "def f():\n    from . import _module"}, "does not stand above"),
        ({"_compose/_load.py": "from .._engine import Engine"}, "does not stand above"),
        ({"_apply.py": "import docker.errors"}, "only _engine"),
        ({"_apply.py": "from ansible.module_utils import basic"}, "only _module"),
        ({"_plan.py": "import os.path"}, "is pure"),
        ({"_compose/_load.py": "from time import monotonic"}, "is pure"),
        ({"_apply.py": "from ..modules import stack"}, "reaches out"),
        ({"_compose/_a.py": "from ._b import x", "_compose/_b.py": "from ._a import x"}, "circle"),
    ],
)
def test_wrong_imports_are_found(files: dict[str, str], fault: str) -> None:
    assert any(fault in found for found in faults(files))


def test_right_imports_are_quiet() -> None:
    files = {
        "_plan.py": "from ._model import x",
        "_compose/_load.py": "from ._yaml import x\nfrom .._errors import y",
        "_compose/_yaml.py": "",
    }
    assert not list(faults(files))
