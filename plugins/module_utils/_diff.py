# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show: what differs between two specs in the words of the file, and a plan as a person wants to read it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._model import IMAGE, Change, Kind, Plan, Sort
from ._spec import same

UNITS = ((3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))


def duration(nanoseconds: Any) -> Any:
    """As the file writes it: 1m30s."""
    if not isinstance(nanoseconds, int):
        return nanoseconds
    text, rest = "", nanoseconds
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def size(count: Any) -> Any:
    """As the file writes it: 64M."""
    for power, unit in ((30, "G"), (20, "M"), (10, "K")):
        if isinstance(count, int) and count and not count % 2**power:
            return f"{count >> power}{unit}"
    return count


def cpus(nano: Any) -> Any:
    """As the file writes it: 0.5."""
    return f"{nano / 1e9:g}" if isinstance(nano, int) else nano


def as_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Word:
    """What the file calls a field of the API, and how it writes its value."""

    name: str
    written: Callable[[Any], Any] = as_is


_HEALTHCHECK: Mapping[str, Word] = {
    "Test": Word("test"),
    "Interval": Word("interval", duration),
    "Timeout": Word("timeout", duration),
    "StartPeriod": Word("start_period", duration),
    "StartInterval": Word("start_interval", duration),
    "Retries": Word("retries"),
}
_CONTAINER: Mapping[str, Word] = {
    "Image": Word("image"),
    "Env": Word("environment"),
    "Labels": Word("labels"),
    "Args": Word("command"),
    "Command": Word("entrypoint"),
    "Mounts": Word("volumes"),
    "Secrets": Word("secrets"),
    "Configs": Word("configs"),
    "Hosts": Word("extra_hosts"),
    "DNSConfig.Nameservers": Word("dns"),
    "DNSConfig.Search": Word("dns_search"),
    "Hostname": Word("hostname"),
    "Dir": Word("working_dir"),
    "User": Word("user"),
    "Groups": Word("group_add"),
    "StopSignal": Word("stop_signal"),
    "StopGracePeriod": Word("stop_grace_period", duration),
    "TTY": Word("tty"),
    "OpenStdin": Word("stdin_open"),
    "ReadOnly": Word("read_only"),
    "Init": Word("init"),
    "Isolation": Word("isolation"),
    "Sysctls": Word("sysctls"),
    "CapabilityAdd": Word("cap_add"),
    "CapabilityDrop": Word("cap_drop"),
    "Ulimits": Word("ulimits"),
    "OomScoreAdj": Word("oom_score_adj"),
    "Privileges.CredentialSpec": Word("credential_spec"),
    "Healthcheck": Word("healthcheck"),
    **{f"Healthcheck.{name}": Word(f"healthcheck.{word.name}", word.written) for name, word in _HEALTHCHECK.items()},
}
_RESOURCES: Mapping[str, Word] = {
    "NanoCPUs": Word("cpus", cpus),
    "MemoryBytes": Word("memory", size),
    "Pids": Word("pids"),
    "GenericResources": Word("generic_resources"),
}
_RESTART_POLICY: Mapping[str, Word] = {
    "Condition": Word("condition"),
    "Delay": Word("delay", duration),
    "MaxAttempts": Word("max_attempts"),
    "Window": Word("window", duration),
}
_ROLLOUT: Mapping[str, Word] = {
    "Parallelism": Word("parallelism"),
    "Delay": Word("delay", duration),
    "FailureAction": Word("failure_action"),
    "Monitor": Word("monitor", duration),
    "MaxFailureRatio": Word("max_failure_ratio"),
    "Order": Word("order"),
}
_SECTIONS: tuple[tuple[str, str, Mapping[str, Word]], ...] = (
    ("TaskTemplate.Resources.Limits", "deploy.resources.limits", _RESOURCES),
    ("TaskTemplate.Resources.Reservations", "deploy.resources.reservations", _RESOURCES),
    ("TaskTemplate.RestartPolicy", "deploy.restart_policy", _RESTART_POLICY),
    ("UpdateConfig", "deploy.update_config", _ROLLOUT),
    ("RollbackConfig", "deploy.rollback_config", _ROLLOUT),
)

#: Where the API keeps what the file calls otherwise. What lies below a path is named after it.
WORDS: Mapping[str, Word] = {
    **{f"TaskTemplate.ContainerSpec.{name}": word for name, word in _CONTAINER.items()},
    **{path: Word(section) for path, section, _words in _SECTIONS},
    **{
        f"{path}.{name}": Word(f"{section}.{word.name}", word.written) for path, section, words in _SECTIONS for name, word in words.items()
    },
    "TaskTemplate.ContainerSpec": Word("container"),
    "TaskTemplate.Placement": Word("deploy.placement"),
    "TaskTemplate.Placement.Constraints": Word("deploy.placement.constraints"),
    "TaskTemplate.Placement.Preferences": Word("deploy.placement.preferences"),
    "TaskTemplate.Placement.MaxReplicas": Word("deploy.placement.max_replicas_per_node"),
    "TaskTemplate.Placement.Platforms": Word("image.platforms"),
    "TaskTemplate.Resources": Word("deploy.resources"),
    "TaskTemplate.Networks": Word("networks"),
    "TaskTemplate.LogDriver": Word("logging"),
    "TaskTemplate.LogDriver.Name": Word("logging.driver"),
    "TaskTemplate.LogDriver.Options": Word("logging.options"),
    "EndpointSpec.Mode": Word("deploy.endpoint_mode"),
    "EndpointSpec.Ports": Word("ports"),
    "Mode": Word("deploy.mode"),
    "Mode.Replicated.Replicas": Word("deploy.replicas"),
    "Labels": Word("deploy.labels"),
}


def _reference(item: Mapping[str, Any], word: str) -> tuple[str, Any]:
    """What a service sees of a secret or config, by the name it has in the container."""
    file = item.get("File") or {}
    seen = {"name": item.get(f"{word}Name"), "id": item.get(f"{word}ID") or "(new)"}
    return file.get("Name", ""), {**seen, **{name.lower(): value for name, value in file.items() if name != "Name"}}


def _variable(item: str) -> tuple[str, Any]:
    name, equals, value = item.partition("=")
    return name, value if equals else "(as the image has it)"


def _port(item: Mapping[str, Any]) -> tuple[str, Any]:
    """By the port inside the container, which a service publishes once or a few times."""
    target = f"{item.get('TargetPort', 0)}/{str(item.get('Protocol') or 'tcp').lower()}"
    published = item.get("PublishedPort") or "(any)"
    return f"{published}:{target}", str(item.get("PublishMode") or "ingress").lower()


def _mount(item: Mapping[str, Any]) -> tuple[str, Any]:
    return item.get("Target", ""), {name.lower(): value for name, value in item.items() if name != "Target"}


def _network(item: Mapping[str, Any]) -> tuple[str, Any]:
    rest = {"aliases": sorted(item.get("Aliases") or []), "driver_opts": item.get("DriverOpts")}
    return item["Target"], {name: value for name, value in rest.items() if value}


def _ulimit(item: Mapping[str, Any]) -> tuple[str, Any]:
    return item["Name"], {"soft": item.get("Soft"), "hard": item.get("Hard")}


#: Lists that read better by name: path -> how to name an item.
KEYED: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "TaskTemplate.ContainerSpec.Env": _variable,
    "TaskTemplate.ContainerSpec.Secrets": lambda item: _reference(item, "Secret"),
    "TaskTemplate.ContainerSpec.Configs": lambda item: _reference(item, "Config"),
    "TaskTemplate.ContainerSpec.Mounts": _mount,
    "TaskTemplate.ContainerSpec.Ulimits": _ulimit,
    "TaskTemplate.Networks": _network,
    "EndpointSpec.Ports": _port,
}


def told(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes without what another of them says already: a new image changes the label that repeats it, another name the id."""
    listed = tuple(changes)
    paths = {change.path for change in listed}
    image = any(path.endswith(".image") and IMAGE not in path for path in paths)

    def is_repeated(path: str) -> bool:
        return (image and path.endswith(IMAGE)) or (path.endswith(".id") and f"{path.removesuffix('.id')}.name" in paths)

    return tuple(change for change in listed if not is_repeated(change.path))


def differences(before: Any, after: Any, place: str, path: str = "") -> Iterator[Change]:
    """Field by field what differs in meaning, named as the file names it."""
    if path == "Mode" and before and after and set(before) != set(after):
        yield Change(f"{place}.deploy.mode", _mode(before), _mode(after))
        return
    if same(after, before, path):
        return
    before, after = (_keyed(side, path) for side in (before, after))
    if isinstance(before or after, Mapping):
        left, right = before or {}, after or {}
        deeper = [
            change
            for name in sorted({*left, *right})
            for change in differences(left.get(name), right.get(name), place, f"{path}.{name}".lstrip("."))
        ]
        # an object that has only empty fields differs from no object by its being there
        if deeper:
            yield from deeper
            return
    name, written = _in_file(path)
    yield Change(f"{place}.{name}", written(before), written(after))


def _mode(mode: Mapping[str, Any]) -> str:
    """As the file says it: replicated-job for ReplicatedJob."""
    return str(next(iter(mode))).replace("Job", "-job").lower()


def _keyed(side: Any, path: str) -> Any:
    return dict(map(KEYED[path], side or [])) if path in KEYED else side


def _in_file(path: str) -> tuple[str, Callable[[Any], Any]]:
    """The name of a field, by the longest path that has one; what lies deeper keeps its own."""
    if path in WORDS:
        return WORDS[path].name, WORDS[path].written
    known = path
    while known and known not in WORDS:
        known = known.rpartition(".")[0]
    return (WORDS[known].name if known else "") + path[len(known) :], as_is


SIGNS = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.REPLACE: "-/+", Kind.REMOVE: "-", Kind.ADOPT: "?"}


def drawn(plan: Plan) -> str:
    """The plan as a person wants to read it."""
    lines = []
    for step in plan.steps:
        restarts = f", restarts {step.restarts} task{'s' * (step.restarts > 1)}" if step.restarts else ", no restart"
        told = restarts if step.sort is Sort.SERVICE and step.kind in (Kind.UPDATE, Kind.REPLACE) else ""
        lines.append(f"{SIGNS[step.kind]} {step.sort.value} {step.name}: {step.kind.value}{told}")
        lines += [f"    {change.path}: {_short(change.old)} -> {_short(change.new)}" for change in step.changes]
    return "".join(f"{line}\n" for line in lines)


def as_values(plan: Plan) -> list[dict[str, Any]]:
    """The plan as return value."""
    return [
        {
            "action": step.kind.value,
            "type": step.sort.value,
            "name": step.name,
            "restarts": step.restarts,
            "changes": [{"path": change.path, "old": change.old, "new": change.new} for change in step.changes],
        }
        for step in plan.steps
    ]


def _short(value: Any) -> str:
    return "(absent)" if value is None else str(value)
