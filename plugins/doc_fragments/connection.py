# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say where the engine is."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options in module_utils/_swarm_module.py."""

    DOCUMENTATION = r"""
options:
  docker_host:
    description:
      - Where the engine listens, as a path of a socket (C(unix:///var/run/docker.sock)) or an address (C(tcp://192.0.2.10:2376)).
      - Environment variable E(DOCKER_HOST) on the managed node is used when the option is not set.
    type: str
    default: unix:///var/run/docker.sock
    aliases: [docker_url]
  tls:
    description:
      - Use TLS towards the engine, without checking its certificate. Ignored when O(validate_certs=true).
      - Environment variable E(DOCKER_TLS) on the managed node is used when the option is not set.
    type: bool
    default: false
  validate_certs:
    description:
      - Use TLS towards the engine and check its certificate.
      - Environment variable E(DOCKER_TLS_VERIFY) on the managed node is used when the option is not set.
    type: bool
    default: false
    aliases: [tls_verify]
  ca_path:
    description:
      - File on the managed node with the CA certificate that O(validate_certs=true) checks against.
    type: path
    aliases: [ca_cert, tls_ca_cert, cacert_path]
  client_cert:
    description:
      - File on the managed node with the certificate that this client shows to the engine.
    type: path
    aliases: [tls_client_cert, cert_path]
  client_key:
    description:
      - File on the managed node with the key of O(client_cert).
    type: path
    aliases: [tls_client_key, key_path]
  api_version:
    description:
      - Version of the Engine API to speak. V(auto) takes the newest that both sides know.
      - Environment variable E(DOCKER_API_VERSION) on the managed node is used when the option is not set.
    type: str
    default: auto
    aliases: [docker_api_version]
  timeout:
    description:
      - Seconds to wait for one answer of the engine.
      - Environment variable E(DOCKER_TIMEOUT) on the managed node is used when the option is not set.
    type: int
    default: 60
requirements:
  - Docker Engine 20.10 or newer (API 1.41)
  - Python >= 3.9
  - Docker SDK for Python >= 5.0.3 (Debian's package python3-docker)
"""
