# SPDX-License-Identifier: GPL-3.0-or-later
"""The same app behind the same ingress, once deployed by us and once by `docker stack deploy`, updated under the same load."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from load_home import PLAIN_HOST, SCENARIO, Home
from load_rows import Row

PLAIN = "plain"
#: What the ingress is told of it.
BESIDE = [{"name": PLAIN, "expose": [{"service": "web", "port": 8000, "host": PLAIN_HOST}]}]


@dataclass(frozen=True)
class Side:
    """A way to deploy. ``update`` is what its file says of updates; None is ours, whose file says nothing."""

    name: str
    update: Mapping[str, Any] | None = None


OURS = Side("homecloud.swarm")
SIDES = (OURS, Side("docker stack deploy", {}), Side("docker stack deploy, start-first", {"order": "start-first"}))


@dataclass(frozen=True)
class Change:
    """An update of so many replicas to a version that behaves so."""

    name: str
    replicas: int
    good: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


CHANGES = (
    Change("update of 3 replicas", 3),
    Change("update of 1 replica", 1),
    Change("update of 1 replica to a version that is sick", 1, good=False, environment={"BEHAVE": "sick"}),
)


def compared() -> Iterator[Row]:
    for change in CHANGES:
        for side in SIDES:
            yield _ours(change) if side is OURS else _plain(change, side)


def _ours(change: Change) -> Row:
    def before(home: Home) -> None:
        home.apply(load_replicas=change.replicas)

    def act(home: Home) -> None:
        changes = {"load_version": home.next_version(), **{f"load_{key.lower()}": value for key, value in change.environment.items()}}
        home.apply(**changes) if change.good else home.apply_in_vain(**changes)

    return Row(f"{change.name} | {OURS.name}", act, before)


def _plain(change: Change, side: Side) -> Row:
    def before(home: Home) -> None:
        if "load_beside" not in home.now:
            home.apply(load_beside=BESIDE)
        # from nothing, as what failed before may be stuck
        home.command(home.managers[0], f"docker stack rm {PLAIN}")
        home.wait("the plain stack is gone", lambda: PLAIN not in home.command(home.managers[0], "docker stack ls"))
        deploy(home, document(home, side, change.replicas, {}))
        home.wait("the plain stack runs", lambda: len(home.running(f"{PLAIN}_web")) == change.replicas)

    def act(home: Home) -> None:
        # the CLI says of an update that failed that it did, or not, as its release goes: what counts is what the load sees
        deploy(home, document(home, side, change.replicas, change.environment), check=change.good)

    return Row(f"{change.name} | {side.name}", act, before, host=PLAIN_HOST)


def document(home: Home, side: Side, replicas: int, environment: Mapping[str, str]) -> dict[str, Any]:
    """The app's file as the CLI gets it: values in place, no secret, the ingress network as the role would add it."""
    web: dict[str, Any] = yaml.safe_load((SCENARIO / "stack.yml").read_text())["services"]["web"]
    del web["secrets"], web["healthcheck"]["disable"]
    web["image"] = f"{home.registry}/target:2"
    web["environment"] |= {"VERSION": home.next_version(), "BEHAVE": "well", "ON_TERM": "drain", **environment}
    web["deploy"] |= {"replicas": replicas, **({"update_config": dict(side.update)} if side.update else {})}
    web["networks"] = ["ingress"]
    return {"version": "3.8", "services": {"web": web}, "networks": {"ingress": {"external": True, "name": "homecloud_ingress"}}}


def deploy(home: Home, document: dict[str, Any], check: bool = True) -> None:
    home.command(home.managers[0], f"docker stack deploy --detach=false --compose-file - {PLAIN}", text=json.dumps(document), check=check)
