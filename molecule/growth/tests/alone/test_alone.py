# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine: the app from its own registry answers with a certificate that an ACME server has signed."""

from __future__ import annotations

import ssl
from typing import Any

import outside
import pytest
from home_registry import REGISTRY, login, password
from outside import eventually

testinfra_hosts = ["ansible://swarm_managers"]
(NODE,) = outside.nodes()
AUTHORITY = outside.HOME / "authority.crt"


def test_the_app_answers_with_a_certificate_by_acme() -> None:
    about = eventually(lambda: NODE.ask("/api/about", ca=AUTHORITY), bool)
    assert (about["version"], about["node"]) == ("1.0", "manager1")


def test_the_certificate_is_not_by_the_internal_authority() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        NODE.ask("/api/about")


def test_http_3_is_offered_and_spoken(host: Any) -> None:
    """By the address of the node, as from another machine."""
    host.check_output("printf %s %s > /run/authority.crt", "%s", AUTHORITY.read_text())
    address = host.ansible.get_variables()["lab_address"]
    resolve = f"--resolve guestbook.home.arpa:443:{address}"
    ask = f"curl --silent --show-error --max-time 20 --cacert /run/authority.crt {resolve} https://guestbook.home.arpa/api/about"
    assert 'alt-svc: h3=":443"' in host.check_output(f"{ask} --dump-header -")
    assert host.check_output(f"{ask} --http3-only --output /dev/null --write-out '%{{http_version}}'") == "3"


def test_the_registry_refuses_a_wrong_password(host: Any) -> None:
    refused = login(host, "not the password")
    assert refused.failed
    assert "401 Unauthorized" in refused.stderr


def test_the_registry_accepts_the_right_password(host: Any) -> None:
    accepted = login(host, password())
    assert accepted.succeeded, accepted.stderr


def test_the_registry_says_nothing_without_a_password(host: Any) -> None:
    asked = f"curl --silent --cacert /etc/docker/certs.d/{REGISTRY}/ca.crt --write-out '%{{http_code}}' https://{REGISTRY}/v2/_catalog"
    said = host.check_output(asked)
    assert said.endswith("401")
    assert "guestbook" not in said
