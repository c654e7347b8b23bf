# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the stack module: Compose files -> one self-contained project, and what happens while it waits."""

from __future__ import annotations

import base64
import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._compose._environment import parse_env_file
from ..module_utils._compose._load import load
from ..module_utils._compose._project import Contents, Loaded, Source
from ..module_utils._errors import ComposeError, SwarmError

MODULE = "homecloud.swarm.stack"
#: What only the first call needs.
LOADED = ("compose", "project", "env", "env_files", "configs")
#: What only the first call knows.
PLANNED = ("plan", "diff", "warnings")
#: Seconds after which a call returns although nothing has changed.
PATIENCE = 5.0
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


class ActionModule(ActionBase):
    """Reads what is on the controller, hands everything to the module."""

    TRANSFERS_FILES = False
    _supports_async = True
    #: folder of the inventory, where people who run our playbooks keep their files
    _inventory = ""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = dict(self._task.args)
        self._inventory = str((task_vars or {}).get("inventory_dir") or "")
        warnings: tuple[str, ...] = ()
        if options.get("state", "present") != "present":
            # values of a stack that goes are nobody's business
            options = {name: value for name, value in options.items() if name not in (*LOADED, "secrets")}
        elif not options.get("compose", True):
            sentence = "The option 'compose' names no file: give one, or set state to absent to remove the stack."
            return {**result, "failed": True, "msg": sentence}
        elif options.get("compose"):
            try:
                loaded = self._load(options)
            except SwarmError as error:
                return {**result, "failed": True, "msg": error.message}
            warnings = loaded.warnings
            options.update(
                project=loaded.project.to_wire(),
                secrets=encoded(loaded.contents.secrets),
                configs=encoded(loaded.contents.configs),
            )
        result.update(self._shown(options, task_vars) if self._shows_progress(options) else self._called(options, task_vars))
        result["warnings"] = [*result.get("warnings", []), *warnings]
        return result

    def _called(self, options: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        in_background = self._task.async_val and not self._connection.has_native_async
        found: dict[str, Any] = self._execute_module(MODULE, module_args=dict(options), task_vars=task_vars, wrap_async=bool(in_background))
        return found

    def _shows_progress(self, options: Mapping[str, Any]) -> bool:
        """Whether there is somebody to read lines, and nothing that they would spoil."""
        wanted = boolean(options.get("progress", True)) and options.get("state", "present") == "present"
        for_people = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2] in CALLBACKS
        return wanted and for_people and not (self._task.no_log or self._task.async_val or self._task.check_mode)

    def _shown(self, options: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Call the module again and again, each time until something changes, and print what did."""
        progress = Progress(str(options.get("name") or options.get("stack")), Display().display)
        with progress.interruptible():
            first = last = self._called({**options, "patience": PATIENCE}, task_vars)
            while "waiting" in last:
                progress.show(last)
                rest = {name: value for name, value in options.items() if name not in LOADED}
                last = self._called({**rest, "compose": [{}], "patience": PATIENCE, "waiting": last["waiting"]}, task_vars)
            if last is not first:
                progress.show(last)
        planned = {name: first[name] for name in PLANNED if name in first}
        ended = {name: value for name, value in last.items() if name not in (*PLANNED, "waiting")}
        # a deploy that was interrupted is carried on by a run that itself has nothing to change
        return {**ended, **planned, "changed": any(call.get("changed", False) for call in (first, last))}

    def _load(self, options: Mapping[str, Any]) -> Loaded:
        given = {sort: contents_of(options.get(sort), sort) for sort in ("secrets", "configs")}
        loaded = load(
            [self._source(number, entry) for number, entry in enumerate(as_list(options["compose"]), 1)],
            self._variables(options),
            self._read,
            env_strict=boolean(options.get("env_strict", False)),
            project_dir=options.get("project_dir"),
            beyond_cli=boolean(options.get("beyond_cli", False)),
            provided_secrets=given["secrets"],
            provided_configs=given["configs"],
        )
        contents = Contents(
            secrets={**loaded.contents.secrets, **given["secrets"]}, configs={**loaded.contents.configs, **given["configs"]}
        )
        return replace(loaded, contents=contents)

    def _source(self, number: int, entry: Any) -> Source:
        if isinstance(entry, Mapping):
            return Source.inline(f"compose[{number}]", entry)
        path = self._find(str(entry))
        return Source.file(str(entry), self._read(path).decode("utf-8"), str(Path(path).parent))

    def _variables(self, options: Mapping[str, Any]) -> dict[str, str]:
        variables: dict[str, str] = {}
        for name in as_list(options.get("env_files")):
            try:
                found = parse_env_file(self._read(self._find(str(name))), {})
            except ValueError as problem:
                raise ComposeError(f"{name}: {problem}") from problem
            variables.update({key: value or "" for key, value in found.items()})
        variables.update({str(key): as_text(value) for key, value in (options.get("env") or {}).items()})
        return variables

    def _find(self, name: str) -> str:
        """Where templates are looked for: beside the playbook, in the role, or as an absolute path; else beside the inventory."""
        try:
            return str(self._find_needle("templates", name))
        except AnsibleError as problem:
            beside = Path(self._inventory, name)
            if self._inventory and beside.exists():
                return str(beside)
            raise ComposeError(
                f"There is no file '{name}' on the controller, neither beside the playbook, nor in the role, nor beside the inventory."
            ) from problem

    def _read(self, path: str) -> bytes:
        """The file's bytes, decrypted when it is a vault."""
        try:
            with open(self._loader.get_real_file(path), "rb") as file:
                return file.read()
        except AnsibleFileNotFound as problem:
            # Ansible's own words go on about options that its modules have.
            raise ComposeError("there is no such file on the controller.") from problem
        except AnsibleError as problem:
            raise ComposeError(f"The file '{path}' cannot be read: {problem}") from problem


def contents_of(given: Any, option: str) -> dict[str, bytes]:
    """The values of an option, as bytes."""
    if given and not isinstance(given, Mapping):
        raise ComposeError(f"The option '{option}' takes a mapping from keys in the Compose file to values.")
    return {str(key): as_text(value).encode() for key, value in (given or {}).items()}


def encoded(contents: Mapping[str, bytes]) -> dict[str, str]:
    """As the module takes them: base64, so that any bytes can travel and no_log masks whole values only."""
    return {key: base64.b64encode(content).decode("ascii") for key, content in contents.items()}


def as_text(value: Any) -> str:
    """A value as a Compose variable: YAML's own words for booleans, nothing for null."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_list(value: Any) -> list[Any]:
    """A list, or the one item that stands for it."""
    return value if isinstance(value, list) else [] if value is None else [value]
