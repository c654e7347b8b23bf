# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written in order, on a real folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._files import write_files


def options(folder: Path, **files: str) -> dict[str, Any]:
    return {"path": str(folder), "files": [{"name": name, "content": content} for name, content in files.items()]}


def test_four_steps(tmp_path: Path) -> None:
    wanted = options(tmp_path, b="1", a="2")
    predicted = write_files(wanted, check=True)
    assert list(tmp_path.iterdir()) == []
    done = write_files(wanted, check=False)
    assert predicted == done
    assert (done.changed, done.values["written"], done.after) == (True, ["b", "a"], {"b": "1", "a": "2"})
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "2", "b": "1"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    for check in (False, True):
        assert not write_files(wanted, check).changed


def test_what_is_right_already_is_not_written(tmp_path: Path) -> None:
    write_files(options(tmp_path, a="1", b="1"), check=False)
    before = (tmp_path / "a").stat().st_ino
    done = write_files(options(tmp_path, a="1", b="2"), check=False)
    assert (done.before, done.after) == ({"b": "1"}, {"b": "2"})
    assert (tmp_path / "a").stat().st_ino == before


def test_in_the_order_given_each_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append((target.name, self.read_text()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_files(options(tmp_path, share="g", new="shop_web-green", old="shop_web-blue"), check=False)
    assert seen == [("share", "g"), ("new", "shop_web-green"), ("old", "shop_web-blue")]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    wanted = options(tmp_path / "none", a="1")
    assert write_files(wanted, check=True).changed
    with pytest.raises(RefusedError, match=r"No such file or directory; make the folder .*none"):
        write_files(wanted, check=False)


def test_a_name_that_leads_elsewhere(tmp_path: Path) -> None:
    for check in (True, False):
        with pytest.raises(RefusedError, match=r"'\.\./a' is not the name of a file"):
            write_files(options(tmp_path, **{"../a": "1"}), check)


def test_nothing_is_left_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RefusedError, match="No space left"):
        write_files(options(tmp_path, a="1"), check=False)
    assert list(tmp_path.iterdir()) == []
