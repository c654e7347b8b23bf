# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: brought to its wanted shape, listed, removed."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from . import labels
from .engine import Engine, ensure_engine, one_at_a_time, stop_engine
from .errors import LabError
from .faults import inflict
from .images import App, build_all, find_apps, node_recipe
from .inventory import inventory, known_hosts, write_inventory
from .keys import SshKey, Tls
from .nodes import Host, Placement, await_ready, container_config, furnish, inspect_host, place, placement_of
from .ports import Ports, promised_ports
from .progress import at_once, say, step
from .registry import REGISTRY, ensure_registry, push_all
from .shape import Node, Shape

# The range for benchmarks: no home, office, Docker or Swarm default lies in it.
SUBNETS = ipaddress.ip_network("198.18.0.0/15")
DEFAULT_LAB = "default"


@dataclass(frozen=True)
class Home:
    """Where the files of labs are kept: `.lab/` of the checkout."""

    root: Path

    @property
    def engine(self) -> Path:
        return self.root / "engine"

    def lab(self, name: str) -> Path:
        return self.root / name

    def inventory(self, name: str) -> Path:
        return (self.root if name == DEFAULT_LAB else self.lab(name)) / "inventory.yml"


def up(home: Home, shape: Shape, extra: Iterable[Path] = ()) -> Path:
    """Bring the lab to this shape; the path of its inventory."""
    folder = home.lab(shape.lab)
    folder.mkdir(parents=True, exist_ok=True)
    nodes = shape.nodes()
    apps = find_apps(extra)
    with one_at_a_time():
        engine = ensure_engine(home.engine)
        _check_owner(engine, shape.lab, folder)
        ids = build_images(engine, {(node.release, node.bare) for node in nodes}, apps)
        host = inspect_host(engine, home.root / "host.json", ids[node_recipe(nodes[0].release, nodes[0].bare).image])
        _check_host(host, nodes)
        login, tls = SshKey.kept(folder / "id_ed25519"), Tls.kept(folder)
        with step(f"starting {len(nodes)} nodes of the lab {shape.lab}"):
            prefix = _ensure_network(engine, shape.lab, folder)
            ports = Ports(promised_ports(engine))
            _remove_misfits(engine, shape.lab, nodes)
            placements = {
                node: _ensure_container(engine, shape.lab, folder, node, ports, prefix, ids, host, login, tls) for node in nodes
            }
            at_once(lambda node: engine.start(labels.object_name(shape.lab, node.name)), nodes, len(nodes))
            registry_app = next(app for app in apps if app.name == REGISTRY)
            port = ensure_registry(engine, shape.lab, folder, prefix, tls, ports, registry_app.recipes[registry_app.tag].image)
    push_all(engine, apps, ids, port, tls)
    with step("waiting for systemd, sshd and the engines"):
        at_once(lambda node: await_ready(engine, shape.lab, node, host, placements[node].ssh_port), nodes, len(nodes))
    host_keys = [(placements[node], SshKey.kept(_host_key(folder, node))) for node in nodes]
    (folder / "known_hosts").write_text(known_hosts(host_keys))
    write_inventory(home.inventory(shape.lab), inventory(shape.lab, folder, placements.items(), apps))
    return home.inventory(shape.lab)


def build_images(engine: Engine, flavours: Iterable[tuple[str, bool]], apps: Iterable[App]) -> dict[str, str]:
    nodes = [node_recipe(release, bare) for release, bare in sorted(flavours)]
    return build_all(engine, [*nodes, *(recipe for app in apps for recipe in app.recipes.values())])


def fault(engine: Engine, home: Home, lab: str, kind: str, name: str) -> None:
    """Do this to a node; `start` returns when it is ready again."""
    inflict(engine, lab, kind, name)
    if kind == "start":
        container = engine.inspect_container(labels.object_name(lab, name))
        host = inspect_host(engine, home.root / "host.json", container["Image"])
        await_ready(engine, lab, _node_of(container), host, placement_of(container, lab).ssh_port)


def status(engine: Engine) -> list[dict[str, str]]:
    """A row for every node of every lab on this engine."""
    rows = []
    for found in engine.containers(all=True, filters={"label": labels.NODE}):
        container = engine.inspect_container(found["Id"])
        node, lab = _node_of(container), container["Config"]["Labels"][labels.LAB]
        placement = placement_of(container, lab)
        rows.append(
            {
                "lab": lab,
                "node": node.name,
                "state": container["State"]["Status"],
                "debian": node.release,
                "flavour": node.flavour,
                "address": placement.address,
                "ssh": str(placement.ssh_port),
                "https": str(placement.https_port),
                "http": str(placement.http_port),
            }
        )
    return sorted(rows, key=lambda row: (row["lab"], row["node"]))


def down(engine: Engine, home: Home, lab: str) -> None:
    """Remove the lab's containers with their volumes, its network and its files."""
    chosen = {"label": f"{labels.LAB}={lab}"}
    containers = [container["Id"] for container in engine.containers(all=True, filters=chosen)]
    at_once(lambda container: _remove(engine, container), containers, 4)
    for network in engine.networks(filters=chosen):
        engine.remove_network(network["Id"])
    home.inventory(lab).unlink(missing_ok=True)
    shutil.rmtree(home.lab(lab), ignore_errors=True)


def clean(engine: Engine | None, home: Home) -> None:
    """Leave nothing: labs, images, the registry's volume, the engine if it was started here, files."""
    if engine is not None:
        for lab in sorted({network["Labels"][labels.LAB] for network in engine.networks(filters={"label": labels.LAB})}):
            with step(f"removing the lab {lab}"):
                down(engine, home, lab)
        for image in engine.images(filters={"label": labels.LAB_IMAGE}):
            engine.remove_image(image["Id"], force=True)
        try:
            engine.remove_volume(labels.REGISTRY_VOLUME)
        except NotFound:
            pass
    if stop_engine(home.engine):
        say("stopped the engine")
    shutil.rmtree(home.root, ignore_errors=True)


def _check_owner(engine: Engine, lab: str, folder: Path) -> None:
    for network in engine.networks(filters={"label": f"{labels.LAB}={lab}"}):
        owner = Path(network["Labels"][labels.HOME])
        if owner != folder and owner.exists():
            raise LabError(f"The lab {lab} was made from {owner.parent.parent}: choose another LAB_NAME, or remove it there first.")


def _check_host(host: Host, nodes: Iterable[Node]) -> None:
    for node in nodes:
        if node.bare and not host.runs_systemd(node.release):
            raise LabError(
                f"{node.name}: the systemd of {node.release} needs cgroup v2 and this host has v1, so a bare {node.release} node cannot "
                "run here: leave LAB_BARE out, or choose another release."
            )


def _ensure_network(engine: Engine, lab: str, folder: Path) -> str:
    """The first three numbers of the lab network's addresses."""
    name = labels.object_name(lab)
    try:
        found = engine.inspect_network(name)
        return str(found["IPAM"]["Config"][0]["Subnet"]).rpartition(".")[0]
    except NotFound:
        pass
    taken = [
        ipaddress.ip_network(config["Subnet"])
        for network in engine.networks()
        for config in network["IPAM"]["Config"] or ()
        if ":" not in config["Subnet"]
    ]
    subnet = next(subnet for subnet in SUBNETS.subnets(new_prefix=24) if not any(subnet.overlaps(other) for other in taken))
    engine.create_network(
        name,
        driver="bridge",
        ipam={"Driver": "default", "Config": [{"Subnet": str(subnet)}]},
        labels={labels.LAB: lab, labels.HOME: str(folder)},
    )
    return str(subnet).rpartition(".")[0]


def _remove_misfits(engine: Engine, lab: str, nodes: Iterable[Node]) -> None:
    """Nodes that the wanted shape has not, or has otherwise."""
    wanted = {node.name: node for node in nodes}
    for found in engine.containers(all=True, filters={"label": [f"{labels.LAB}={lab}", labels.NODE]}):
        node = _node_of(engine.inspect_container(found["Id"]))
        if wanted.get(node.name) != node:
            say(f"removing {node.name} ({node.release}, {node.flavour})")
            _remove(engine, found["Id"])


def _ensure_container(
    engine: Engine,
    lab: str,
    folder: Path,
    node: Node,
    ports: Ports,
    prefix: str,
    ids: dict[str, str],
    host: Host,
    login: SshKey,
    tls: Tls,
) -> Placement:
    name = labels.object_name(lab, node.name)
    image = node_recipe(node.release, node.bare).image
    try:
        container = engine.inspect_container(name)
        if container["Image"] != ids[image]:
            say(f"{node.name} still runs from an older {image}: `lab.py down` first for the new one")
        return placement_of(container, lab)
    except NotFound:
        pass
    placement = place(ports, node, prefix)
    engine.create_container_from_config(container_config(lab, folder, node, placement, image, host), name)
    furnish(engine, name, login, SshKey.kept(_host_key(folder, node)), tls.ca)
    return placement


def _host_key(folder: Path, node: Node) -> Path:
    return folder / f"{node.name}.ssh_host_key"


def _node_of(container: dict[str, Any]) -> Node:
    marks = container["Config"]["Labels"]
    address = next(iter(container["NetworkSettings"]["Networks"].values()))["IPAMConfig"]["IPv4Address"]
    return Node(
        name=marks[labels.NODE],
        group=marks[labels.GROUP],
        release=marks[labels.RELEASE],
        bare=marks[labels.FLAVOUR] == "bare",
        host_number=int(address.rpartition(".")[2]),
    )


def _remove(engine: Engine, container: str) -> None:
    try:
        engine.remove_container(container, v=True, force=True)
    except NotFound:
        pass
    except APIError as error:
        raise LabError(f"The container {container[:12]} could not be removed: {error.explanation}") from error
