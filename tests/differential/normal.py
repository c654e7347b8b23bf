"""Bodies without what means nothing, so that what is left and differs is a difference."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

#: Ids are made up by the pretended engine.
IDS = ("SecretID", "ConfigID")
#: What CLIs before 25 ask of an engine that has long been doing it anyway.
NOISE = ("CheckDuplicate",)


def normal(bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        "networks": {name: _lean(body) for name, body in bodies["networks"].items()},
        "secrets": {name: _lean(body) for name, body in bodies["secrets"].items()},
        "configs": {name: _lean(body) for name, body in bodies["configs"].items()},
        "services": {name: _service(body) for name, body in bodies["services"].items()},
    }


def _lean(body: Any) -> Any:
    """Networks, secrets, configs: the CLI writes every key, the engine reads an empty one as absent."""
    if not isinstance(body, Mapping):
        return body
    lean = {key: _lean(value) for key, value in body.items() if key not in NOISE}
    return {key: value for key, value in lean.items() if value not in (None, "", False, {}, [])}


def _service(body: Any) -> Any:
    found = _without_ids(body)
    task, endpoint = found["TaskTemplate"], found["EndpointSpec"]
    if "Ports" in endpoint:
        # CLIs before 29.3 sort by the published port alone, in no fixed order where that is equal.
        endpoint["Ports"] = sorted(endpoint["Ports"], key=lambda port: sorted(map(str, port.items())))
    for kind in ("Secrets", "Configs"):
        if kind in task["ContainerSpec"]:
            # References of one name come in random order.
            task["ContainerSpec"][kind] = sorted(task["ContainerSpec"][kind], key=str)
    # CLIs before 26 leave it out, which the engine reads as false.
    task["ContainerSpec"]["Privileges"].setdefault("NoNewPrivileges", False)
    spec = task["ContainerSpec"]["Privileges"]["CredentialSpec"]
    if spec:
        # Ours still says the name where the CLI's says the id.
        spec["Config"] = spec["Config"].removeprefix("id-of-")
    for key in ("UpdateConfig", "RollbackConfig"):
        if key in found:
            found[key]["MaxFailureRatio"] = _float32(found[key]["MaxFailureRatio"])
    return found


def _without_ids(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_ids(item) for key, item in sorted(value.items()) if key not in IDS}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


def _float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two values differ, leaf by leaf."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted(set(ours) | set(theirs))
        return [line for key in keys for line in differences(ours.get(key, ABSENT), theirs.get(key, ABSENT), f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{path}[{index}]")]
    return [] if ours == theirs else [f"{path}: ours {ours!r}, the CLI's {theirs!r}"]


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
