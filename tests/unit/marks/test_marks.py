# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that are marked by the one file in them, for real."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._clock import Clock
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._marks import mark_folders


def options(home: Path, **marks: str) -> dict[str, Any]:
    return {"path": str(home), "marks": marks, "at": None}


def found(home: Path) -> dict[str, list[str]]:
    return {folder.name: names(folder) for folder in home.iterdir()}


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_four_steps(tmp_path: Path) -> None:
    wanted = options(tmp_path, b="x=1 y=2", a="z")
    predicted = mark_folders(wanted, check=True)
    assert found(tmp_path) == {}
    done = mark_folders(wanted, check=False)
    assert predicted == done
    assert (done.changed, done.values["marked"], done.after) == (True, ["b", "a"], {"b": "x=1 y=2", "a": "z"})
    assert found(tmp_path) == {"a": ["z"], "b": ["x=1 y=2"]}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", tmp_path / "a" / "z")] == [0o700, 0o600]
    for check in (False, True):
        assert not mark_folders(wanted, check).changed


def test_a_change(tmp_path: Path) -> None:
    mark_folders(options(tmp_path, a="1", b="1", c="1"), check=False)
    left = (tmp_path / "a" / "1").stat()
    done = mark_folders(options(tmp_path, a="1", b="2"), check=False)
    assert (done.before, done.after) == ({"b": "1"}, {"b": "2"})
    assert (tmp_path / "a" / "1").stat() == left
    assert found(tmp_path) == {"a": ["1"], "b": ["2"], "c": ["1"]}


def test_a_folder_is_never_without_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark_folders(options(tmp_path, a="1"), check=False)
    seen: list[int] = []

    def watch(name: str) -> None:
        real = getattr(Path, name)

        def watched(self: Path, *args: Any, **kwargs: Any) -> Any:
            seen.append(len(found(tmp_path)["a"]))
            result = real(self, *args, **kwargs)
            seen.append(len(found(tmp_path)["a"]))
            return result

        monkeypatch.setattr(Path, name, watched)

    for name in ("rename", "touch", "unlink"):
        watch(name)
    mark_folders(options(tmp_path, a="2"), check=False)
    assert seen
    assert min(seen) == 1


@pytest.mark.parametrize("there", [("1", "2"), ("1", "3"), ("2", "3", "4")])
def test_more_than_one_file(tmp_path: Path, there: tuple[str, ...]) -> None:
    (tmp_path / "a").mkdir()
    for name in there:
        (tmp_path / "a" / name).touch()
    assert mark_folders(options(tmp_path, a="2"), check=False).changed
    assert found(tmp_path) == {"a": ["2"]}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    wanted = options(tmp_path / "none", a="1")
    assert mark_folders(wanted, check=True).changed
    assert list(tmp_path.iterdir()) == []
    mark_folders(wanted, check=False)
    assert found(tmp_path / "none") == {"a": ["1"]}
    assert stat.S_IMODE((tmp_path / "none").stat().st_mode) == 0o700
    with pytest.raises(RefusedError, match=r"No such file or directory; make the folder .*none/of/none"):
        mark_folders(options(tmp_path / "none" / "of" / "none", a="1"), check=False)


@pytest.mark.parametrize(
    "marks",
    [{"../a": "1"}, {"a": "../1"}, {"a": ""}, {"..": "1"}, {"a": ".."}, {"a": "1\0"}, {"a": "1" * 256}, {"b": "1", "\u00fc" * 128: "1"}],
)
def test_a_name_that_leads_elsewhere(tmp_path: Path, marks: dict[str, str]) -> None:
    for check in (True, False):
        with pytest.raises(RefusedError, match=r"'.*' is not the name of a folder or file in"):
            mark_folders(options(tmp_path, **marks), check)
    assert found(tmp_path) == {}


@pytest.mark.parametrize("mark", [None, ["1"], {"a": "1"}])
def test_a_mark_that_is_no_text(tmp_path: Path, mark: Any) -> None:
    with pytest.raises(RefusedError, match=r"marks: b: .* is no text; give the name of a file"):
        mark_folders({"path": str(tmp_path), "marks": {"a": "1", "b": mark}}, check=False)
    assert found(tmp_path) == {}


def test_what_was_done_before_an_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark_folders(options(tmp_path, a="1", b="1"), check=False)
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        if self.parent.name == "b":
            raise PermissionError(13, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(RefusedError, match="b/1: Permission denied; make the folder") as refused:
        mark_folders(options(tmp_path, a="2", b="2"), check=False)
    assert refused.value.achieved == {"changed": True, "marked": ["a"]}


@pytest.mark.parametrize("path", ["", "colours", "./colours"])
def test_a_path_that_depends(path: str) -> None:
    with pytest.raises(RefusedError, match="begin it with a slash"):
        mark_folders({"path": path, "marks": {"a": "1"}}, check=True)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("kind", ["folder", "link to a file", "link to nothing"])
@pytest.mark.parametrize("name", ["2", "0", "zz"])
def test_what_is_no_file_is_not_touched(tmp_path: Path, name: str, kind: str, check: bool) -> None:
    """Whoever looks would pass over it, or be led elsewhere."""
    mark_folders(options(tmp_path, a="1", b="1"), check=False)
    (tmp_path / "file").touch()
    there = tmp_path / "b" / name
    make: dict[str, Callable[[], None]] = {
        "folder": there.mkdir,
        "link to a file": lambda: there.symlink_to(tmp_path / "file"),
        "link to nothing": lambda: there.symlink_to("x"),
    }
    make[kind]()
    with pytest.raises(RefusedError, match=rf"/b/{name} is not a file, and only the mark may be there; move it elsewhere"):
        mark_folders(options(tmp_path, a="2", b="2"), check)
    assert names(tmp_path / "a") == ["1"]
    assert names(tmp_path / "b") == sorted(["1", name])


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("path", "at"), [("file", "file"), ("", "file"), ("nowhere", "nowhere"), ("", "nowhere")])
def test_what_is_no_folder(tmp_path: Path, path: str, at: str, check: bool) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("x")
    with pytest.raises(RefusedError, match=rf"{tmp_path}/{at} is not a folder, and the mark has to be in one; move it elsewhere"):
        mark_folders({"path": str(tmp_path / path), "marks": {"a" if path else at: "1"}}, check)


def test_any_file_that_somebody_left_is_replaced_and_shown(tmp_path: Path) -> None:
    mark_folders(options(tmp_path, a="1"), check=False)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/\xff")).touch()
    done = mark_folders(options(tmp_path, a="2"), check=False)
    assert done.before == {"a": "1, \N{REPLACEMENT CHARACTER}"}
    assert found(tmp_path) == {"a": ["2"]}


@pytest.mark.parametrize("others", ["2", "3"])
@pytest.mark.parametrize("there", [True, False])
def test_another_run_comes_first(tmp_path: Path, others: str, there: bool) -> None:
    """While this one waits for its moment: the last one counts, and neither fails."""
    if there:
        mark_folders(options(tmp_path, a="1"), check=False)

    def another(_seconds: float) -> None:
        mark_folders(options(tmp_path, a=others), check=False)

    clock = Clock(sleep=another, wall=lambda: 100.0)
    assert mark_folders({**options(tmp_path, a="2"), "at": 101.0}, False, clock).changed
    assert found(tmp_path) == {"a": ["2"]}


@pytest.mark.parametrize(
    ("at", "changes", "check", "slept"),
    [
        (101.5, True, False, [1.5]),
        (101.5, True, True, []),
        (101.5, False, False, []),
        (None, True, False, []),
        (99, True, False, []),
        # another clock
        (106, True, False, []),
    ],
)
def test_the_moment_is_waited_for(tmp_path: Path, at: float | None, changes: bool, check: bool, slept: list[float]) -> None:
    mark_folders(options(tmp_path, a="1"), check=False)
    waits: list[tuple[float, dict[str, list[str]]]] = []
    clock = Clock(sleep=lambda seconds: waits.append((seconds, found(tmp_path))), wall=lambda: 100.0)
    wanted = {**options(tmp_path, a="2" if changes else "1"), "at": at}
    assert mark_folders(wanted, check, clock).changed is changes
    # nothing is seen before
    assert waits == [(seconds, {"a": ["1"]}) for seconds in slept]
