# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare: (desired, actual) -> plan. Pure; check mode stops here and the diff is drawn from here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._actual import Actual, of_stack
from ._desired import Desired
from ._diff import differences, told
from ._errors import RefusedError
from ._model import IMAGE, Body, Change, Kind, Plan, Sort, Step
from ._spec import graft, restarts_tasks, same
from ._verifier import verdict_of


@dataclass(frozen=True)
class Intent:
    """What the caller wants beyond the files: contents by key, pinned images, whether to prune."""

    contents: Mapping[tuple[Sort, str], bytes] = field(default_factory=dict)
    #: image as in the file -> (image to run, platforms); absent images keep what runs, or the tag
    pinned: Mapping[str, tuple[str, list[Body]]] = field(default_factory=dict)
    prune: bool = False


def compare(desired: Desired, actual: Actual, intent: Intent) -> Plan:
    """The steps that lead from actual to desired, in a safe order; none when nothing differs."""
    network_steps = tuple(_networks(desired, actual))
    content_steps = (
        *_contents(Sort.SECRET, desired.secrets, desired.secret_keys, actual.secrets, intent),
        *_contents(Sort.CONFIG, desired.configs, desired.config_keys, actual.configs, intent),
    )
    replaced = frozenset((step.sort, step.name) for step in content_steps if step.kind is Kind.REPLACE)
    services = tuple(_services(desired, actual, intent, replaced))
    pruned = tuple(_pruned(desired, actual)) if intent.prune else ()
    return Plan(
        steps=(*network_steps, *content_steps, *in_safe_order((*services, *pruned), desired.order)),
        warnings=tuple(_drift(desired, actual)),
    )


def bind(spec: Body, actual: Actual) -> dict[str, Any]:
    """The spec with ids in place of names, as far as the objects exist."""
    template = dict(spec["TaskTemplate"])
    container = dict(template.get("ContainerSpec") or {})
    if template.get("Networks"):
        template["Networks"] = [{**item, "Target": actual.network_ids.get(item["Target"], item["Target"])} for item in template["Networks"]]
    for sort, ids in (("Secret", actual.secret_ids), ("Config", actual.config_ids)):
        if container.get(f"{sort}s"):
            container[f"{sort}s"] = [{**item, f"{sort}ID": ids.get(item[f"{sort}Name"], "")} for item in container[f"{sort}s"]]
    credential = ((container.get("Privileges") or {}).get("CredentialSpec") or {}).get("Config")
    if credential:
        container["Privileges"] = {
            **container["Privileges"],
            "CredentialSpec": {
                **container["Privileges"]["CredentialSpec"],
                "Config": actual.config_ids.get(credential, credential),
            },
        }
    template["ContainerSpec"] = container
    return {**spec, "TaskTemplate": template}


def next_spec(spec: Body, live: Body | None, actual: Actual, intent: Intent) -> dict[str, Any]:
    """The spec to send for a service: bound, pinned, and grafted on the live one."""
    bound = bind(spec, actual)
    template = bound["TaskTemplate"]
    live_spec = (live or {}).get("Spec") or {}
    live_template = live_spec.get("TaskTemplate") or {}
    image = (bound.get("Labels") or {}).get(IMAGE, "")
    unchanged_image = (live_spec.get("Labels") or {}).get(IMAGE) == image
    live_placement = live_template.get("Placement") or {}
    if image in intent.pinned:
        pinned, platforms = intent.pinned[image]
    elif unchanged_image:
        # the digest that runs stays, so that nothing restarts because a tag was not looked up
        pinned = (live_template.get("ContainerSpec") or {}).get("Image") or template["ContainerSpec"]["Image"]
        platforms = []
    else:
        pinned, platforms = template["ContainerSpec"]["Image"], []
    template["ContainerSpec"]["Image"] = pinned
    platforms = platforms or (live_placement.get("Platforms") if unchanged_image else None) or []
    if platforms:
        template["Placement"] = {**(template.get("Placement") or {}), "Platforms": platforms}
    # an earlier 'docker service update --force' is not undone
    template["ForceUpdate"] = live_template.get("ForceUpdate") or 0
    grafted: dict[str, Any] = graft(bound, live_spec) if live else bound
    return grafted


def _networks(desired: Desired, actual: Actual) -> Iterator[Step]:
    for name, body in desired.networks.items():
        if name in actual.networks:
            continue
        if name in actual.network_ids:
            raise RefusedError(
                f"The network '{name}' exists but does not belong to stack '{desired.stack}'; declare it 'external: true' "
                "to use it, or remove or rename one of the two."
            )
        yield Step(Kind.CREATE, Sort.NETWORK, name, body=body)


def _drift(desired: Desired, actual: Actual) -> Iterator[str]:
    for name, body in desired.networks.items():
        live = actual.networks.get(name)
        if not live:
            continue
        options = live.get("Options") or {}
        facets = [
            ("driver", body.get("Driver") or "overlay", live.get("Driver")),
            ("internal", bool(body.get("Internal")), bool(live.get("Internal"))),
            ("attachable", bool(body.get("Attachable")), bool(live.get("Attachable"))),
            *((f"driver_opts.{key}", value, options.get(key)) for key, value in (body.get("Options") or {}).items()),
        ]
        for facet, wanted, found in facets:
            if wanted != found:
                yield (
                    f"Network {name}: {facet} is {found!r}, the file says {wanted!r}; the engine cannot change a network, "
                    "so it stays: remove the stack and deploy it again to have it changed."
                )


def _contents(sort: Sort, wanted: Mapping[str, Body], keys: Mapping[str, str], live: Mapping[str, Body], intent: Intent) -> Iterator[Step]:
    for name, body in wanted.items():
        content = intent.contents.get((sort, keys[name]))
        found = live.get(name)
        if found is None:
            yield Step(Kind.CREATE, sort, name, body=_with_content(body, content))
            continue
        labels = found["Spec"].get("Labels") or {}
        ours = {key: value for key, value in labels.items() if key.startswith("homecloud.swarm.")}
        body = {**body, "Labels": {**(body.get("Labels") or {}), **ours}}
        equal = _equal_content(sort, content, found)
        if equal is False:
            yield Step(Kind.REPLACE, sort, name, body=_with_content(body, content), live=found, changes=_new_value(sort, name))
        elif body["Labels"] != labels:
            changes = tuple(differences({"Labels": labels}, {"Labels": body["Labels"]}, f"{sort.value}s.{name}"))
            yield Step(Kind.UPDATE, sort, name, body=body if equal else _with_content(body, content), live=found, changes=changes)
        elif equal is None and content is not None:
            yield Step(Kind.ADOPT, sort, name, body=_with_content(body, content), live=found)


def unknown(plan: Plan) -> Iterator[str]:
    """What check mode cannot tell."""
    for step in plan.steps:
        if step.kind is Kind.ADOPT:
            yield (
                f"Secret {step.name} was not made by this collection, so only the engine can tell whether its value is the one "
                "given; a real run asks it, check mode cannot."
            )


def _with_content(body: Body, content: bytes | None) -> dict[str, Any]:
    return dict(body) if content is None else {**body, "Data": content}


def _new_value(sort: Sort, name: str) -> tuple[Change, ...]:
    return (Change(f"{sort.value}s.{name}", "(a value)", "(another value)"),)


def _equal_content(sort: Sort, content: bytes | None, live: Body) -> bool | None:
    """None where it cannot be known: no content given, or a secret without a verifier of ours."""
    if content is None:
        return None
    if sort is Sort.CONFIG:
        return decoded(live["Spec"].get("Data")) == content
    return verdict_of(content, live["Spec"].get("Labels"))


def decoded(text: str | None) -> bytes:
    """Content as the API carries it."""
    return base64.b64decode(text or "")


def _services(desired: Desired, actual: Actual, intent: Intent, replaced: frozenset[tuple[Sort, str]]) -> Iterator[Step]:
    for name, spec in desired.services.items():
        live = actual.services.get(name)
        after = next_spec(spec, live, actual, intent)
        if live is None:
            yield Step(Kind.CREATE, Sort.SERVICE, name, body=after)
            continue
        before = live["Spec"]
        renewed = replaced & references(spec)
        if same(after, before) and not renewed:
            continue
        place = f"services.{name.removeprefix(f'{desired.stack}_')}"
        changes = (
            *told(differences(readable(before, actual), readable(after, actual), place)),
            *(Change(f"{place}.{sort.value}s.{used}", "(a value)", "(another value)") for sort, used in sorted(renewed)),
        )
        kind = Kind.UPDATE if mode_of(before) == mode_of(after) else Kind.REPLACE
        restarts = _tasks(after) if renewed or kind is Kind.REPLACE or restarts_tasks(after, before) else 0
        yield Step(kind, Sort.SERVICE, name, body=after, live=live, changes=changes, restarts=restarts)


def readable(spec: Body, actual: Actual) -> dict[str, Any]:
    """The spec with network names in place of ids, for people."""
    names = {network: name for name, network in actual.network_ids.items()}
    template = dict(spec.get("TaskTemplate") or {})
    template["Networks"] = [{**item, "Target": names.get(item["Target"], item["Target"])} for item in template.get("Networks") or []]
    return {**spec, "TaskTemplate": template}


def references(spec: Body) -> frozenset[tuple[Sort, str]]:
    """The secrets and configs that a service uses, by name."""
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    return frozenset(
        (sort, item[f"{sort.value.capitalize()}Name"])
        for sort in (Sort.SECRET, Sort.CONFIG)
        for item in container.get(f"{sort.value.capitalize()}s") or []
    )


def mode_of(spec: Body) -> str:
    """Replicated, Global, ReplicatedJob or GlobalJob: the engine refuses to change one into another."""
    return str(next(iter(spec.get("Mode") or {"Replicated": {}})))


def _tasks(spec: Body) -> int:
    """How many tasks a replacement restarts; 1 stands for global services, whose number the nodes decide."""
    replicated = (spec.get("Mode") or {}).get("Replicated")
    return 1 if replicated is None else int(replicated.get("Replicas", 1))


def _pruned(desired: Desired, actual: Actual) -> Iterator[Step]:
    for name, live in sorted(actual.services.items()):
        if name not in desired.services:
            yield Step(Kind.REMOVE, Sort.SERVICE, name, live=live)


def removal(actual: Actual, stack: str) -> Plan:
    """The steps that take a whole stack away: users before what they use."""
    groups = (
        (Sort.SERVICE, actual.services),
        (Sort.SECRET, of_stack(actual.secrets, stack)),
        (Sort.CONFIG, of_stack(actual.configs, stack)),
        (Sort.NETWORK, actual.networks),
    )
    return Plan(tuple(Step(Kind.REMOVE, sort, name, live=live) for sort, found in groups for name, live in sorted(found.items())))


def in_safe_order(steps: Iterable[Step], order: tuple[str, ...]) -> tuple[Step, ...]:
    """Whoever gives up a published port goes first, then by dependency, other removals last."""
    ranks = {name: rank for rank, name in enumerate(order)}
    pending = sorted(steps, key=lambda step: (step.kind is Kind.REMOVE, ranks.get(step.name, len(ranks)), step.name))
    wanted = {port for step in pending for port in gains(step)}
    return tuple(sorted(pending, key=lambda step: not (releases(step) & wanted)))


def published(spec: Body) -> frozenset[tuple[str, int]]:
    """The ports a service holds on the routing mesh, which no two services may share."""
    return frozenset(
        (str(port.get("Protocol") or "tcp").lower(), int(port["PublishedPort"]))
        for port in (spec.get("EndpointSpec") or {}).get("Ports") or []
        if port.get("PublishedPort") and str(port.get("PublishMode") or "ingress").lower() == "ingress"
    )


def gains(step: Step) -> frozenset[tuple[str, int]]:
    """Ports that the service does not hold yet."""
    return published(step.body) - published(step.live.get("Spec") or {})


def releases(step: Step) -> frozenset[tuple[str, int]]:
    """Ports that are free after the step."""
    return published(step.live.get("Spec") or {}) - published(step.body)
