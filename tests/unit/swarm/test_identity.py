# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which swarm a certificate and a token are of, by those of a real node."""

from __future__ import annotations

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._identity import ca_digest, ca_of_token, swarm_of

NODE = """\
-----BEGIN CERTIFICATE-----
MIICNDCCAdugAwIBAgIUXr+dYP1wjQ2UXo+PJmZ7A3AFi7kwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTIzMTE0NTAwWhcNMjcwMjIxMTI0
NTAwWjBgMSIwIAYDVQQKExlicmN3Z3BoZGpzNXV4dHFpb2dhOHU2dWU2MRYwFAYD
VQQLEw1zd2FybS1tYW5hZ2VyMSIwIAYDVQQDExlxcndwcmNlMTBrMXF0Z2VsbTk5
eWl3eHduMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDAI2vSgiBmsS76Iw5A67
nIMBc18VQneG2Om2YeFZh/pk0a29Fsk1ILn2O9AwCf2MtnTwKWAQy1PAikwHR01P
gaOBvzCBvDAOBgNVHQ8BAf8EBAMCBaAwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsG
AQUFBwMCMAwGA1UdEwEB/wQCMAAwHQYDVR0OBBYEFL0pWSmmaVPBxyhdOX/Fme7g
16kzMB8GA1UdIwQYMBaAFKFwok+8swI9mowmvdpc6UVlWLoqMD0GA1UdEQQ2MDSC
DXN3YXJtLW1hbmFnZXKCGXFyd3ByY2UxMGsxcXRnZWxtOTl5aXd4d26CCHN3YXJt
LWNhMAoGCCqGSM49BAMCA0cAMEQCIHIbHhl3fNVCoW/eo4BpqHZMI0P5i1tluB/X
YZc+S3qiAiBdSJs9DfS+16FHGzgAOPOkkSyTAiOphLL+JL1bw7u/Uw==
-----END CERTIFICATE-----
"""
ROOT = """\
-----BEGIN CERTIFICATE-----
MIIBaTCCARCgAwIBAgIUa7zNBTVmlye86jlTP42BZ8oRY+MwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTIzMTI0MDAwWhcNNDYxMTE4MTI0
MDAwWjATMREwDwYDVQQDEwhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABEMsI9YWxQGb3hNLKa6DTG0wLtTULnkJRALuUTIga3NLOQCGJKB/o1ROIJnM
lAPZPHQAdOedTCiBCtKFEVN+7vijQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNVHRMB
Af8EBTADAQH/MB0GA1UdDgQWBBShcKJPvLMCPZqMJr3aXOlFZVi6KjAKBggqhkjO
PQQDAgNHADBEAiBW4yOLZYmRrD12g8QfN9DkhwTMsmbnDlo3FlZH8klkYgIgLhaA
BkG5KdN3gQhsZ908mT6DqIHyC2FFLugwHiM55aE=
-----END CERTIFICATE-----
"""


def test_swarm_of_a_node() -> None:
    assert swarm_of(NODE) == "brcwgphdjs5uxtqioga8u6ue6"


def test_the_nodes_own_certificate_comes_first() -> None:
    assert swarm_of(NODE + ROOT) == "brcwgphdjs5uxtqioga8u6ue6"


@pytest.mark.parametrize("text", ["", "nonsense", ROOT, "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"])
def test_no_swarm(text: str) -> None:
    assert swarm_of(text) is None


def test_the_token_names_the_ca() -> None:
    digest = "5ygcfzed0n1yd76hg5ak4kjwxc64aevuy5gxbarm6ikkjlswj4"
    assert ca_of_token(f"SWMTKN-1-{digest}-0000000000000000000000000") == digest == ca_digest(ROOT)


@pytest.mark.parametrize("token", ["", "nonsense", "SWMTKN-1"])
def test_a_token_that_is_none_names_nothing(token: str) -> None:
    assert ca_of_token(token) == ""
