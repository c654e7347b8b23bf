# SPDX-License-Identifier: GPL-3.0-or-later
"""No request fails, whatever is done."""

from __future__ import annotations

import sys

import outside
import pytest
from load_home import Home
from load_rows import ROWS, Row, a_twin
from tally import HEADINGS, failures, line

# A thousand requests in a row, and more where what is done takes longer.
RATE, REQUESTS = 40.0, 1000


@pytest.fixture(scope="module")
def home() -> Home:
    """With what the rows need and nothing else: what other tests have exposed would leave the ingress under the first row's load."""
    found = Home(outside.INVENTORY, RATE, REQUESTS, version=400)
    a_twin(found)
    return found


@pytest.mark.parametrize("row", [row for row in ROWS if row.short], ids=lambda row: row.name)
def test_no_request_fails(row: Row, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    tally = row.play(home)
    if row.bad:
        # it was seen, and then it was not any more
        assert any(answer.version == str(home.version) for answer in tally.failed)
        assert tally.answers[-1].version != str(home.version)
        tally = tally.but(str(home.version))
    with capsys.disabled():
        print(f"\n{dict(zip(HEADINGS, line(row.name, tally), strict=True))}", file=sys.stderr)
    assert list(failures(tally)) == []
    assert len(tally.answers) >= REQUESTS
    # each ingress node took its share
    assert {node for node in home.managers if tally.through(node).answers} == set(home.managers)
