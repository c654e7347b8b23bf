# SPDX-License-Identifier: GPL-3.0-or-later
"""A real registry on the lab's network, so that nodes pull and digests are real."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from http import HTTPStatus
from typing import Any

from . import labels
from .engine import Engine
from .errors import LabError
from .images import App
from .keys import REGISTRY_NAME, Tls
from .labels import Lab
from .nodes import REGISTRY_PORT, put_files
from .progress import at_once, step

REGISTRY = "registry"
FIRST_PORT = 5501
TLS_FOLDER = "etc/homecloud-lab"
READY_TIMEOUT = 30.0
PUSHERS = 2
MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


def registry_config(lab: Lab, address: str, port: int, image: str) -> dict[str, Any]:
    return {
        "Image": image,
        "Hostname": REGISTRY_NAME,
        "Env": [
            f"REGISTRY_HTTP_ADDR=0.0.0.0:{REGISTRY_PORT}",
            f"REGISTRY_HTTP_TLS_CERTIFICATE=/{TLS_FOLDER}/registry.crt",
            f"REGISTRY_HTTP_TLS_KEY=/{TLS_FOLDER}/registry.key",
        ],
        "ExposedPorts": {f"{REGISTRY_PORT}/tcp": {}},
        "Labels": {labels.LAB: lab.name, labels.HOME: str(lab.folder)},
        "HostConfig": {
            "NetworkMode": lab.network,
            # Shared by all labs of this machine: an image that was pushed once is there.
            "Binds": [f"{labels.REGISTRY_VOLUME}:/var/lib/registry"],
            "PortBindings": {f"{REGISTRY_PORT}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]},
        },
        "NetworkingConfig": {"EndpointsConfig": {lab.network: {"IPAMConfig": {"IPv4Address": address}, "Aliases": [REGISTRY_NAME]}}},
    }


def create_registry(engine: Engine, lab: Lab, config: dict[str, Any], tls: Tls) -> None:
    engine.create_container_from_config(config, lab.container(REGISTRY))
    put_files(
        engine,
        lab.container(REGISTRY),
        {f"{TLS_FOLDER}/registry.crt": (tls.certificate, 0o644), f"{TLS_FOLDER}/registry.key": (tls.key, 0o600)},
    )


def await_registry(engine: Engine, lab: Lab, tls: Tls) -> int:
    """The loopback port that leads to the lab's registry, once it answers."""
    name = lab.container(REGISTRY)
    port = int(engine.inspect_container(name)["HostConfig"]["PortBindings"][f"{REGISTRY_PORT}/tcp"][0]["HostPort"])
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            _get(port, tls, "")
            return port
        except OSError as error:
            if time.monotonic() > deadline:
                raise LabError(f"{name} does not answer on 127.0.0.1:{port} ({error}): look with `docker logs {name}`.") from error
            time.sleep(0.1)


def push_all(engine: Engine, apps: tuple[App, ...], ids: dict[str, str], port: int, tls: Tls) -> None:
    """Push every app image that the registry does not have as it is here."""
    wanted = [(app.name, tag, ids[recipe.image]) for app in apps for tag, recipe in app.recipes.items()]

    def push(one: tuple[str, str, str]) -> None:
        name, tag, image = one
        if not _has(port, tls, name, tag, image):
            with step(f"pushing {name}:{tag}"):
                _push(engine, f"127.0.0.1:{port}/{name}", tag, image)

    # The first takes the layers that all have in common along; were all pushed at once, each would pack them for itself.
    push(wanted[0])
    at_once(push, wanted[1:], PUSHERS)


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
    status, digest, body = _get(port, tls, f"{name}/manifests/{tag}")
    # An image's id is its configuration's digest, or the manifest's own where the engine keeps images in containerd.
    return status == HTTPStatus.OK and image in (digest, json.loads(body).get("config", {}).get("digest"))


def _get(port: int, tls: Tls, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=ssl.create_default_context(cadata=tls.ca))
    with contextlib.closing(connection):
        connection.request("GET", f"/v2/{path}", headers={"Accept": MANIFESTS})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Docker-Content-Digest", ""), answer.read()
