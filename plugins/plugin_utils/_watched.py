# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of modules that deploy: what happens while they wait."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

#: What only the first call knows.
PLANNED = ("plan", "diff", "warnings")
#: Seconds after which a call returns although nothing has changed.
PATIENCE = 10.0
#: Callbacks whose output is lines for people; all others are left alone.
CALLBACKS = frozenset({"default", "yaml", "debug", "diy", "unixy", "skippy", "actionable"})


class Progress:
    """Prints a line for each service whenever it changes."""

    def __init__(self, stack: str, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.lines: dict[str, str] = {}
        self.going_back = False

    def show(self, answer: Mapping[str, Any]) -> None:
        """What has changed since the last answer."""
        if (answer.get("waiting") or {}).get("why") and not self.going_back:
            self.going_back = True
            self.lines.clear()
            for line in ["did not come up, and is taken back:", *answer["waiting"]["why"]]:
                self.say(f"  {self.stack}: {line}")
        for service in answer.get("services") or []:
            name = str(service["service"]).removeprefix(f"{self.stack}_")
            line = f"{name} {service['running']}/{service['wanted']} {line_of(service)}"
            if self.lines.get(name) != line:
                self.lines[name] = line
                self.say(f"  {self.stack}: {line}")

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Say what is left running when the play is stopped from the keyboard.

        Ansible has a process for each task and stops it by a signal, so that is when to speak.
        """
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def stopped(number: int, _frame: FrameType | None) -> None:
            for again, handler in before.items():
                signal.signal(again, handler)
            say_last(f"  {self.stack}: {self.left_running()}")
            os.kill(os.getpid(), number)

        for number in before:
            signal.signal(number, stopped)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def left_running(self) -> str:
        """What goes on without the play."""
        aim = "The way back was begun" if self.going_back else "The deploy was begun"
        services = "; ".join(self.lines.values()) or "nothing is known of its services yet"
        return f"{aim} and goes on in the swarm ({services}), but nobody watches it now. Run the play again to see it through."


def say_last(line: str) -> None:
    """Print a line when Ansible has been stopped: its main process listens to nobody then, but its standard error is still open.

    Of a file it alone knows where it is writing, so nothing is said there.
    """
    try:
        stderr = os.open(f"/proc/{os.getppid()}/fd/2", os.O_WRONLY)
    except OSError:
        return
    if not stat.S_ISREG(os.fstat(stderr).st_mode):
        os.write(stderr, f"{line}\n".encode())
    os.close(stderr)


def line_of(service: Mapping[str, Any]) -> str:
    """What a service has come to, and why or what it waits for."""
    words = str(service["verdict"]).replace("_", " ")
    return f"{words}: {service['reason']}" if service.get("reason") and service["verdict"] != "converged" else words


def is_true(value: Any) -> bool:
    """An option's truth. What is none is refused by the module, in the words of all modules."""
    try:
        return bool(boolean(value))
    except TypeError:
        return False


class WatchedModule(ActionBase):
    """Calls a module that deploys, and shows what it waits for."""

    TRANSFERS_FILES = False
    _supports_async = True
    module = ""

    def deployed(self, options: Mapping[str, Any], resumed: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The module's answer. ``resumed`` are the options of the calls that only go on waiting."""
        return self._shown(options, resumed, task_vars) if self._shows_progress(options) else self._called(options, task_vars)

    def _called(self, options: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        in_background = self._task.async_val and not self._connection.has_native_async
        found: dict[str, Any] = self._execute_module(
            self.module, module_args=dict(options), task_vars=task_vars, wrap_async=bool(in_background)
        )
        return found

    def _shows_progress(self, options: Mapping[str, Any]) -> bool:
        """Whether there is somebody to read lines, and nothing that they would spoil."""
        wanted = is_true(options.get("progress", True)) and options.get("state", "present") == "present"
        for_people = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2] in CALLBACKS
        return wanted and for_people and not (self._task.no_log or self._task.async_val or self._task.check_mode)

    def _shown(self, options: Mapping[str, Any], resumed: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Call the module again and again, each time until something changes, and print what did."""
        progress = Progress(str(options.get("name") or options.get("stack")), Display().display)
        with progress.interruptible():
            first = last = self._called({**options, "patience": PATIENCE}, task_vars)
            while "waiting" in last:
                progress.show(last)
                last = self._called({**resumed, "patience": PATIENCE, "waiting": last["waiting"]}, task_vars)
            if last is not first:
                progress.show(last)
        planned = {name: first[name] for name in PLANNED if name in first}
        ended = {name: value for name, value in last.items() if name not in (*PLANNED, "waiting")}
        # what could not be tidied up is known at the end
        warnings = [*first.get("warnings", []), *(last.get("warnings", []) if last is not first else [])]
        # a deploy that was interrupted is carried on by a run that itself has nothing to change
        return {**ended, **planned, "warnings": warnings, "changed": any(call.get("changed", False) for call in (first, last))}
