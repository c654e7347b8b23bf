"""Stack files that people wrote (a folder named by STACK_CORPUS): what we make of each equals what the CLI makes of it."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from differential.named import BOTH_REJECT, EQUAL, UNEXPLAINED, Comparison, compare
from differential.ours import converted
from differential.recorder import record

DOCKER = shutil.which("docker")
CORPUS = os.environ.get("STACK_CORPUS", "")
MISSING_FILE = re.compile(r"(?:open|stat) (\S+): no such file")
MOST_MISSING = 30

pytestmark = [
    pytest.mark.skipif(not DOCKER, reason="no docker CLI on PATH to compare with"),
    pytest.mark.skipif(not CORPUS, reason="STACK_CORPUS names no folder of stack files"),
]


def trials(text: str) -> Iterator[dict[str, str]]:
    """Values for the variables of a file, of kinds that fit different places."""
    names = sorted(set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", text)))
    home = {"HOME": "/home/someone"}
    for value in ("2{:04}", "/srv/{:04}", "word{:04}"):
        yield {**home, **{name: value.format(index) for index, name in enumerate(names)}}
    yield home
    yield {**home, **{name: like(name, index) for index, name in enumerate(names)}}


def like(name: str, index: int) -> str:
    kinds = (("MEM|SIZE|LIMIT", "64M"), ("CPU|REPLICA|COUNT|PORT", "2"), ("PATH|DIR|ROOT|DATA|VOL", f"/srv/{index}/"))
    return next((value for words, value in kinds if re.search(words, name.upper())), f"word{index}")


def compared(file: Path, folder: Path) -> Comparison:
    """By itself, or, where it is only meant to be laid over another file, together with that."""
    comparison = tried([file], folder / file.stem)
    base = file.with_name(file.stem.rpartition("__")[0] + "__docker-compose.yml")
    if comparison.outcome != BOTH_REJECT or not base.exists() or base == file:
        return comparison
    return tried([base, file], folder / f"{file.stem}-merged")


def tried(files: Sequence[Path], folder: Path) -> Comparison:
    """With the first values that the CLI accepts; a file it misses is made."""
    folder.mkdir()
    copies = [Path(shutil.copy(file, folder)) for file in files]
    assert DOCKER
    comparison = Comparison(BOTH_REJECT)
    for variables in trials("".join(file.read_text() for file in files)):
        for _attempt in range(MOST_MISSING):
            recorded = record(DOCKER, copies, variables)
            missing = MISSING_FILE.search(recorded.stderr)
            if not recorded.code or not missing or not missing[1].startswith(str(folder)):
                break
            Path(missing[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(missing[1]).write_text("A=1\n")
        comparison = compare(converted(copies, variables), recorded)
        if comparison.outcome != BOTH_REJECT:
            break
    return comparison


def test_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(path for path in Path(CORPUS).iterdir() if path.suffix in (".yml", ".yaml"))
    assert files, f"{CORPUS} holds no stack files"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        comparisons = dict(zip(files, pool.map(lambda file: compared(file, tmp_path), files), strict=True))
    counts = Counter(comparison.outcome for comparison in comparisons.values())
    unexplained = [
        f"{file.name}\n    " + "\n    ".join(comparison.lines[:5])
        for file, comparison in comparisons.items()
        if comparison.outcome == UNEXPLAINED
    ]
    with capsys.disabled():
        print(f"\n{len(files)} stack files: {counts.pop(EQUAL, 0)} equal, {counts.pop(BOTH_REJECT, 0)} both reject, ", end="")
        print(f"{counts.pop(UNEXPLAINED, 0)} unexplained, {sum(counts.values())} named differences")
        print("".join(f"  {count:4} {name}\n" for name, count in sorted(counts.items())), end="")
    assert not unexplained, "\n".join(unexplained)
