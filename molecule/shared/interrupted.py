# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that are cut off, by the loss of the controller, of a node or of the registry, and the runs that come next."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from load_home import RELEASE, Home, NotDone
from load_rows import TWIN_HOST, twin

Act = Callable[["Scene"], None]

#: Tasks of the roles that a run is lost at, in this or that order.
LABELS = "Label the ingress nodes, and no others"
ASKS = "Ask the new version, on a node with an ingress"
WRITES = "Write down how many requests it gets"
LEARNS = "Learn which colours serve"
WATCHES = "Let requests come"
ENDS = "Have the ingress know one version"
COLOURS = "/etc/homecloud/ingress/colours"


@dataclass
class Scene:
    """A release from one version to another, by files that say nothing else than that."""

    home: Home
    old: str
    new: str
    image: str = ""

    def app(self, version: str, **release: Any) -> dict[str, Any]:
        found = twin(self.home, version=version, **{"bake_time": 1, **release})
        return {**found, "env": {**found["env"], **({"IMAGE": self.image} if self.image else {})}}

    @property
    def release(self) -> dict[str, Any]:
        return dict(self.home.stack("twin")["release"] or {})

    def services(self) -> list[str]:
        told = self.home.command(self.home.managers[0], "docker service ls --format '{{.Name}}'")
        return [name for name in told.split() if name.startswith("twin_")]

    def stop_services(self, side: str) -> None:
        """What a module does just before the moment at which it is lost."""
        for name in self.release[side].values():
            self.home.command(self.home.managers[0], f"docker service rm twin_{name}")


# Where a run is cut off.


def killed(*tasks: str, step: str = "", weights: tuple[int, ...] = (100,)) -> Act:
    """The controller is lost as soon as its run begins with the last one of these tasks, which it comes to one after the other."""

    def act(scene: Scene) -> None:
        with losing(scene, step, weights) as process:
            ahead = list(tasks)
            said = []
            for line in process.stdout or ():
                said.append(line)
                # the name of a role stands before it, but where the task includes one
                if line.startswith("TASK [") and line.partition("]")[0].endswith(ahead[0]):
                    ahead.pop(0)
                if not ahead:
                    return
            raise NotDone(f"The run ended before '{ahead[0]}':\n{''.join(said)[-6000:]}")

    return act


def killed_while_starting(scene: Scene) -> None:
    """The controller is lost when the new colour's service is there, and its tasks cannot answer yet."""
    with losing(scene):
        scene.home.wait("the new colour's service", lambda: len(scene.services()) > 1)


def one_node_knows(scene: Scene) -> None:
    """One ingress node was told, the others were not."""
    # 128 of 256: half of the requests
    mark = "old=twin_{} new=twin_{} share=80 other=twin_{}".format(*(scene.release[side]["web"] for side in ("old", "new", "new")))
    scene.home.command(scene.home.managers[0], f"cd {COLOURS}/{TWIN_HOST} && mv * '{mark}'")


def old_colour_gone(scene: Scene) -> None:
    scene.stop_services("old")


def new_colour_gone(scene: Scene) -> None:
    scene.stop_services("new")


def ingress_node_down_at_promote(scene: Scene) -> None:
    """The run that promotes goes on without it; it comes back with what it knew."""
    home = scene.home
    node = home.managers[1]
    home.apply(load_more=[scene.app(scene.new, auto_promote=False)])
    home.fault("kill", node)
    try:
        home.wait(f"the managers miss {node}", lambda: not home.ready(node, home.managers[0]))
        expect("unreachable=1", failing(home, RELEASE, stack="twin", step="promote"))
    finally:
        home.fault("start", node)
        home.wait(f"{node} is back", lambda: home.ready(node, home.managers[0]))


def registry_down(scene: Scene) -> None:
    """No node has the new version's image, and the registry is gone when they pull it."""
    new_image(scene)
    with without_registry(scene.home):
        failing(scene.home, "apps.yml", load_more=[scene.app(scene.new)])


def registry_down_and_killed(scene: Scene) -> None:
    """And the controller is lost while they try."""
    new_image(scene)
    with without_registry(scene.home):
        killed_while_starting(scene)


# What comes next.


def go_on(scene: Scene) -> None:
    """The same files."""
    scene.home.apply(load_more=[scene.app(scene.new)])


def by_hand(step: str) -> Act:
    return lambda scene: print(scene.home.release(step))


def other_files_are_refused(scene: Scene) -> None:
    told = failing(scene.home, "apps.yml", load_more=[scene.app("another")])
    expect("these files are not its own. Finish or abort the release first", told)


def an_abort_is_refused(scene: Scene) -> None:
    told = failing(scene.home, RELEASE, stack="twin", step="abort")
    expect("is gone, so no requests can go back to it; give the new one all of them (weight: 100) and finish the release", told)


# How it is done.


@contextlib.contextmanager
def losing(scene: Scene, step: str = "", weights: tuple[int, ...] = (100,)) -> Iterator[subprocess.Popen[str]]:
    """A run of the new version's files, or a step by hand, that is lost at the end of the block."""
    home = scene.home
    home.now["load_more"] = [scene.app(scene.new, weights=list(weights))]
    with home.begun(RELEASE if step else "apps.yml", {**home.now, **({"stack": "twin", "step": step} if step else {})}) as process:
        try:
            yield process
        finally:
            lose(process)
    if process.returncode != -signal.SIGKILL:
        raise NotDone(f"The run ended by itself ({process.returncode}).")


def lose(process: subprocess.Popen[str]) -> None:
    """End it and all that it has started in one moment, so that nobody of them cleans up. Ansible's workers have groups of their own."""
    found, more = list[int](), [process.pid]
    with contextlib.suppress(ProcessLookupError):
        while more:
            for number in more:
                os.kill(number, signal.SIGSTOP)
            found += more
            more = [child for child, parent in family() if parent in found and child not in found]
    for number in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def family() -> Iterator[tuple[int, int]]:
    """Processes and their parents."""
    for line in subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines():
        child, parent = map(int, line.split())
        yield child, parent


def new_image(scene: Scene) -> None:
    """One that the registry has and no node."""
    home = scene.home
    there, scene.image = f"{home.registry}/target:2", f"{home.registry}/target:{scene.new}"
    home.command(
        home.managers[0],
        f"made=$(docker create {there}) && docker commit --change 'LABEL version={scene.new}' $made {scene.image} && docker rm $made"
        f" && docker push --quiet {scene.image} && docker rmi {scene.image}",
    )


@contextlib.contextmanager
def without_registry(home: Home) -> Iterator[None]:
    home.fault("stop", "registry")
    try:
        yield
    finally:
        home.fault("start", "registry")


def failing(home: Home, playbook: str, **more: Any) -> str:
    """What a run says that has to fail."""
    ran = home.play(playbook, {**home.now, **more})
    if not ran.returncode:
        raise NotDone(f"{playbook} should have failed:\n{ran.stdout[-6000:]}")
    return ran.stdout


def expect(sentence: str, told: str) -> None:
    if sentence not in " ".join(told.split()):
        raise NotDone(f"It should have said '{sentence}':\n{told[-6000:]}")
