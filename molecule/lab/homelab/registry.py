# SPDX-License-Identifier: GPL-3.0-or-later
"""A real registry on the lab's network, so that nodes pull and digests are real."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from docker.errors import NotFound

from . import labels
from .engine import Engine
from .errors import LabError
from .images import App
from .keys import REGISTRY_NAME, Tls
from .nodes import REGISTRY_PORT, put_files
from .ports import Ports
from .progress import at_once, step

REGISTRY = "registry"
HOST_NUMBER = 5
FIRST_PORT = 5501
TLS_FOLDER = "/etc/homecloud-lab"
READY_TIMEOUT = 30.0
MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


def registry_config(lab: str, home: Path, prefix: str, port: int, image: str) -> dict[str, Any]:
    network = labels.object_name(lab)
    return {
        "Image": image,
        "Hostname": REGISTRY_NAME,
        "Env": [
            f"REGISTRY_HTTP_ADDR=0.0.0.0:{REGISTRY_PORT}",
            f"REGISTRY_HTTP_TLS_CERTIFICATE={TLS_FOLDER}/registry.crt",
            f"REGISTRY_HTTP_TLS_KEY={TLS_FOLDER}/registry.key",
            "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry",
        ],
        "ExposedPorts": {f"{REGISTRY_PORT}/tcp": {}},
        "Labels": {labels.LAB: lab, labels.HOME: str(home)},
        "HostConfig": {
            "NetworkMode": network,
            # Shared by all labs of this machine: an image that was pushed once is there.
            "Binds": [f"{labels.REGISTRY_VOLUME}:/var/lib/registry"],
            "PortBindings": {f"{REGISTRY_PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]},
        },
        "NetworkingConfig": {
            "EndpointsConfig": {network: {"IPAMConfig": {"IPv4Address": f"{prefix}.{HOST_NUMBER}"}, "Aliases": [REGISTRY_NAME]}}
        },
    }


def ensure_registry(engine: Engine, lab: str, home: Path, prefix: str, tls: Tls, ports: Ports, image: str) -> int:
    """Start the lab's registry; the loopback port that leads to it."""
    name = labels.object_name(lab, REGISTRY)
    try:
        container = engine.inspect_container(name)
    except NotFound:
        engine.create_container_from_config(registry_config(lab, home, prefix, ports.take(FIRST_PORT), image), name)
        put_files(
            engine,
            name,
            {
                f"{TLS_FOLDER}/registry.crt".lstrip("/"): (tls.certificate, 0o644),
                f"{TLS_FOLDER}/registry.key".lstrip("/"): (tls.key, 0o644),
            },
        )
        container = engine.inspect_container(name)
    engine.start(name)
    port = int(container["HostConfig"]["PortBindings"][f"{REGISTRY_PORT}/tcp"][0]["HostPort"])
    _await_registry(name, port, tls)
    return port


def push_all(engine: Engine, apps: tuple[App, ...], ids: dict[str, str], port: int, tls: Tls) -> None:
    """Push every app image that the registry does not have as it is here."""
    wanted = [(app.name, tag, ids[recipe.image]) for app in apps for tag, recipe in app.recipes.items()]

    def push(one: tuple[str, str, str]) -> None:
        name, tag, image = one
        if not _has(port, tls, name, tag, image):
            with step(f"pushing {name}:{tag}"):
                _push(engine, f"127.0.0.1:{port}/{name}", tag, image)

    at_once(push, wanted, 2)


def _push(engine: Engine, repository: str, tag: str, image: str) -> None:
    # Engines trust every registry on loopback, so they need not know the lab's CA.
    engine.tag(image, repository, tag)
    try:
        for event in engine.push(repository, tag, stream=True, decode=True):
            if "error" in event:
                raise LabError(f"{repository}:{tag} could not be pushed to the lab's registry: {event['error']}")
    finally:
        engine.remove_image(f"{repository}:{tag}", noprune=True)


def _has(port: int, tls: Tls, name: str, tag: str, image: str) -> bool:
    try:
        digest, body = _get(port, tls, f"{name}/manifests/{tag}")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise LabError(f"The lab's registry on 127.0.0.1:{port} answered {error.code} for {name}:{tag}.") from error
    # An image's id is its configuration's digest, or the manifest's own where the engine keeps images in containerd.
    return image in (digest, json.loads(body).get("config", {}).get("digest"))


def _await_registry(name: str, port: int, tls: Tls) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            _get(port, tls, "")
            return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                raise LabError(f"{name} does not answer on 127.0.0.1:{port} ({error}): look with `docker logs {name}`.") from error
            time.sleep(0.1)


def _get(port: int, tls: Tls, path: str) -> tuple[str, bytes]:
    request = urllib.request.Request(f"https://127.0.0.1:{port}/v2/{path}", headers={"Accept": MANIFESTS})
    with urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cadata=tls.ca)) as answer:
        return answer.headers.get("Docker-Content-Digest", ""), answer.read()
