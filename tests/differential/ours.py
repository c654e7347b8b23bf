"""The same files through our loader and converter, in the shape of a recording."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Project, Source
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import convert
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import ComposeError
from differential.recorder import STACK


@dataclass
class Converted:
    bodies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    external_networks: set[str] = field(default_factory=set)
    warnings: tuple[str, ...] = ()
    error: str = ""


def read_file(path: str) -> bytes:
    return Path(path).read_bytes()


def converted(files: Sequence[Path], variables: Mapping[str, str], read: Callable[[str], bytes] = read_file) -> Converted:
    sources = [Source.file(str(file), file.read_text(), str(file.resolve().parent)) for file in files]
    try:
        loaded = load(sources, variables, read)
        # What the action plugin sends to the node has to say everything.
        desired = convert(Project.from_wire(loaded.project.to_wire()), STACK)
    except ComposeError as error:
        return Converted(error=error.message)
    contents = loaded.contents
    return Converted(
        bodies={
            "networks": desired.networks,
            "secrets": _filled(desired.secrets, desired.secret_keys, contents.secrets),
            "configs": _filled(desired.configs, desired.config_keys, contents.configs),
            "services": desired.services,
        },
        external_networks=set(desired.external_networks),
        warnings=loaded.warnings,
    )


def _filled(bodies: Mapping[str, Any], keys: Mapping[str, str], contents: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: {**body, "Data": base64.b64encode(contents.get(keys[name], b"")).decode()} for name, body in bodies.items()}
