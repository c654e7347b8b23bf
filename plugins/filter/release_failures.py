# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was wrong with the answers of a new version, as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

#: Characters of what a command said that are worth repeating.
SHOWN = 200
#: What timeout(1) ends with when it had to end a command.
TIME_IS_UP = 124


def release_failures(asked: Iterable[Mapping[str, Any]]) -> str:
    """What was wrong with the answers; empty if nothing was."""
    wrong = (sentence for answer in asked if not answer.get("skipped") for sentence in _wrong(answer, answer["item"]))
    return "; ".join(dict.fromkeys(wrong))


def _wrong(answer: Mapping[str, Any], check: Mapping[str, Any]) -> Iterator[str]:
    yield from _command(answer, check) if "command" in check else _request(answer, check)


def _command(answer: Mapping[str, Any], check: Mapping[str, Any]) -> Iterator[str]:
    code = answer.get("rc")
    if code is None:
        yield f"the command '{check['command']}' could not be run: {answer.get('msg') or 'nothing is known of it'}"
    elif code == TIME_IS_UP:
        yield f"the command '{check['command']}' did not end in {check['timeout']} s"
    elif code:
        said = str(answer.get("stderr") or answer.get("stdout") or "").strip()
        yield f"the command '{check['command']}' ended with {code}" + (f" and said: {said[-SHOWN:]}" if said else "")


def _request(answer: Mapping[str, Any], check: Mapping[str, Any]) -> Iterator[str]:
    status = answer.get("status", -1)
    if status != check["status"]:
        said = f"status {status}" if status > 0 else str(answer.get("msg") or "no answer")
        yield f"{check['url']} was to have status {check['status']}, and had {said}"
        return
    if check["contains"] not in (answer.get("content") or ""):
        yield f"the answer of {check['url']} does not contain '{check['contains']}'"
    for name, text in check["headers"].items():
        # as ansible.builtin.uri calls them
        header = answer.get(name.lower().replace("-", "_"))
        if header is None:
            yield f"the answer of {check['url']} has no header {name}"
        elif str(text) not in str(header):
            yield f"the header {name} of {check['url']} does not contain '{text}', it is '{header}'"


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"release_failures": release_failures}
