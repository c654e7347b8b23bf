from __future__ import annotations

import pytest
from ansible_collections.homecloud.swarm.plugins.filter.engines_replaced import engines_replaced

DEBIAN = ["docker.io", "apparmor", "python3-docker"]
VENDOR = ["docker-ce=5:28*", "docker-ce-cli", "python3-docker"]


@pytest.mark.parametrize(
    ("wanted", "dpkg", "program", "replaced"),
    [
        pytest.param(DEBIAN, "ii \tapparmor\t3", "", [], id="bare"),
        pytest.param(DEBIAN, "ii \tdocker.io\t26", "/usr/sbin/dockerd", [], id="there already"),
        pytest.param(DEBIAN, "ii \tdocker-ce\t28\nii \tdocker-ce-cli\t28", "/usr/bin/dockerd", ["docker-ce"], id="another one"),
        pytest.param(DEBIAN, "hi \tdocker-ce\t28", "/usr/bin/dockerd", ["docker-ce"], id="another one on hold"),
        pytest.param(DEBIAN, "rc \tdocker-ce\t28", "", [], id="another one that is removed"),
        pytest.param(DEBIAN, "iU \tdocker.io\t26", "/usr/sbin/dockerd", [], id="its installation broken off"),
        pytest.param(DEBIAN, "ii \tzlib\t1", "/usr/local/bin/dockerd", ["/usr/local/bin/dockerd"], id="no package"),
        pytest.param(["python3-docker"], "ii \tzlib\t1", "/usr/local/bin/dockerd", [], id="no package, and to be kept"),
        pytest.param(VENDOR, "ii \tdocker-ce\t27", "/usr/bin/dockerd", [], id="another version"),
        pytest.param(VENDOR, "ii \tdocker.io\t26", "/usr/sbin/dockerd", ["docker.io"], id="the distribution's"),
    ],
)
def test_what_would_be_replaced(wanted: list[str], dpkg: str, program: str, replaced: list[str]) -> None:
    assert engines_replaced(wanted, f"os-release: ID=debian\n{dpkg}\n", program) == replaced
