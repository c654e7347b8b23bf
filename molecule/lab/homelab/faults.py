# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to servers: switched off, unplugged, hung, cut from the network; and back."""

from __future__ import annotations

import re
from collections.abc import Callable

from docker.errors import APIError, NotFound

from . import labels
from .engine import Engine
from .errors import LabError
from .images import find_apps
from .labels import Lab

LONG_ID = re.compile(r" ?[0-9a-f]{64}")

# Outgoing answers to SSH come with the port they came to; everything else on the node's only way out is lost, tunnels of
# overlay networks and traffic of its containers included. Before NAT and connection tracking, so that both directions agree.
CUT = """
add table inet homecloud_cut
delete table inet homecloud_cut
table inet homecloud_cut {
  chain arriving {
    type filter hook prerouting priority -400; policy accept;
    iifname "eth0" tcp dport != 22 drop
    iifname "eth0" meta l4proto != tcp drop
  }
  chain leaving {
    type filter hook postrouting priority 400; policy accept;
    oifname "eth0" tcp sport != 22 drop
    oifname "eth0" meta l4proto != tcp drop
  }
}
"""
HEAL = """
add table inet homecloud_cut
delete table inet homecloud_cut
"""


def stop(engine: Engine, container: str) -> None:
    """Shut down in order."""
    engine.stop(container)


def kill(engine: Engine, container: str) -> None:
    """Pull the plug."""
    engine.kill(container)


def pause(engine: Engine, container: str) -> None:
    """Hang: connections stay open, nothing answers."""
    engine.pause(container)


def unpause(engine: Engine, container: str) -> None:
    engine.unpause(container)


def start(engine: Engine, container: str) -> None:
    """Switch on; the lab's `start` waits until it is ready as well."""
    engine.start(container)


def cut(engine: Engine, container: str) -> None:
    """Nothing but SSH gets in or out, so that the node can still be looked at."""
    _load_rules(engine, container, CUT)


def heal(engine: Engine, container: str) -> None:
    _load_rules(engine, container, HEAL)


FAULTS: dict[str, Callable[[Engine, str], None]] = {
    "stop": stop,
    "kill": kill,
    "pause": pause,
    "unpause": unpause,
    "start": start,
    "cut": cut,
    "heal": heal,
}


# A guest's frames pass by the packet filter of the container around it.
NOT_FOR_GUESTS = ("cut", "heal")


def inflict(engine: Engine, lab: Lab, fault: str, node: str) -> None:
    container = lab.container(node)
    try:
        if fault in NOT_FOR_GUESTS and engine.inspect_container(container)["Config"]["Labels"][labels.FLAVOUR] == "guest":
            raise LabError(f"{node} is a guest, and the lab cannot {fault} guests: choose kill or pause.")
        FAULTS[fault](engine, container)
    except NotFound as error:
        raise LabError(f"There is no node {node} in the lab {lab.name}: `lab.py status` lists them.") from error
    except APIError as error:
        raise LabError(f"Could not {fault} {node}: {LONG_ID.sub('', str(error.explanation))}.") from error


def _load_rules(engine: Engine, container: str, rules: str) -> None:
    """From outside: a bare node has no packet filter, and a node's own rules must stay as they are."""
    probe = next(app for app in find_apps() if app.name == "probe")
    visitor = engine.create_container_from_config(
        {
            "Image": probe.recipes[probe.tag].image,
            "Cmd": ["nft", rules],
            "HostConfig": {"NetworkMode": f"container:{container}", "CapAdd": ["NET_ADMIN"]},
        }
    )["Id"]
    try:
        engine.start(visitor)
        if engine.wait(visitor)["StatusCode"]:
            words = engine.logs(visitor).decode(errors="replace").strip().splitlines()[-1:]
            raise LabError(f"The packet filter of {container} refused the rules: {' '.join(words)}")
    finally:
        engine.remove_container(visitor, force=True)
