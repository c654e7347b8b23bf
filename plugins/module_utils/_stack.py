# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy or remove a stack: the pipeline load (done on the controller), convert, observe, compare, apply, watch."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from ._actual import Actual, observe, snapshot
from ._apply import adopt, apply, remove, tidy
from ._compose._project import Project
from ._converge import Limits, watch
from ._desired import Desired, convert
from ._diff import as_values, drawn
from ._engine import Engine, api_version
from ._errors import NotConvergedError, RefusedError
from ._images import Auth, Pinned, credentials, pin
from ._model import IMAGE, Finding, Kind, Outcome, Plan, Sort, Verdict
from ._plan import Intent, compare, removal, unknown

#: How each verdict reads in a sentence about a service.
WORDS: Mapping[Verdict, str] = {
    Verdict.ROLLED_BACK: "was rolled back by the engine",
    Verdict.ROLLBACK_PAUSED: "was rolled back by the engine, and the rollback stopped half-way",
    Verdict.PAUSED: "stopped in the middle of its update",
    Verdict.CRASH_LOOPING: "keeps crashing",
    Verdict.FAILED: "failed and is not restarted",
    Verdict.UNSCHEDULABLE: "fits on no node",
    Verdict.IMAGE_MISSING: "cannot get its image",
    Verdict.TIMED_OUT: "is not up in time",
}


OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True, "aliases": ["stack"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "compose": {"type": "list", "elements": "raw"},
    "env": {"type": "dict", "default": {}},
    "env_files": {"type": "list", "elements": "path", "default": []},
    "env_strict": {"type": "bool", "default": False},
    "project_dir": {"type": "path"},
    "beyond_cli": {"type": "bool", "default": False},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "configs": {"type": "dict", "default": {}},
    "attach": {"type": "dict", "default": {}},
    "prune": {"type": "raw", "default": False},
    "recreate": {"type": "bool", "default": False},
    "resolve_image": {"type": "str", "choices": ["always", "changed", "never"], "default": "always"},
    "registry_auth": {
        "type": "dict",
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "serveraddress": {"type": "str", "required": True},
        },
    },
    "with_registry_auth": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "wait_stable": {"type": "float", "default": 5},
    "project": {"type": "dict"},
}


@dataclass(frozen=True)
class Request:
    """The module's options, typed."""

    name: str
    project: Project
    contents: Mapping[tuple[Sort, str], bytes]
    attach: Mapping[str, list[str]]
    prune: bool | str
    recreate: bool
    resolve_image: str
    registry_auth: Mapping[str, Any] | None
    with_registry_auth: bool
    wait: bool
    limits: Limits

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Request:
        contents = {
            (sort, key): base64.b64decode(text)
            for sort in (Sort.SECRET, Sort.CONFIG)
            for key, text in (options[f"{sort.value}s"] or {}).items()
        }
        return cls(
            name=options["name"],
            project=Project.from_wire(options["project"] or {"services": {}}),
            contents=contents,
            attach=options["attach"] or {},
            prune=prune_of(options["prune"]),
            recreate=options["recreate"],
            resolve_image=options["resolve_image"],
            registry_auth=options["registry_auth"],
            with_registry_auth=options["with_registry_auth"],
            wait=options["wait"],
            limits=Limits(monitor=options["wait_stable"], timeout=options["wait_timeout"]),
        )


#: What ``prune`` may be.
PRUNE: dict[str, Any] = {"true": True, "yes": True, "false": False, "no": False, "all": "all"}


def prune_of(value: Any) -> bool | str:
    """A boolean, or "all"."""
    try:
        found: bool | str = PRUNE[str(value).lower()]
    except KeyError:
        raise RefusedError(f"prune takes true, false or all, not '{value}'.") from None
    return found


def converge_stack(engine: Engine, options: Mapping[str, Any], check: bool) -> Outcome:
    """What the module does."""
    work = deploy if options["state"] == "present" else withdraw
    return work(engine, Request.of(options), check)


def predict_stack(options: Mapping[str, Any]) -> Outcome:
    """What the module would do on a host that has no swarm yet: create everything, or find nothing to remove."""
    return would_deploy(Request.of(options)) if options["state"] == "present" else Outcome(changed=False)


def deploy(engine: Engine, request: Request, check: bool) -> Outcome:
    """Bring the stack to what the files say, and wait until it is."""
    desired = wanted(request)
    _check_age(engine, desired)
    auth = credentials(engine, request.registry_auth, request.with_registry_auth)
    actual = observe(engine, request.name, desired)
    images = _pinned(engine, request, desired, actual, auth)
    intent = Intent(request.contents, images.images, request.prune, request.recreate)
    plan = compare(desired, actual, intent)
    doubts = tuple(unknown(plan))
    if check:
        return _outcome(plan, [], warnings=(*plan.warnings, *images.warnings, *doubts))
    if doubts:
        intent = replace(intent, denied=adopt(engine, plan))
        plan = compare(desired, observe(engine, request.name, desired), intent)
    findings: list[Finding] = []
    if plan:
        apply(engine, plan, lambda: compare(desired, observe(engine, request.name, desired), intent), auth)
    if request.wait:
        findings = _converged(engine, request, plan)
    tidy(engine, plan)
    return _outcome(plan, findings, warnings=(*plan.warnings, *images.warnings))


def would_deploy(request: Request) -> Outcome:
    """The plan on a host that has no swarm yet: everything is created."""
    return _outcome(compare(wanted(request), Actual(), Intent(request.contents)), [])


def withdraw(engine: Engine, request: Request, check: bool) -> Outcome:
    """Remove the stack and all it owns, volumes excepted."""
    plan = removal(observe(engine, request.name), request.name)
    if plan and not check:
        remove(engine, plan, request.name, request.limits.timeout)
    return _outcome(plan, [])


def wanted(request: Request) -> Desired:
    """The bodies that the API takes."""
    return convert(request.project, request.name, request.attach)


def _check_age(engine: Engine, desired: Desired) -> None:
    have = engine.api_version
    lacking = [need for need in desired.needs if have < api_version(need.api)]
    if lacking:
        places = "; ".join(f"services.{need.service}.{need.field} needs API {need.api}" for need in lacking)
        raise RefusedError(
            f"This engine speaks API {have[0]}.{have[1]}, which would silently drop what the file asks for: {places}. "
            "Upgrade the engines, or take the fields out."
        )


def _pinned(engine: Engine, request: Request, desired: Desired, actual: Actual, auth: Auth) -> Pinned:
    """Look up the images, by the policy: all, those that changed, or none."""
    running = {(service["Spec"].get("Labels") or {}).get(IMAGE) for service in actual.services.values()}
    images = {spec["Labels"][IMAGE]: spec["TaskTemplate"]["ContainerSpec"]["Image"] for spec in desired.services.values()}
    if request.resolve_image == "never":
        return Pinned()
    if request.resolve_image == "changed":
        images = {raw: image for raw, image in images.items() if raw not in running}
    return pin(engine, images, frozenset(filter(None, running)), auth)


def _converged(engine: Engine, request: Request, plan: Plan) -> list[Finding]:
    touched = frozenset(step.name for step in plan.steps if step.sort is Sort.SERVICE and step.kind is not Kind.REMOVE)
    findings: list[Finding] = []
    for findings in watch(partial(snapshot, engine, request.name), request.limits, touched):  # noqa: B007 -- the last counts
        pass
    bad = [finding for finding in findings if finding.verdict is not Verdict.CONVERGED]
    if bad:
        raise NotConvergedError(
            f"Stack '{request.name}' did not come up: {' '.join(map(_sentence, bad))}",
            {"changed": plan.changed, "plan": as_values(plan), "services": _services(findings), "failures": _services(bad)},
        )
    return findings


def _sentence(finding: Finding) -> str:
    place = f" (task {finding.task[:12]}{f' on node {finding.node}' if finding.node else ''})" if finding.task else ""
    reason = f": {finding.reason}" if finding.reason else ""
    return f"service {finding.service} {WORDS[finding.verdict]}, {finding.running} of {finding.wanted} running{reason}{place}."


def _services(findings: list[Finding]) -> list[dict[str, Any]]:
    return [{**asdict(finding), "verdict": finding.verdict.value} for finding in findings]


def _outcome(plan: Plan, findings: list[Finding], warnings: tuple[str, ...] = ()) -> Outcome:
    return Outcome(
        changed=plan.changed,
        prepared=drawn(plan),
        values={"plan": as_values(plan), "services": _services(findings)},
        warnings=warnings,
    )
