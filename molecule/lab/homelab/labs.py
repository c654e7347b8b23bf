# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: brought to its wanted shape, listed, removed."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from . import labels
from .engine import Engine, ensure_engine, one_at_a_time, stop_engine
from .errors import LabError
from .faults import inflict
from .images import GUEST_IMAGE, App, build_all, find_apps, guest_recipe, node_image, node_recipe
from .inventory import inventory, known_hosts, write_inventory
from .keys import Keys, SshKey
from .labels import Lab
from .nodes import (
    REGISTRY_NUMBER,
    Host,
    Placement,
    await_ready,
    cgroup_version,
    container_config,
    create_node,
    has_ipvs,
    inspect_host,
    node_of,
    place,
    placement_of,
    runs_systemd,
)
from .ports import Ports, promised_ports
from .progress import at_once, say, step
from .registry import FIRST_PORT, REGISTRY, await_registry, create_registry, push_all, registry_config
from .shape import GUEST_RELEASE, Node, Shape

# The range for benchmarks: no home, office, Docker or Swarm default lies in it.
SUBNETS = ipaddress.ip_network("198.18.0.0/15")
DEFAULT_LAB = "default"
GUEST_ARCHITECTURE = "x86_64"


@dataclass(frozen=True)
class Home:
    """Where the files of labs are kept: `.lab/` of the checkout."""

    root: Path

    @property
    def engine(self) -> Path:
        return self.root / "engine"

    @property
    def host(self) -> Path:
        return self.root / "host.json"

    def lab(self, name: str) -> Lab:
        return Lab(name, self.root / name)

    def inventory(self, lab: Lab) -> Path:
        return (self.root if lab.name == DEFAULT_LAB else lab.folder) / "inventory.yml"


def up(home: Home, shape: Shape, extra: Iterable[Path] = ()) -> Path:
    """Bring the lab to this shape; the path of its inventory."""
    lab, nodes, apps = home.lab(shape.lab), shape.nodes(), find_apps(extra)
    lab.folder.mkdir(parents=True, exist_ok=True)
    keys = Keys.kept(lab.folder)
    with one_at_a_time():
        engine = ensure_engine(home.engine)
        _check_owner(engine, lab)
        _check_host(cgroup_version(engine.info()), nodes)
        ids = build_images(engine, {(node.release, node.bare) for node in nodes}, apps, shape.kernel)
        host = inspect_host(engine, home.host, ids[node_recipe(nodes[0].release, nodes[0].bare).image])
        nodes = on_kernel(shape, ids).nodes()
        with step(f"starting {len(nodes)} nodes and the registry of the lab {lab.name}"):
            _remove_misfits(engine, lab, nodes)
            _create_missing(engine, lab, nodes, host, keys)
            containers = [lab.container(name) for name in (REGISTRY, *(node.name for node in nodes))]
            at_once(lambda container: _start(engine, container), containers, len(containers))
    port = await_registry(engine, lab, keys.tls)
    push_all(engine, apps, ids, port, keys.tls)
    with step("waiting for systemd, sshd and the engines"):
        at_once(lambda container: await_ready(engine, container, host), containers[1:], len(nodes))
    placements = {node: placement_of(engine.inspect_container(lab.container(node.name))) for node in nodes}
    _warn_of_old_images(engine, lab, nodes, ids)
    _write_files(home, lab, placements, apps)
    return home.inventory(lab)


def build_images(engine: Engine, flavours: Iterable[tuple[str, bool]], apps: Iterable[App], kernel: str = "host") -> dict[str, str]:
    """Their ids by name. There are guests among them only where the engine's own kernel is not the wanted one."""
    nodes = [node_recipe(release, bare) for release, bare in sorted(flavours)]
    ids = build_all(engine, [*nodes, *(recipe for app in apps for recipe in app.recipes.values())])
    if kernel == "host":
        return ids
    node = ids[node_recipe(GUEST_RELEASE, bare=False).image]
    if has_ipvs(engine, node):
        say("this machine's kernel has IPVS, so nodes are ordinary ones")
        return ids
    if (architecture := engine.info()["Architecture"]) != GUEST_ARCHITECTURE:
        raise LabError(
            f"LAB_KERNEL=ipvs: this machine's kernel has no IPVS, and Debian has the kernel of guests for {GUEST_ARCHITECTURE} only, "
            f"not for {architecture}: load the module ip_vs, or boot a kernel that has it."
        )
    return ids | build_all(engine, [guest_recipe(node)])


def on_kernel(shape: Shape, images: Container[str]) -> Shape:
    """The shape as it can be had here: its nodes are guests if there is an image of guests."""
    return shape if GUEST_IMAGE in images else replace(shape, kernel="host")


def fault(engine: Engine, home: Home, lab: Lab, kind: str, node: str) -> None:
    """Do this to a node, or to the registry; `start` returns when it is ready again."""
    inflict(engine, lab, kind, node)
    if kind == "start" and node == REGISTRY:
        await_registry(engine, lab, Keys.kept(lab.folder).tls)
    elif kind == "start":
        container = lab.container(node)
        image = engine.inspect_container(container)["Image"]
        await_ready(engine, container, inspect_host(engine, home.host, image))


def status(engine: Engine) -> list[dict[str, str]]:
    """A row for every node of every lab on this engine."""
    rows = []
    for found in engine.containers(all=True, filters={"label": labels.NODE}):
        container = engine.inspect_container(found["Id"])
        node, placement = node_of(container), placement_of(container)
        rows.append(
            {
                "lab": container["Config"]["Labels"][labels.LAB],
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


def down(engine: Engine, home: Home, lab: Lab) -> None:
    """Remove the lab's containers with their volumes, its network and its files."""
    containers = [container["Id"] for container in engine.containers(all=True, filters={"label": lab.mark})]
    at_once(lambda container: _remove(engine, container), containers, 4)
    for network in engine.networks(filters={"label": lab.mark}):
        # An engine that was killed can remember endpoints of containers that are long gone.
        for endpoint in engine.inspect_network(network["Id"])["Containers"]:
            engine.disconnect_container_from_network(endpoint, network["Id"], force=True)
        engine.remove_network(network["Id"])
    home.inventory(lab).unlink(missing_ok=True)
    shutil.rmtree(lab.folder, ignore_errors=True)


def clean(engine: Engine | None, home: Home) -> None:
    """Leave nothing: labs, images, the registry's volume, the engine if it was started here, files."""
    if engine is None and home.engine.exists():
        # It was killed: only an engine can remove what it has left.
        engine = ensure_engine(home.engine)
    if engine is not None:
        for name in sorted({network["Labels"][labels.LAB] for network in engine.networks(filters={"label": labels.LAB})}):
            with step(f"removing the lab {name}"):
                down(engine, home, home.lab(name))
        with step("removing the lab's images"):
            for image in engine.images(filters={"label": labels.LAB_IMAGE}):
                with contextlib.suppress(NotFound):
                    engine.remove_image(image["Id"], force=True)
            with contextlib.suppress(NotFound):
                engine.remove_volume(labels.REGISTRY_VOLUME)
    if stop_engine(home.engine):
        say("stopped the engine")
    shutil.rmtree(home.root, ignore_errors=True)


def _check_owner(engine: Engine, lab: Lab) -> None:
    for network in engine.networks(filters={"label": lab.mark}):
        owner = Path(network["Labels"][labels.HOME])
        if owner != lab.folder:
            raise LabError(
                f"A lab named {lab.name} was made from {owner.parent.parent}: choose another LAB_NAME, or remove that one with "
                f"`lab.py down --name {lab.name}`."
            )


def _check_host(cgroup: str, nodes: Iterable[Node]) -> None:
    for node in nodes:
        if node.bare and not runs_systemd(cgroup, node.release):
            raise LabError(
                f"{node.name}: the systemd of {node.release} needs cgroup v2 and this host has v1, so a bare {node.release} node cannot "
                "run here: leave LAB_BARE out, or choose another release."
            )


def _remove_misfits(engine: Engine, lab: Lab, nodes: Iterable[Node]) -> None:
    """Nodes that the wanted shape has not, or has otherwise."""
    wanted = {node.name: node for node in nodes}
    for found in engine.containers(all=True, filters={"label": [lab.mark, labels.NODE]}):
        node = node_of(engine.inspect_container(found["Id"]))
        if wanted.get(node.name) != node:
            say(f"removing {node.name} ({node.release}, {node.flavour})")
            _remove(engine, found["Id"])
            lab.host_key(node.name).unlink(missing_ok=True)


def _create_missing(engine: Engine, lab: Lab, nodes: Iterable[Node], host: Host, keys: Keys) -> None:
    prefix = _ensure_network(engine, lab)
    ports = Ports(promised_ports(engine))
    if not _exists(engine, lab.container(REGISTRY)):
        app = next(app for app in find_apps() if app.name == REGISTRY)
        config = registry_config(lab, f"{prefix}.{REGISTRY_NUMBER}", ports.take(FIRST_PORT), app.recipes[app.tag].image)
        create_registry(engine, lab, config, keys.tls)
    for node in nodes:
        if not _exists(engine, lab.container(node.name)):
            image = node_image(node)
            create_node(engine, lab, node, container_config(lab, node, place(ports, node, prefix), image, host), keys)


def _ensure_network(engine: Engine, lab: Lab) -> str:
    """The first three numbers of the lab network's addresses."""
    networks = engine.networks()
    configs = [(str(network["Name"]), str(config["Subnet"])) for network in networks for config in network["IPAM"]["Config"] or ()]
    own = [subnet for name, subnet in configs if name == lab.network]
    if not own:
        taken = [ipaddress.ip_network(subnet) for _name, subnet in configs if ":" not in subnet]
        free = next(subnet for subnet in SUBNETS.subnets(new_prefix=24) if not any(subnet.overlaps(other) for other in taken))
        engine.create_network(
            lab.network,
            driver="bridge",
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(free))]),
            labels={labels.LAB: lab.name, labels.HOME: str(lab.folder)},
        )
        own = [str(free)]
    return own[0].rpartition(".")[0]


def _warn_of_old_images(engine: Engine, lab: Lab, nodes: Iterable[Node], ids: dict[str, str]) -> None:
    for node in nodes:
        image = node_image(node)
        if engine.inspect_container(lab.container(node.name))["Image"] != ids[image]:
            say(f"{node.name} still runs from an older {image}; `lab.py down` and `up` give it the new one")


def _write_files(home: Home, lab: Lab, placements: dict[Node, Placement], apps: Iterable[App]) -> None:
    host_keys = [(placement, SshKey.kept(lab.host_key(node.name))) for node, placement in placements.items()]
    (lab.folder / "known_hosts").write_text(known_hosts(host_keys))
    write_inventory(home.inventory(lab), inventory(lab, placements.items(), apps))


def _exists(engine: Engine, container: str) -> bool:
    try:
        engine.inspect_container(container)
    except NotFound:
        return False
    return True


def _start(engine: Engine, container: str) -> None:
    try:
        state = engine.inspect_container(container)["State"]
        if state["Paused"]:
            engine.unpause(container)
        engine.start(container)
    except APIError as error:
        raise LabError(f"{container} does not start: {error.explanation}; `lab.py down` removes it.") from error


def _remove(engine: Engine, container: str) -> None:
    try:
        engine.remove_container(container, v=True, force=True)
    except NotFound:
        pass
    except APIError as error:
        raise LabError(f"The container {container[:12]} could not be removed: {error.explanation}") from error
