# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that rotate, fail and come back are told nowhere, while it is done and after it. A planted one shows that the search finds."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import leaks
import outside
import plays
import pytest
from access import Node
from driver import Driver, eventually

STACK = "secrecy"
PLAYBOOK = Path(__file__).parents[1] / "secrecy.yml"
NAMES = ("first", "second", "third", "fourth", "shared_first", "shared_second", "planted")
#: How Ansible starts a module: what the watch has to see to be worth something.
MODULE = "python3 && sleep 0"
HERE = "here"


@dataclass(frozen=True)
class Played:
    output: str
    #: what was seen while it was played, machine by machine
    watches: dict[str, leaks.Watch]
    #: what Ansible keeps of facts
    cache: str


@pytest.fixture(scope="module")
def values() -> dict[str, str]:
    return {name: secrets.token_hex(12) for name in NAMES}


@pytest.fixture(scope="module")
def real(values: dict[str, str]) -> list[str]:
    return [value for name, value in values.items() if name != "planted"]


@pytest.fixture(scope="module")
def nodes(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Node]:
    return {node.name: Node(node.name, tmp_path_factory.mktemp(node.name)) for node in outside.nodes()}


def careless(node: Node, value: str) -> subprocess.Popen[str]:
    """A process that has the value among its arguments and in its environment, until its input ends."""
    return node.start("env", f"VALUE={value}", "sh", "-c", "read line", value)


@pytest.fixture(scope="module", autouse=True)
def clean(driver: Driver) -> Iterator[None]:
    yield
    driver.remove(STACK)
    for item in driver.engine.get("/secrets", filters={"name": [f"{STACK}_"]}):
        driver.engine.delete(f"/secrets/{item['ID']}")


@pytest.fixture(scope="module")
def played(
    driver: Driver,
    nodes: dict[str, Node],
    values: dict[str, str],
    real: list[str],
    full: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> Played:
    folder = tmp_path_factory.mktemp("secrecy")
    given = folder / "values.json"
    given.touch(0o600)
    given.write_text(json.dumps(values))
    cache = folder / "facts"
    wanted = {"real": real, "planted": [values["planted"]], "module": [MODULE]}
    with ExitStack() as stack:
        watches = {name: stack.enter_context(leaks.watched(node.start, wanted, *leaks.TEMPORARY)) for name, node in nodes.items()}
        watches[HERE] = stack.enter_context(leaks.watched(leaks.start_here, wanted))
        there = watches[driver.node.name]
        process = careless(driver.node, values["planted"])
        try:
            both = {("planted", "arguments"), ("planted", "environment")}
            assert eventually(lambda: both <= there.seen), there.seen
        finally:
            process.communicate("")
        caching = {"ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache)}
        ran = plays.play(str(PLAYBOOK), [given], "-vvvv", "--diff", environment=caching, full=full)
        assert ran.returncode == 0, ran.stdout[-5000:]
    return Played(ran.stdout, watches, "\n".join(path.read_text() for path in sorted(cache.rglob("*")) if path.is_file()))


def test_nothing_is_printed(played: Played, values: dict[str, str], real: list[str]) -> None:
    printed = leaks.printed(played.output)
    # worth a search: arguments of modules, plans, a wait that was handed on, and the log of what failed are there
    for words in ("module_args", "version 1 -> version 2", "secrecy: web", '"turns": ', "the password is"):
        assert words in printed, words
    assert not leaks.hidden_in(printed, *real)
    assert leaks.hidden_in(printed, values["planted"])


def test_nothing_is_seen_while_it_is_done(played: Played, driver: Driver) -> None:
    for name, watch in played.watches.items():
        assert not {place for what, place in watch.seen if what == "real"}, (name, watch.seen)
        assert watch.rounds > 20, (name, watch.rounds)
    there = played.watches[driver.node.name]
    assert ("module", "arguments") in there.seen
    # the value that was handed over without pipelining
    assert ("planted", "file") in there.seen
    print({name: watch.rounds for name, watch in played.watches.items()})


def test_nothing_is_kept_with_facts(played: Played, values: dict[str, str], real: list[str]) -> None:
    assert not leaks.hidden_in(played.cache, *real)
    assert leaks.hidden_in(played.cache, values["planted"])


def test_nothing_is_told_by_the_swarm(played: Played, driver: Driver, values: dict[str, str], real: list[str]) -> None:
    assert {revision["verdict"] for revision in driver.revisions(STACK)} == {"converged", "rolled_back"}
    assert not leaks.hidden_in(leaks.told(driver.engine.get), *real)
    label = {"Name": "planted", "Data": "eA==", "Labels": {"leak": values["planted"]}}
    planted = driver.engine.post("/configs/create", label)
    assert leaks.hidden_in(leaks.told(driver.engine.get), values["planted"])
    driver.engine.delete(f"/configs/{planted['ID']}")


def test_nothing_is_left_on_nodes(played: Played, nodes: dict[str, Node], values: dict[str, str], real: list[str]) -> None:
    # the app itself has told this one
    quiet = [value for value in real if value != values["third"]]
    leak = "/etc/planted"

    def look(node: Node) -> tuple[set[str], set[str]]:
        def run(script: str, text: str) -> str:
            return node.check("sh", "-c", script, text=text)

        places = {**leaks.PLACES, **leaks.SWARM}
        node.check("sh", "-c", f"cat > {leak}", text=values["planted"])
        planted = leaks.found(run, [values["planted"]], {"file": places["file"]})
        node.check("rm", leak)
        without_log = {place: show for place, show in places.items() if place != "log of a container"}
        return leaks.found(run, real, without_log) | leaks.found(run, quiet, places), planted

    with ThreadPoolExecutor(len(nodes)) as pool:
        for name, (seen, planted) in zip(nodes, pool.map(look, nodes.values()), strict=True):
            assert (seen, planted) == (set(), {"file"}), name


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_the_search_knows_a_value_in_disguise(before: str) -> None:
    value = secrets.token_hex(12)
    for text in (value, value.encode().hex(), base64.b64encode(f"{before}{value} and more".encode()).decode()):
        assert leaks.hidden_in(f"see {text} there", value) == {value}
    assert not leaks.hidden_in(secrets.token_hex(12), value)
