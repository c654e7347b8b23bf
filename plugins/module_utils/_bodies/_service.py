# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of the file as the body of POST /services/create."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from .._compose._image import familiar_image
from .._compose._notes import At
from .._compose._project import Entry, Project
from .._model import IMAGE
from ._field import Field, fill, too_new
from ._references import VOLUME_OPTIONS, attachment_bodies, defined, full_name, mount_bodies, named, reference_bodies

#: A word of `docker service update` that has no meaning in a file.
RESET = "RESET"


def capabilities(names: Sequence[str]) -> list[str]:
    upper = {name.strip().upper() for name in names}
    return sorted(name if name in ("ALL", RESET) or name.startswith("CAP_") else f"CAP_{name}" for name in upper)


def env_list(environment: Mapping[str, Any]) -> list[str]:
    pairs = [key if value is None else f"{key}={value}" for key, value in environment.items()]
    return sorted(pairs, key=lambda pair: pair.encode("utf-8", "surrogatepass"))


def hosts(entries: Sequence[str]) -> list[str]:
    """The API takes the order of /etc/hosts: address, then name."""
    return [f"{address} {name}" for name, _colon, address in (entry.partition(":") for entry in entries)]


def ulimits(limits: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, limit in sorted(limits.items()):
        pair = limit if isinstance(limit, Mapping) else {"hard": limit, "soft": limit}
        found.append({"Name": name, "Hard": pair["hard"], "Soft": pair["soft"]})
    return found


def health(healthcheck: Entry) -> dict[str, Any]:
    return {"Test": ["NONE"]} if healthcheck.get("disable") else fill(HEALTHCHECK, healthcheck)


def generic_resources(resources: Sequence[Entry]) -> list[dict[str, Any]]:
    return [fill(GENERIC, resource) for resource in resources]


def rollout(config: Entry) -> dict[str, Any]:
    """Some of these the CLI always sends."""
    return {"Parallelism": 1, "MaxFailureRatio": 0, "Order": "", **fill(ROLLOUT, config)}


HEALTHCHECK: Mapping[str, Field] = {
    "test": Field("Test"),
    "interval": Field("Interval"),
    "timeout": Field("Timeout"),
    "start_period": Field("StartPeriod"),
    "start_interval": Field("StartInterval", since="1.44"),
    "retries": Field("Retries"),
}
CONTAINER: Mapping[str, Field] = {
    "image": Field("Image", familiar_image),
    "entrypoint": Field("Command"),
    "command": Field("Args"),
    "hostname": Field("Hostname"),
    "environment": Field("Env", env_list),
    "working_dir": Field("Dir"),
    "user": Field("User"),
    "group_add": Field("Groups"),
    "stop_signal": Field("StopSignal"),
    "stop_grace_period": Field("StopGracePeriod", keep_empty=True),
    "tty": Field("TTY"),
    "stdin_open": Field("OpenStdin"),
    "read_only": Field("ReadOnly"),
    "init": Field("Init", keep_empty=True),
    "isolation": Field("Isolation"),
    "extra_hosts": Field("Hosts", hosts),
    "healthcheck": Field("Healthcheck", health, keep_empty=True),
    "sysctls": Field("Sysctls"),
    "cap_add": Field("CapabilityAdd", since="1.41"),
    "cap_drop": Field("CapabilityDrop", since="1.41"),
    "ulimits": Field("Ulimits", ulimits, since="1.41"),
    "oom_score_adj": Field("OomScoreAdj", since="1.46"),
}
SECURITY: Mapping[str, Mapping[str, Any]] = {
    "no-new-privileges": {"NoNewPrivileges": True},
    "seccomp=unconfined": {"Seccomp": {"Mode": "unconfined"}},
    "apparmor=unconfined": {"AppArmor": {"Mode": "disabled"}},
}
DNS: Mapping[str, Field] = {"dns": Field("Nameservers"), "dns_search": Field("Search")}
DISCRETE: Mapping[str, Field] = {"kind": Field("Kind"), "value": Field("Value")}
GENERIC: Mapping[str, Field] = {"discrete_resource_spec": Field("DiscreteResourceSpec", lambda one: fill(DISCRETE, one), keep_empty=True)}
LIMITS: Mapping[str, Field] = {
    "cpus": Field("NanoCPUs"),
    "memory": Field("MemoryBytes"),
    "pids": Field("Pids", since="1.41"),
}
RESERVATIONS: Mapping[str, Field] = {
    "cpus": Field("NanoCPUs"),
    "memory": Field("MemoryBytes"),
    "generic_resources": Field("GenericResources", generic_resources),
}
RESOURCES: Mapping[str, Field] = {
    "limits": Field("Limits", lambda limits: fill(LIMITS, limits), keep_empty=True),
    "reservations": Field("Reservations", lambda wanted: fill(RESERVATIONS, wanted), keep_empty=True),
}
RESTART_POLICY: Mapping[str, Field] = {
    "condition": Field("Condition"),
    "delay": Field("Delay", keep_empty=True),
    "max_attempts": Field("MaxAttempts", keep_empty=True),
    "window": Field("Window", keep_empty=True),
}
PLACEMENT: Mapping[str, Field] = {
    "constraints": Field("Constraints"),
    "preferences": Field("Preferences", lambda wanted: [{"Spread": {"SpreadDescriptor": one.get("spread", "")}} for one in wanted]),
    "max_replicas_per_node": Field("MaxReplicas"),
}
LOGGING: Mapping[str, Field] = {"driver": Field("Name"), "options": Field("Options")}
ROLLOUT: Mapping[str, Field] = {
    "parallelism": Field("Parallelism", keep_empty=True),
    "delay": Field("Delay"),
    "failure_action": Field("FailureAction"),
    "monitor": Field("Monitor"),
    "max_failure_ratio": Field("MaxFailureRatio", keep_empty=True),
    "order": Field("Order"),
}
PORT: Mapping[str, Field] = {
    "protocol": Field("Protocol"),
    "target": Field("TargetPort"),
    "published": Field("PublishedPort"),
    "mode": Field("PublishMode"),
}
CREDENTIAL_SPEC: Mapping[str, Field] = {
    "config": Field("Config"),
    "file": Field("File"),
    "registry": Field("Registry"),
}
DEPLOY: Mapping[str, Field] = {
    "update_config": Field("UpdateConfig", rollout),
    "rollback_config": Field("RollbackConfig", rollout),
}
JOB_MODES = ("replicated-job", "global-job")
OLDEST = "1.40"


def service_body(key: str, service: Entry, attach: Sequence[str], project: Project, stack: str, at: At) -> dict[str, Any]:
    deploy = service.get("deploy", {})
    return {
        "Name": f"{stack}_{key}",
        "Labels": {**named(deploy.get("labels", {}), stack), IMAGE: service["image"]},
        "TaskTemplate": _task(key, service, attach, project, stack, at),
        "Mode": _mode(deploy, at.to("deploy")),
        "EndpointSpec": _endpoint(service.get("ports", ()), deploy.get("endpoint_mode", ""), at),
        **fill(DEPLOY, deploy),
    }


def newer_fields(service: Entry) -> Iterator[tuple[str, str]]:
    """The fields a service uses that an engine may be too old for, and the API version each needs."""
    deploy = service.get("deploy", {})
    yield from too_new(CONTAINER, service, OLDEST)
    for field, since in too_new(HEALTHCHECK, service.get("healthcheck", {}), OLDEST):
        yield f"healthcheck.{field}", since
    for field, since in too_new(LIMITS, deploy.get("resources", {}).get("limits", {}), OLDEST):
        yield f"deploy.resources.limits.{field}", since
    if service.get("security_opt"):
        yield "security_opt", "1.44"
    if deploy.get("mode") in JOB_MODES:
        yield "deploy.mode", "1.41"
    for index, mount in enumerate(service.get("volumes", ())):
        for field, since in too_new(VOLUME_OPTIONS, mount.get("volume", {}), OLDEST):
            yield f"volumes.{index}.volume.{field}", since
        if mount["type"] in MOUNT_TYPES:
            yield f"volumes.{index}.type", MOUNT_TYPES[mount["type"]]


MOUNT_TYPES: Mapping[str, str] = {"cluster": "1.42"}


def _task(key: str, service: Entry, attach: Sequence[str], project: Project, stack: str, at: At) -> dict[str, Any]:
    deploy = service.get("deploy", {})
    task: dict[str, Any] = {
        "ContainerSpec": _container(service, project, stack, at),
        "Resources": fill(RESOURCES, deploy.get("resources", {})),
        "Placement": fill(PLACEMENT, deploy.get("placement", {})),
        "Networks": attachment_bodies(key, service.get("networks", {}), attach, project, stack, at.to("networks")),
        "ForceUpdate": 0,
    }
    policy = _restart_policy(service, deploy)
    if policy is not None:
        task["RestartPolicy"] = policy
    if "logging" in service:
        task["LogDriver"] = fill(LOGGING, service["logging"])
    return task


def _restart_policy(service: Entry, deploy: Entry) -> Any:
    if "restart_policy" in deploy:
        return fill(RESTART_POLICY, deploy["restart_policy"])
    condition, _colon, attempts = service.get("restart", "no").partition(":")
    if condition in ("always", "unless-stopped"):
        return {"Condition": "any"}
    if condition == "on-failure":
        return {"Condition": "on-failure", "MaxAttempts": int(attempts or 0)}
    return None


def _container(service: Entry, project: Project, stack: str, at: At) -> dict[str, Any]:
    body = fill(CONTAINER, {**service, **_capabilities(service)})
    body["Labels"] = named(service.get("labels", {}), stack)
    spec = _credential_spec(service.get("credential_spec", {}), project, stack, at)
    body["Privileges"] = {"CredentialSpec": spec, "SELinuxContext": None, "NoNewPrivileges": False}
    for option in service.get("security_opt", ()):
        body["Privileges"].update(SECURITY[option])
    if DNS.keys() & service.keys():
        body["DNSConfig"] = fill(DNS, service)
    mounts = service.get("volumes", ())
    if mounts:
        body["Mounts"] = mount_bodies(mounts, project, stack, at.to("volumes"))
    for kind, section, entries in (
        ("Secret", "secrets", project.secrets),
        ("Config", "configs", project.configs),
    ):
        references = reference_bodies(kind, service.get(section, ()), entries, stack, at.to(section))
        if kind == "Config" and spec and spec["Config"]:
            # Not a file in the container: the engine itself reads it.
            references = sorted([*references, {"ConfigName": spec["Config"], "Runtime": {}}], key=itemgetter("ConfigName"))
        if references:
            body[f"{kind}s"] = references
    return body


def _credential_spec(spec: Entry, project: Project, stack: str, at: At) -> dict[str, str] | None:
    """All three keys or nothing; a config is named in full, its id is filled in when it exists."""
    if not any(spec.values()):
        return None
    body = {"Config": "", "File": "", "Registry": "", **fill(CREDENTIAL_SPEC, spec)}
    if body["Config"]:
        entry = defined(project.configs, "config", spec["config"], at.to("credential_spec").to("config"))
        body["Config"] = full_name(stack, spec["config"], entry)
    return body


def _capabilities(service: Entry) -> dict[str, list[str]]:
    """What is added is not dropped; ALL swallows the rest of its own list."""
    added, dropped = ([name for name in capabilities(service.get(key, ())) if name != RESET] for key in ("cap_add", "cap_drop"))
    if "ALL" in added:
        added = ["ALL"]
    if "ALL" in dropped:
        dropped = ["ALL"]
    return {"cap_add": added, "cap_drop": [name for name in dropped if name not in added]}


def _mode(deploy: Entry, at: At) -> dict[str, Any]:
    mode, replicas = deploy.get("mode") or "replicated", deploy.get("replicas")
    if mode in ("global", "global-job"):
        if replicas is not None:
            at.to("replicas").wrong(f"a service of mode {mode} runs on every node. Remove replicas.")
        return {"Global": {}} if mode == "global" else {"GlobalJob": {}}
    if mode == "replicated":
        return {"Replicated": {} if replicas is None else {"Replicas": replicas}}
    return {"ReplicatedJob": {} if replicas is None else {"MaxConcurrent": replicas, "TotalCompletions": replicas}}


def _endpoint(ports: Sequence[Entry], endpoint_mode: str, at: At) -> dict[str, Any]:
    body: dict[str, Any] = {"Mode": endpoint_mode.lower()} if endpoint_mode else {}
    mesh = [str(port.get("target")) for port in ports if (port.get("mode") or "ingress").lower() == "ingress"]
    if mesh and endpoint_mode.lower() == "dnsrr":
        at.to("ports").wrong(
            f"with endpoint_mode: dnsrr the engine refuses ports of mode ingress ({', '.join(mesh)}). Write them in the long form with "
            "mode: host, or set endpoint_mode: vip."
        )
    bodies = [fill(PORT, port) for port in ports]
    if bodies:
        body["Ports"] = sorted(bodies, key=_published_port)
    return body


def _published_port(port: Mapping[str, Any]) -> int:
    # By nothing else, like CLIs before 29.3: their next deploy has to find the order it would send, or it restarts the tasks.
    return int(port.get("PublishedPort", 0))
