# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that behave like servers: created, furnished with keys, started, awaited, removed."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from . import labels
from .engine import Engine
from .errors import LabError
from .keys import REGISTRY_NAME, Keys, SshKey
from .labels import Lab
from .ports import Ports
from .progress import say
from .shape import Node

REGISTRY_PORT = 5000
REGISTRY_NUMBER = 5
READY_TIMEOUT = 120
STOP_TIMEOUT = 20
# A guest's system calls are many times slower than its host's.
GUEST_PATIENCE = 3
# A container sees its host's; the guest's memory is a file in it.
TUN = "/dev/net/tun"
GUEST_TMPFS = {"/memory": "exec,size=2g"}

# Everything Engine 20.10 can name except SYS_RESOURCE, which a container's host may itself lack.
CAPABILITIES = (
    *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID"),
    *("IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN"),
    *("NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT"),
    *("SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)

# systemd 257 still manages cgroup v1 when it is told to twice.
LEGACY_CGROUP = "SYSTEMD_PROC_CMDLINE=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0"
# systemd 258 and later does not.
WITHOUT_LEGACY_CGROUP = ("forky",)

INIT = "/sbin/init"
SYSTEMD_IS_UP = "systemctl is-system-running | grep -qE 'running|degraded'"
ENGINE_ANSWERS = "docker version >/dev/null 2>&1"
# The guest says so itself, in its last unit.
GUEST_IS_UP = "test -e /run/guest-is-up"


@dataclass(frozen=True)
class Host:
    """What the machine of the engine lets a container do."""

    cgroup: str
    privileged: bool

    def runs_systemd(self, release: str) -> bool:
        return runs_systemd(self.cgroup, release)


def runs_systemd(cgroup: str, release: str) -> bool:
    return cgroup == "2" or release not in WITHOUT_LEGACY_CGROUP


def cgroup_version(facts: Mapping[str, Any]) -> str:
    """Of the engine's host, out of what the engine says about itself."""
    return str(facts.get("CgroupVersion", "1"))


@dataclass(frozen=True)
class Placement:
    """Where a node can be reached: its address in the lab, and the loopback ports that lead to it."""

    address: str
    ssh_port: int
    https_port: int
    http_port: int


def inspect_host(engine: Engine, cache: Path, image: str) -> Host:
    """Find out once per engine whether `--privileged` works."""
    facts = engine.info()
    known = json.loads(cache.read_text()) if cache.exists() else {}
    if known.get("engine") != facts["ID"]:
        known = {"engine": facts["ID"], "privileged": _privileged_works(engine, image)}
        cache.write_text(json.dumps(known))
    return Host(cgroup=cgroup_version(facts), privileged=known["privileged"])


def _privileged_works(engine: Engine, image: str) -> bool:
    container = engine.create_container_from_config({"Image": image, "Cmd": ["true"], "HostConfig": {"Privileged": True}})
    try:
        engine.start(container["Id"])
        works = engine.wait(container["Id"])["StatusCode"] == 0
    except APIError:
        works = False
    finally:
        engine.remove_container(container["Id"], force=True)
    say(f"nodes get {'--privileged, which works here' if works else 'a list of capabilities, as --privileged does not work here'}")
    return works


def has_ipvs(engine: Engine, image: str) -> bool:
    """Whether the kernel of the engine's machine has IPVS. To ask for its messages loads it where it is a module."""
    container = engine.create_container_from_config({"Image": image, "Cmd": ["genl", "ctrl", "get", "name", "IPVS"]})
    try:
        engine.start(container["Id"])
        return bool(engine.wait(container["Id"])["StatusCode"] == 0)
    finally:
        engine.remove_container(container["Id"], force=True)


def container_config(lab: Lab, node: Node, placement: Placement, image: str, host: Host) -> dict[str, Any]:
    """The body for the engine that makes this node."""
    command, stop_signal = _program(node, host)
    ports = {"22/tcp": placement.ssh_port, "80/tcp": placement.http_port, "443/tcp": placement.https_port, "443/udp": placement.https_port}
    return {
        "Image": image,
        "Hostname": node.name,
        "Cmd": [command],
        "Env": ["container=docker", *([LEGACY_CGROUP] if host.cgroup == "1" else [])],
        "StopSignal": stop_signal,
        "StopTimeout": STOP_TIMEOUT * _patience(node),
        "ExposedPorts": {port: {} for port in ports},
        "Volumes": {"/var/lib/docker": {}},
        "Labels": {
            labels.LAB: lab.name,
            labels.HOME: str(lab.folder),
            labels.NODE: node.name,
            labels.GROUP: node.group,
            labels.RELEASE: node.release,
            labels.FLAVOUR: node.flavour,
        },
        "HostConfig": {
            **_rights(host),
            "Init": command != INIT,
            "NetworkMode": lab.network,
            "Tmpfs": {"/run": "exec", "/run/lock": "", **(GUEST_TMPFS if node.guest else {})},
            **(_guest_wires(placement) if node.guest else {}),
            "PortBindings": {port: [{"HostIp": "127.0.0.1", "HostPort": str(number)}] for port, number in ports.items()},
            # Chatty programs in a node write to its own journal; what is left here must not fill the disk.
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "5m", "max-file": "1"}},
        },
        "NetworkingConfig": {
            "EndpointsConfig": {
                lab.network: {"IPAMConfig": {"IPv4Address": placement.address}, "Aliases": [node.name]},
            }
        },
    }


def _program(node: Node, host: Host) -> tuple[str, str]:
    """What the container runs, and the signal that ends it in order."""
    if node.guest:
        return "power-on", "SIGTERM"
    return (INIT, "SIGRTMIN+3") if host.runs_systemd(node.release) else ("init-without-systemd", "SIGTERM")


def _patience(node: Node) -> int:
    return GUEST_PATIENCE if node.guest else 1


def _guest_wires(placement: Placement) -> dict[str, Any]:
    """What connects the guest, and the one name it must know: the engine's name server answers containers only."""
    registry = f"{placement.address.rpartition('.')[0]}.{REGISTRY_NUMBER}"
    return {
        "Devices": [{"PathOnHost": TUN, "PathInContainer": TUN, "CgroupPermissions": "rwm"}],
        "ExtraHosts": [f"{REGISTRY_NAME}:{registry}"],
    }


def _rights(host: Host) -> dict[str, Any]:
    # Nested containers live in the host's own cgroup tree on v1; a private namespace would hide their mount sources.
    cgroup = {"CgroupnsMode": "private"} if host.cgroup == "2" else {"CgroupnsMode": "host", "Binds": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]}
    if host.privileged:
        return {**cgroup, "Privileged": True}
    return {
        **cgroup,
        "CapAdd": [*CAPABILITIES],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
    }


def place(ports: Ports, node: Node, prefix: str) -> Placement:
    """Chosen, not left to the engine: they stay the same when the node is started again."""
    first_manager = node.name == "manager1"
    return Placement(
        address=f"{prefix}.{node.host_number}",
        ssh_port=ports.take(2201),
        https_port=ports.take(8443 if first_manager else 8444),
        http_port=ports.take(8080 if first_manager else 8081),
    )


def node_of(container: Mapping[str, Any]) -> Node:
    """The node that an existing container is."""
    marks = container["Config"]["Labels"]
    return Node(
        name=marks[labels.NODE],
        group=marks[labels.GROUP],
        release=marks[labels.RELEASE],
        bare=marks[labels.FLAVOUR] == "bare",
        host_number=int(placement_of(container).address.rpartition(".")[2]),
        guest=marks[labels.FLAVOUR] == "guest",
    )


def placement_of(container: Mapping[str, Any]) -> Placement:
    """Where it was placed when it was made."""
    bindings = container["HostConfig"]["PortBindings"]
    endpoint = container["NetworkSettings"]["Networks"][container["HostConfig"]["NetworkMode"]]
    return Placement(
        address=endpoint["IPAMConfig"]["IPv4Address"],
        ssh_port=int(bindings["22/tcp"][0]["HostPort"]),
        https_port=int(bindings["443/tcp"][0]["HostPort"]),
        http_port=int(bindings["80/tcp"][0]["HostPort"]),
    )


def create_node(engine: Engine, lab: Lab, node: Node, config: dict[str, Any], keys: Keys) -> None:
    """Make a node and give it, before it starts, its identity and the lab's key and CA."""
    engine.create_container_from_config(config, lab.container(node.name))
    host_key = SshKey.kept(lab.host_key(node.name))
    put_files(
        engine,
        lab.container(node.name),
        {
            "etc/machine-id": (f"{uuid.uuid4().hex}\n", 0o444),
            "etc/ssh/ssh_host_ed25519_key": (host_key.private, 0o600),
            "etc/ssh/ssh_host_ed25519_key.pub": (host_key.public, 0o644),
            "root/.ssh/authorized_keys": (keys.login.public, 0o600),
            f"etc/docker/certs.d/{REGISTRY_NAME}:{REGISTRY_PORT}/ca.crt": (keys.tls.ca, 0o644),
        },
    )


def put_files(engine: Engine, container: str, files: Mapping[str, tuple[str, int]]) -> None:
    """Write files (path from the root, content and mode) into a container."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folders = {str(folder) for path in files for folder in list(Path(path).parents)[:-1]}
        for folder in sorted(folders - {"etc", "root"}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700 if folder == "root/.ssh" else 0o755
            tar.addfile(entry)
        for path, (text, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(text.encode()), mode, int(time.time())
            tar.addfile(entry, io.BytesIO(text.encode()))
    engine.put_archive(container, "/", archive.getvalue())


def await_ready(engine: Engine, container: str, host: Host) -> None:
    """Until systemd (and the engine, where the node has one) is up and sshd greets on the loopback port."""
    found = engine.inspect_container(container)
    node, ssh_port = node_of(found), placement_of(found).ssh_port
    conditions, timeout = up_when(node, host), READY_TIMEOUT * _patience(node)
    deadline = time.monotonic() + timeout
    if conditions:
        loop = f"until {' && '.join(conditions)}; do sleep 0.1; done"
        code, words = execute(engine, container, ["timeout", str(timeout), "sh", "-c", loop])
        if code:
            state = engine.inspect_container(container)["State"]
            if not state["Running"]:
                told = " ".join(engine.logs(container, tail=5).decode(errors="replace").split())
                raise LabError(f"{container} has ended by itself (exit code {state['ExitCode']}); its last words: {told}")
            look = "docker logs {}" if node.guest else "docker exec {} journalctl -b"
            raise LabError(f"{container} was not ready after {timeout} s: look with `{look.format(container)}`. {words}")
    while not _greets(ssh_port):
        if time.monotonic() > deadline:
            raise LabError(f"sshd of {container} does not answer on 127.0.0.1:{ssh_port}: look with `docker logs {container}`.")
        time.sleep(0.1)


def up_when(node: Node, host: Host) -> list[str]:
    """What a shell in the container can see of a node that is up."""
    if node.guest:
        return [GUEST_IS_UP]
    return [*([SYSTEMD_IS_UP] if host.runs_systemd(node.release) else []), *([] if node.bare else [ENGINE_ANSWERS])]


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def execute(engine: Engine, container: str, command: list[str]) -> tuple[int, str]:
    """Exit code and output of a command in a container."""
    try:
        run = engine.exec_create(container, command)
        output = engine.exec_start(run["Id"])
    except NotFound as error:
        raise LabError(f"There is no container {container}: `lab.py up` makes it.") from error
    except APIError as error:
        raise LabError(f"{container} does not run: {error.explanation}") from error
    return int(engine.exec_inspect(run["Id"])["ExitCode"] or 0), output.decode(errors="replace").strip()
