# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of images as the docker CLI reads and shortens them."""

from __future__ import annotations

import re

DEFAULT_DOMAIN = "docker.io"
IMAGE_ID = re.compile(r"[a-f0-9]{64}\Z")
COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
DOMAIN = re.compile(rf"(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?\Z")
REST = re.compile(
    rf"(?P<path>{COMPONENT}(?:/{COMPONENT})*)"
    r"(?::(?P<tag>[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|sha384:[a-f0-9]{96}))?\Z"
)


def familiar_image(image: str) -> str:
    """The short name with its tag: ``library/nginx`` as ``nginx:latest``. An id stays as it is; ValueError if it is neither."""
    if IMAGE_ID.match(image):
        return image
    domain, rest = _split(image)
    match = REST.match(rest)
    if not match or not DOMAIN.match(domain) or len(domain) + len(match["path"]) > 254:
        raise ValueError(f"'{image}' is not the name of an image.{_reason(rest)}")
    tail = rest[match.end("path") :] or ":latest"
    path = match["path"]
    if domain != DEFAULT_DOMAIN:
        return f"{domain}/{path}{tail}"
    official, _slash, name = path.partition("/")
    return f"{name if official == 'library' and name and '/' not in name else path}{tail}"


def registry_of(image: str) -> str:
    """The name of the registry that an image comes from, with its port where it has one."""
    return _split(image)[0]


def _split(image: str) -> tuple[str, str]:
    """The registry and the rest. A first part is a registry if it has a dot, a port or a capital, or is localhost."""
    first, slash, rest = image.partition("/")
    if slash and (set(first) & set(".:") or first == "localhost" or first.lower() != first):
        return (DEFAULT_DOMAIN if first == "index.docker.io" else first), rest
    return DEFAULT_DOMAIN, image


def _reason(rest: str) -> str:
    name = rest.partition("@")[0].partition(":")[0]
    return " Its name must be in small letters." if name != name.lower() else " Write it like nginx:1.27."
