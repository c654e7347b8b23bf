# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failure shows: the right task, its log, and no secret value."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import EngineError, NotFoundError
from ansible_collections.homecloud.swarm.plugins.module_utils._evidence import MASK, Evidence, gather, masked, masker
from ansible_collections.homecloud.swarm.plugins.module_utils._model import Finding, Verdict
from ansible_collections.homecloud.swarm.plugins.module_utils._report import paragraphs

TASK = "x2j2abc1e8snzix53oqhd7iqp"
NODE = {"ID": "n1", "Status": {"State": "ready"}, "Description": {"Hostname": "nuc"}}
EXIT = "task: non-zero exit (3)"


def failed(state: str = "failed", tty: bool = False) -> dict[str, Any]:
    return {
        "ID": TASK,
        "NodeID": "n1",
        "Spec": {"ContainerSpec": {"TTY": tty}},
        "Status": {"State": state, "Err": EXIT, "ContainerStatus": {"ContainerID": "c1", "ExitCode": 3}},
    }


class Telling:
    """An engine with one task."""

    def __init__(self, task: Any, log: Any = "one\nboom\n", node: Any = None, health: str = "") -> None:
        self.found = {f"/tasks/{TASK}": task, "/nodes": [node or NODE]}
        if health:
            self.found["/containers/c1/json"] = {"State": {"Health": {"Log": [{"Output": "before"}, {"Output": f"{health}\n"}]}}}
        self.log = log
        self.asked: list[Any] = []

    def get(self, path: str, **_query: Any) -> Any:
        return self.found[path]

    def find(self, path: str) -> Any:
        found = self.found.get(path)
        if isinstance(found, Exception):
            raise found
        return found

    def logs(self, *asked: Any) -> str:
        self.asked.append(asked)
        if isinstance(self.log, Exception):
            raise self.log
        return str(self.log)


def evidence(engine: Telling, reason: str = EXIT, task: str = TASK, lines: int = 20, secrets: tuple[bytes, ...] = ()) -> Evidence:
    finding = Finding("s_web", Verdict.CRASH_LOOPING, 0, 1, reason, task=task)
    (found,) = gather(engine, [finding], lines, secrets)  # type: ignore[arg-type]
    return found


def test_task_node_exit_code_and_log() -> None:
    found = evidence(Telling(failed(), health="no answer"))
    assert (found.node, found.state, found.error, found.exit_code, found.health, found.log) == (
        *("nuc", "failed", EXIT, 3, "no answer"),
        ("one", "boom"),
    )


def test_the_task_that_the_engine_blames_is_shown() -> None:
    message = f"update rolled back due to failure or early termination of task {TASK}"
    found = evidence(Telling(failed()), message, task="")
    assert (found.task, found.error) == (TASK, EXIT)


def test_after_a_rollback_the_last_task_that_failed_is_shown() -> None:
    earlier = {**failed(), "ID": "earlier", "UpdatedAt": "2026-01-01T00:00:01Z"}
    later = {**failed(), "UpdatedAt": "2026-01-01T00:00:02Z"}
    runs = {**later, "ID": "runs", "UpdatedAt": "2026-01-01T00:00:03Z", "Status": {"State": "running"}}
    engine = Telling(failed())
    engine.found["/tasks"] = [earlier, later, runs]
    finding = Finding("s_web", Verdict.ROLLED_BACK, 2, 2, "rollback completed")
    (found,) = gather(engine, [finding], 20, ())  # type: ignore[arg-type]
    assert (found.task, found.exit_code, found.log) == (TASK, 3, ("one", "boom"))


@pytest.mark.parametrize(
    "engine",
    [
        Telling(failed(), EngineError("configured logging driver does not support reading", 501)),
        Telling(failed(), node={**NODE, "Status": {"State": "down"}}),
        Telling({**failed("pending"), "Status": {"State": "pending", "Err": EXIT}}),
        Telling(NotFoundError("gone", 404)),
    ],
)
def test_without_a_log_the_rest_is_told(engine: Telling) -> None:
    found = evidence(engine)
    assert found.log == ()
    assert found.reason == EXIT


def test_the_log_of_a_node_that_is_down_is_not_waited_for() -> None:
    engine = Telling(failed(), node={**NODE, "Status": {"State": "down"}})
    evidence(engine)
    assert engine.asked == []


def test_no_lines_no_question() -> None:
    engine = Telling(failed())
    assert evidence(engine, lines=0).log == ()
    assert engine.asked == []


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        (b"hush hush\n", "password is hush hush!", f"password is {MASK}!"),
        (b"hush hush", base64.b64encode(b"hush hush").decode(), MASK),
        (b"-----BEGIN KEY-----\nabcdef\n-----END KEY-----\n", "it has abcdef in it", f"it has {MASK} in it"),
        (b"{\n  hidden: yes\n}\n", "a { and a }", "a { and a }"),
        (b"\xff\xfe\xfd\xfc", base64.b64encode(b"\xff\xfe\xfd\xfc").decode(), MASK),
        (b"\xff\xfe\xfd\xfc", base64.urlsafe_b64encode(b"\xff\xfe\xfd\xfc").decode(), MASK),
        (b"a.c", "abc", "abc"),
        (b"", "nothing to hide", "nothing to hide"),
    ],
)
def test_masking(value: bytes, text: str, shown: str) -> None:
    told = Evidence("s_web", Verdict.FAILED, 0, 1, reason=text, error=text, health=text, log=(text,))
    found = masked(told, masker([value]))
    assert (found.reason, found.error, found.health, found.log) == (shown, shown, shown, (shown,))


def test_a_failure_reads_well() -> None:
    assert paragraphs([evidence(Telling(failed(), health="no answer"))]) == [
        "Service s_web keeps crashing, 0 of 1 running: task: non-zero exit (3) (task x2j2abc1e8sn, on node nuc).",
        "  Its health check said last:",
        "    | no answer",
        "  The last lines of its log:",
        "    | one",
        "    | boom",
    ]


def test_what_the_engine_left_behind_is_said_with_its_remedy() -> None:
    reason = 'network sandbox join failed: subnet sandbox join failed for "10.0.1.0/24": error creating vxlan interface: file exists'
    told = Evidence("s_web", Verdict.CRASH_LOOPING, 2, 3, reason=reason, error=reason, task="x2j2abc1e8sn", node="nuc")
    first, remedy = paragraphs([told])
    assert first == f"Service s_web keeps crashing, 2 of 3 running: {reason} (task x2j2abc1e8sn, on node nuc)."
    assert "ip link delete" in remedy


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        (["before", "no answer"], "no answer"),
        (["no answer", "", ""], "no answer"),
        (["no answer", "OCI runtime exec failed: exec failed: unable to start container process"], "no answer"),
        (["OCI runtime exec failed: at once"], "OCI runtime exec failed: at once"),
        ([], ""),
    ],
)
def test_a_health_check_that_could_not_run_tells_nothing(outputs: list[str], told: str) -> None:
    engine = Telling(failed())
    engine.found["/containers/c1/json"] = {"State": {"Health": {"Log": [{"Output": output} for output in outputs]}}}
    assert evidence(engine).health == told
