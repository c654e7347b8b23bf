"""Stack files that people wrote (a folder named by STACK_CORPUS): what we make of each equals what the CLI makes of it."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from clis import Cli
from differential.cases import declare_version
from differential.named import BOTH_REJECT, EQUAL, UNEXPLAINED, Comparison, compare
from differential.ours import converted
from differential.recorder import record

CORPUS = os.environ.get("STACK_CORPUS", "")
MISSING_FILE = re.compile(r"(?:open|stat) (\S+): no such file")
MOST_MISSING = 30

pytestmark = pytest.mark.skipif(not CORPUS, reason="STACK_CORPUS names no folder of stack files")


def trials(text: str) -> Iterator[dict[str, str]]:
    """Values for the variables of a file, of kinds that fit different places."""
    names = sorted(set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", text)))
    home = {"HOME": "/home/someone"}
    for value in ("2{:04}", "/srv/{:04}", "word{:04}") if names else ():
        yield {**home, **{name: value.format(index) for index, name in enumerate(names)}}
    yield home
    if names:
        yield {**home, **{name: like(name, index) for index, name in enumerate(names)}}


def like(name: str, index: int) -> str:
    kinds = (
        ("CONSTRAINT", "node.role == manager"),
        ("MEM|SIZE|LIMIT", "64M"),
        ("CPU|REPLICA|COUNT|PORT", "2"),
        ("PATH|DIR|ROOT|DATA|VOL", f"/srv/{index}/"),
    )
    return next((value for words, value in kinds if re.search(words, name.upper())), f"word{index}")


@dataclass(frozen=True)
class Tried:
    comparison: Comparison
    version_added: bool


def compared(cli: Cli, file: Path, folder: Path) -> Tried:
    """By itself, or, where it is only meant to be laid over another file, together with that."""
    tried = try_out(cli, [file], folder / file.stem)
    base = file.with_name(file.stem.rpartition("__")[0] + "__docker-compose.yml")
    if tried.comparison.outcome != BOTH_REJECT or not base.exists() or base == file:
        return tried
    return try_out(cli, [base, file], folder / f"{file.stem}-merged")


def try_out(cli: Cli, files: Sequence[Path], folder: Path) -> Tried:
    """With the first values that both sides accept, else with the first that one does; a file it misses is made."""
    folder.mkdir()
    copies = [Path(shutil.copy(file, folder)) for file in files]
    version_added = declare_version(copies, cli)
    make = maker(folder)
    refused: list[Comparison] = []
    for variables in trials("".join(copy.read_text() for copy in copies)):
        # First, because it finds all missing files at once.
        ours = converted(copies, variables, make)
        for _attempt in range(MOST_MISSING):
            recorded = record(cli, copies, variables)
            missing = MISSING_FILE.search(recorded.stderr)
            if not recorded.code or not missing or not missing[1].startswith(str(folder)):
                break
            make(missing[1])
        comparison = compare(ours, recorded, cli.version)
        if comparison.outcome == UNEXPLAINED or not (ours.error or recorded.code):
            return Tried(comparison, version_added)
        refused.append(comparison)
    return Tried(next((one for one in refused if one.outcome != BOTH_REJECT), refused[0]), version_added)


def maker(folder: Path) -> Callable[[str], bytes]:
    """Reads a file; one that is missing is made, if it is to be below this folder."""

    def make(path: str) -> bytes:
        file = Path(path)
        if not file.exists() and file.is_relative_to(folder):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("A=1\n")
        return file.read_bytes()

    return make


def test_corpus(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(path for path in Path(CORPUS).iterdir() if path.suffix in (".yml", ".yaml"))
    assert files, f"{CORPUS} holds no stack files"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tried = dict(zip(files, pool.map(lambda file: compared(cli, file, tmp_path), files), strict=True))
    counts = Counter(one.comparison.outcome for one in tried.values())
    unexplained = [
        f"{file.name}\n    " + "\n    ".join(one.comparison.lines[:5])
        for file, one in tried.items()
        if one.comparison.outcome == UNEXPLAINED
    ]
    with capsys.disabled():
        added = sum(one.version_added for one in tried.values())
        given = f" ({added} were given the version that this CLI wants)" if added else ""
        print(f"\n:: CLI {cli.version[0]}.{cli.version[1]}, {len(files)} stack files{given}: {counts.pop(EQUAL, 0)} equal, ", end="")
        print(f"{counts.pop(BOTH_REJECT, 0)} both reject, {sum(counts.values()) - counts[UNEXPLAINED]} named differences, ", end="")
        print(f"{counts.pop(UNEXPLAINED, 0)} unexplained")
        print("".join(f"::   {count:4} {name}\n" for name, count in counts.most_common()), end="")
    assert not unexplained, "\n".join(unexplained)
