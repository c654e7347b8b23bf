# SPDX-License-Identifier: GPL-3.0-or-later
"""A blue-green release step by step: who sees which version, and what runs."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any

import outside
import pytest
from load_home import RELEASE, Home
from load_rows import TWIN_HOST, a_twin, twin

PREVIEW, OTHER = f"preview.{TWIN_HOST}", "other.home.arpa"
FOLDER = f"/etc/homecloud/ingress/colours/{TWIN_HOST}"
#: A check by a program that is on every node.
TRY = """python3 -c "
import http.client, os, socket
preview = http.client.HTTPConnection(os.environ['PREVIEW_URL'].partition('://')[2])
preview.sock = socket.socket(socket.AF_UNIX)
preview.sock.connect(os.environ['PREVIEW_SOCKET'])
preview.request('GET', '/health')
assert preview.getresponse().status == 200
"
"""
#: Asks often enough to hit the moment of a rename, which one request in a few hundred would.
LEARN = f"""
import http.client, os, socket, threading
os.chdir("{FOLDER}")
mark = os.listdir()[0]
names = [mark, mark + "-another"]
enough = threading.Event()
def learn():
    while not enough.wait(0.002):
        os.rename(*names)
        names.reverse()
    os.rename(names[0], mark)
learning = threading.Thread(target=learn)
preview = http.client.HTTPConnection("{PREVIEW}")
preview.sock = socket.socket(socket.AF_UNIX)
preview.sock.connect("/var/lib/homecloud/ingress/preview.sock")
seen = set()
learning.start()
for _ in range(3000):
    preview.request("GET", "/")
    answer = preview.getresponse()
    answer.read()
    seen.add(answer.status)
    if seen != {{200}}:
        break
enough.set()
learning.join()
print(seen)
"""
FULL = bool(os.environ.get("TEST_FULL"))
#: Less than the ingress goes on trying before it gives up.
IMPATIENT_S = 9
CHANGED = re.compile(r"changed=(\d+)")


@pytest.fixture(scope="module")
def home() -> Home:
    """With a version of an app whose next releases wait to be promoted."""
    found = Home(outside.INVENTORY, 60.0, 1, version=500)
    a_twin(found)
    return found


@pytest.fixture
def under_way(home: Home) -> tuple[str, str]:
    """The old version and the new one, which is only shown."""
    old = home.version_at(TWIN_HOST)
    home.apply(load_more=[twin(home, auto_promote=False)])
    return old, str(home.version)


def changes(ran: subprocess.CompletedProcess[str]) -> int:
    assert not ran.returncode, ran.stdout[-6000:]
    return sum(map(int, CHANGED.findall(ran.stdout)))


def colours(home: Home) -> set[str]:
    told = home.command(home.managers[0], "docker service ls --format '{{.Name}}'")
    return {name for name in told.split() if name.startswith("twin_")}


def test_a_version_that_waits_is_seen_in_the_preview_alone(home: Home, under_way: tuple[str, str]) -> None:
    old, new = under_way
    assert (home.version_at(TWIN_HOST), home.version_at(PREVIEW)) == (old, new)
    assert re.search(r"weight\W+0\b", home.release("status"))
    # neither a run nor a check goes on by itself
    for check in (True, False) if FULL else (False,):
        assert changes(home.play("apps.yml", check=check)) == 0
    both = colours(home)
    assert_moves_on_all_nodes_or_none(home)
    home.release("promote")
    assert home.version_at(TWIN_HOST) == new
    assert len(both) == 2
    assert len(colours(home)) == 1
    # after a release that nobody cut off; test_interrupted.py has it for those that were
    for check in (True, False) if FULL else ():
        assert changes(home.play("apps.yml", check=check)) == 0
    assert_answers_by_what_it_knew(home, both)
    assert_answers_while_it_learns(home)


def assert_moves_on_all_nodes_or_none(home: Home) -> None:
    """A node that a run leaves out, or that does not take its line, would go on sending requests to a version that is removed."""
    promote = {**home.now, "stack": "twin", "step": "promote"}
    first, second, _third = home.managers
    ran = home.play(RELEASE, promote, limit=first)
    assert ran.returncode
    assert f"stays where it is, because ingress nodes would go on sending requests to a version that is removed: {second}," in said(ran)
    assert home.stack("twin")["release"]["phase"] == "preview"
    if not FULL:
        return
    home.command(second, f"mkdir {FOLDER}/zz")
    ran = home.play(RELEASE, promote)
    home.command(second, f"rmdir {FOLDER}/zz")
    assert ran.returncode
    assert f"so nothing more is done: {second}: {FOLDER}/zz is not a file, and only the mark may be there" in said(ran)
    # until it is mended, both versions are there to be asked
    assert len(colours(home)) == 2
    assert {200} == {answer.status for answer in home.answers_at(TWIN_HOST).answers}


def said(ran: subprocess.CompletedProcess[str]) -> str:
    return " ".join(ran.stdout.split())


def assert_answers_by_what_it_knew(home: Home, both: set[str]) -> None:
    """An ingress node that was away while the colours changed knows those of before, and answers all the same."""
    node, (serves,) = home.managers[1], colours(home)
    (gone,) = both - {serves}
    mark = "cd {} && mv * 'old={} new={} share=0 other={}'"
    home.command(node, mark.format(FOLDER, gone, gone, serves))
    tally = home.answers_at(TWIN_HOST)
    home.command(node, mark.format(FOLDER, serves, serves, gone))
    assert {name: set(tally.through(name).versions) for name in home.managers} == {name: {str(home.version)} for name in home.managers}
    assert tally.slowest < IMPATIENT_S


def assert_answers_while_it_learns(home: Home) -> None:
    """What an ingress node looks at for each request is renamed hundreds of times, and no request falls in between."""
    assert home.command(home.managers[0], "python3 -", text=LEARN) == "{200}\n"


@pytest.mark.skipif(not FULL, reason="a minute; `make test-full` plays it, unit tests tell what it removes")
def test_an_abort_leaves_the_old_version(home: Home, under_way: tuple[str, str]) -> None:
    old, _new = under_way
    home.release("abort")
    assert (home.version_at(TWIN_HOST), home.version_at(PREVIEW)) == (old, old)
    assert len(colours(home)) == 1
    assert "No release is under way" in home.release("status")


@pytest.mark.skipif(not FULL, reason="two minutes; `make test-full` plays it, and make test a release that is taken back by its watch")
def test_a_release_that_is_taken_back_stops_no_other(home: Home) -> None:
    """One's checks fail in every way that they can, the other one's are well; what a check's command has started ends with it."""
    good: dict[str, Any] = {"checks": [{"path": "/", "headers": {"X-Version": ""}}, {"command": TRY}], "auto_promote": True}
    bad: dict[str, Any] = {
        "checks": [{"path": "/", "contains": "welcome"}, {"command": "sleep 600", "timeout": 2}, {"command": "echo broken >&2; exit 3"}]
    }

    def apps(**release: Any) -> list[dict[str, Any]]:
        one, other = twin(home, auto_promote=True, **release), twin(home, **good)
        return [one, {**other, "name": "other", "expose": [{**other["expose"][0], "host": OTHER}]}]

    home.apply(load_more=apps(checks=[]))
    before = home.version_at(TWIN_HOST)
    ran = home.play("apps.yml", {**home.now, "load_more": apps(**bad)})
    assert ran.returncode
    for words in ("does not contain 'welcome'", "'sleep 600' did not end in 2 s", "ended with 3 and said: broken"):
        assert words in said(ran)
    assert (home.version_at(TWIN_HOST), home.version_at(OTHER)) == (before, str(home.version))
    assert [home.command(name, "pgrep -f 'sleep [6]00'", check=False) for name in home.managers] == [""] * len(home.managers)
    home.apply(load_more=[{"name": "other", "state": "absent"}, twin(home, auto_promote=False, version=before)])
