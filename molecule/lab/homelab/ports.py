# SPDX-License-Identifier: GPL-3.0-or-later
"""Free loopback ports: neither bound now nor promised to a container that is stopped."""

from __future__ import annotations

import socket

from .engine import Engine

LAST_PORT = 32767


class Ports:
    def __init__(self, promised: set[int]) -> None:
        self._promised = set(promised)

    def take(self, preferred: int) -> int:
        """The first free port from this one on."""
        port = next(port for port in range(preferred, LAST_PORT) if port not in self._promised and _is_free(port))
        self._promised.add(port)
        return port


def promised_ports(engine: Engine) -> set[int]:
    """Ports that existing containers publish, or will again once started."""
    promised: set[int] = set()
    for container in engine.containers(all=True):
        bindings = engine.inspect_container(container["Id"])["HostConfig"]["PortBindings"] or {}
        promised.update(int(binding["HostPort"]) for taken in bindings.values() for binding in taken if binding["HostPort"])
    return promised


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
