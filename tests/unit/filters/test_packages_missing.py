from __future__ import annotations

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.packages_missing import packages_missing

DPKG = "/usr/sbin/dockerd\nactive\nii \tdocker.io\t26.1.5+dfsg1-9+b9\nhi \tiptables\t1.8.9-2\nrc \tpython3-docker\t7.1.0-2\nun \tdocker\t\n"


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (["docker.io", "iptables"], []),
        (["docker.io", "python3-yaml"], ["python3-yaml"]),
        (["python3-docker"], ["python3-docker"]),  # removed, its configuration left behind
        (["docker"], ["docker"]),
        (["docker.io=26.1.5*"], []),
        (["docker.io=28.*"], ["docker.io=28.*"]),
        ([], []),
    ],
)
def test_what_is_missing(wanted: list[str], missing: list[str]) -> None:
    assert packages_missing(wanted, DPKG) == missing


def test_everything_is_missing_where_dpkg_was_not_asked() -> None:
    assert packages_missing(["docker.io"], "") == ["docker.io"]
