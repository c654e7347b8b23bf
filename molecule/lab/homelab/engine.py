# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that answers: the one that is there, or one started here when this is root on Debian or Ubuntu."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from .errors import LabError
from .progress import say, step

SOCKETS = (Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock", Path.home() / ".docker/desktop/docker.sock")
OLDEST_API = (1, 41)
ANSWER_TIMEOUT = 5
CALL_TIMEOUT = 300
START_TIMEOUT = 90.0
STOP_TIMEOUT = 60.0

Engine = docker.APIClient

# Where a killed engine leaves its pid, and the program that must have that pid for it to mean anything.
PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
    Path("/var/run/docker/containerd/docker-containerd.pid"): "containerd",
}


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two labs on one machine start engines, build images and choose ports and subnets in turn."""
    path = Path(tempfile.gettempdir()) / f"homecloud-lab-{os.getuid()}.lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another lab command on this machine"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure_engine(home: Path) -> Engine:
    """A client of an engine that answers; `home` keeps pid and log of one that is started here."""
    engine = find_engine()
    if engine is None:
        _start_engine(home)
        engine = find_engine()
    if engine is None:
        raise LabError(f"The Docker engine was started but does not answer at {SOCKETS[0]}; see {home / 'dockerd.log'}.")
    version = str(engine.version()["ApiVersion"])
    if tuple(int(part) for part in version.split(".")) < OLDEST_API:
        raise LabError(f"The Docker engine speaks API {version}; the lab needs 1.41 (Engine 20.10) or newer.")
    return engine


def find_engine() -> Engine | None:
    """A client when an engine answers at DOCKER_HOST or at a usual socket."""
    chosen = os.environ.get("DOCKER_HOST")
    for url in [chosen] if chosen else [f"unix://{path}" for path in SOCKETS if path.exists()]:
        try:
            quick = _client(url, ANSWER_TIMEOUT)
            quick.ping()
            quick.close()
            return _client(url, CALL_TIMEOUT)
        except PermissionError as error:
            raise _not_permitted(url) from error
        except (DockerException, RequestException) as error:
            if "Permission denied" in str(error):
                raise _not_permitted(url) from error
            if chosen:
                raise LabError(f"No Docker engine answers at DOCKER_HOST={chosen}; start it, or unset DOCKER_HOST.") from error
    return None


def stop_engine(home: Path) -> bool:
    """Stop the engine that was started from this checkout; False when there is none."""
    pid_file = home / "dockerd.pid"
    pid = _pid_in(pid_file)
    pid_file.unlink(missing_ok=True)
    if pid is None or not _is_running(pid, "dockerd"):
        return False
    os.kill(pid, 15)
    _await(lambda: not _is_running(pid, "dockerd"), STOP_TIMEOUT, f"dockerd (pid {pid}) did not end within {STOP_TIMEOUT:.0f} s.")
    _remove_traces()
    return True


def _remove_traces() -> None:
    """What an engine leaves in the kernel: its bridge, and cgroups of containers that ran in nodes."""
    if Path("/sys/class/net/docker0").exists():
        run(("ip", "link", "delete", "docker0"))
    root = Path("/sys/fs/cgroup")
    for top in (*root.glob("*/docker"), root / "docker"):
        # The deepest first; one that is in use stays.
        for folder in (*sorted(top.glob("**/"), reverse=True), top):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _client(url: str, timeout: int) -> Engine:
    settings: dict[str, Any] = {"base_url": url, **kwargs_from_env()}
    return docker.APIClient(**settings, version="auto", timeout=timeout, num_pools=16)


def _not_permitted(url: str) -> LabError:
    return LabError(f"No permission to use the Docker engine at {url}: join the group docker and log in again, or run as root.")


def _start_engine(home: Path) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise LabError(
            "No Docker engine answers, and only root on Debian or Ubuntu can have one installed: start Docker, or set DOCKER_HOST."
        )
    if shutil.which("dockerd") is None:
        with step("installing docker.io"):
            install(("docker.io",))
    if Path("/run/systemd/system").exists():
        with step("starting the engine"):
            run(("systemctl", "start", "docker"))
        return
    _clear_leftovers()
    home.mkdir(parents=True, exist_ok=True)
    log = home / "dockerd.log"
    with step("starting the engine"):
        # Its own session: the engine outlives this command and its terminal.
        with log.open("ab") as sink:
            dockerd = subprocess.Popen(
                ("dockerd", "--mtu", str(_way_out_mtu())), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
            )
        (home / "dockerd.pid").write_text(f"{dockerd.pid}\n")
        _await(
            lambda: find_engine() is not None or dockerd.poll() is not None,
            START_TIMEOUT,
            f"dockerd did not answer within {START_TIMEOUT:.0f} s; see {log}.",
        )
    if dockerd.poll() is not None:
        raise LabError(f"dockerd ended at once: {_last_line(log)} (all of it in {log}).")


def _clear_leftovers() -> None:
    """Remove what a killed engine left; what of it still runs is taken over by the new one."""
    for path, program in PID_FILES.items():
        pid = _pid_in(path)
        if path.exists() and not (pid and _is_running(pid, program)):
            path.unlink()
            say(f"removed {path}, left by an engine that was killed")
    pid = _pid_in(Path("/var/run/docker.pid"))
    if pid is not None:
        # An engine that is still starting or stopping: either it answers soon or it is gone.
        _await(
            lambda: find_engine() is not None or not _is_running(pid, "dockerd"),
            START_TIMEOUT,
            f"dockerd (pid {pid}) runs but does not answer; end it and try again.",
        )


def _way_out_mtu() -> int:
    """A bridge wider than the way out loses large packets where path MTU discovery is filtered."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        interface, destination = line.split()[:2]
        if destination == "00000000":
            return min(1500, int(Path(f"/sys/class/net/{interface}/mtu").read_text()))
    return 1500


def install(packages: tuple[str, ...]) -> None:
    run(("apt-get", "-q", "update"))
    run(("apt-get", "-qy", "install", "--no-install-recommends", *packages), {"DEBIAN_FRONTEND": "noninteractive"})


def run(command: tuple[str, ...], environment: dict[str, str] | None = None) -> str:
    """What the command printed; its last words are the error when it fails."""
    ended = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False)
    if ended.returncode:
        words = (ended.stderr.strip() or ended.stdout.strip() or "it said nothing").splitlines()[-1]
        raise LabError(f"`{' '.join(command)}` failed with {ended.returncode}: {words}")
    return ended.stdout


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _is_running(pid: int, program: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    name, _parenthesis, rest = stat.partition("(")[2].rpartition(")")
    return name == program and not rest.startswith(" Z")


def _await(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(otherwise)
        time.sleep(0.2)


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
