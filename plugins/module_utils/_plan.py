# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare: (desired, actual) -> plan. Pure; check mode stops here and the diff is drawn from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from ._actual import Actual, of_stack, targets
from ._desired import Desired
from ._diff import differences, told
from ._errors import RefusedError
from ._model import IMAGE, NAMESPACE, OURS, Body, Change, Kind, Plan, References, Sort, Step
from ._order import check_ports, in_safe_order
from ._spec import graft, same
from ._verifier import KEY, VERIFIER, VERSION
from ._versions import Versioned, holds, labelled, name_of, next_number, versions_of


@dataclass(frozen=True)
class Intent:
    """What the caller wants beyond the files: contents by key, pinned images, whether to prune."""

    contents: Mapping[tuple[Sort, str], bytes] = field(default_factory=dict)
    #: image as in the file -> (image to run, platforms); absent images keep what runs, or the tag
    pinned: Mapping[str, tuple[str, list[Body]]] = field(default_factory=dict)
    #: True for services, "all" for everything the stack labelled and nothing uses
    prune: bool | str = False
    recreate: bool = False
    #: whether the services' specs are meant to the letter, digests included, as when going back to an earlier state
    exact: bool = False
    #: secrets of which the engine said that they hold another value
    denied: frozenset[tuple[Sort, str]] = frozenset()
    #: image as in the file -> since when its registry has had the given credentials; the engine keeps those it was given last
    renewed: Mapping[str, str] = field(default_factory=dict)
    #: what runs of an image that is not pinned stays only if it is of the file's tag, as that is asked for every time
    by_tag: bool = False
    #: images are pinned only for services whose image the file names otherwise than before
    pin_changed_only: bool = False
    #: secrets and configs that stay although nothing uses them, for the revisions that need them
    kept: References = frozenset()
    #: services of the stack that are left alone although the files do not have them, by full name
    spared: frozenset[str] = frozenset()


def compare(desired: Desired, actual: Actual, intent: Intent) -> Plan:
    """The steps that lead from actual to desired, in a safe order; none when nothing differs."""
    names = chosen(desired, actual, intent)
    network_steps = tuple(_networks(desired, actual, intent))
    content_steps = tuple(step for group in _sorts(desired, actual) for step in _contents(*group, intent, actual.taken))
    remade = frozenset(step.name for step in network_steps if step.kind is Kind.REPLACE)
    services = tuple(_services(desired, actual, intent, names, remade))
    pruned = tuple(_pruned(desired, actual, intent.spared)) if intent.prune else ()
    leftovers = tuple(_leftovers(desired, actual, intent)) if intent.prune == "all" else ()
    outdated = tuple(_outdated(desired, actual, names, intent))
    gone = {step.name for step in pruned}
    left = (service for name, service in actual.services.items() if name not in gone and name not in desired.services)
    check_ports(services, desired.services, (item["Spec"] for item in (*actual.others, *left)), desired.stack)
    return Plan(
        steps=(*network_steps, *content_steps, *in_safe_order((*services, *pruned), desired.order), *outdated, *leftovers),
        warnings=() if intent.recreate else tuple(_drifted(desired, actual)),
    )


def bind(spec: Body, actual: Actual, names: Mapping[tuple[Sort, str], str]) -> dict[str, Any]:
    """The spec with ids in place of names, as far as the objects exist, and with the chosen versions."""
    template = dict(spec["TaskTemplate"])
    container = dict(template.get("ContainerSpec") or {})
    if template.get("Networks"):
        template["Networks"] = [{**item, "Target": actual.network_ids.get(item["Target"], item["Target"])} for item in template["Networks"]]
    for sort, word, ids in ((Sort.SECRET, "Secret", actual.secret_ids), (Sort.CONFIG, "Config", actual.config_ids)):
        if container.get(f"{word}s"):
            versioned = [(item, names.get((sort, item[f"{word}Name"]), item[f"{word}Name"])) for item in container[f"{word}s"]]
            container[f"{word}s"] = [{**item, f"{word}Name": name, f"{word}ID": ids.get(name, "")} for item, name in versioned]
    privileges = container.get("Privileges") or {}
    credential = (privileges.get("CredentialSpec") or {}).get("Config")
    if credential:
        name = names.get((Sort.CONFIG, credential), credential)
        bound = {**privileges["CredentialSpec"], "Config": actual.config_ids.get(name, name)}
        container["Privileges"] = {**privileges, "CredentialSpec": bound}
    template["ContainerSpec"] = container
    return {**spec, "TaskTemplate": template}


def next_spec(bound: dict[str, Any], live: Body | None, intent: Intent) -> dict[str, Any]:
    """The spec to send for a service whose references are bound: with its image pinned, and grafted on the live one."""
    template = bound["TaskTemplate"]
    live_spec = (live or {}).get("Spec") or {}
    if intent.exact:
        exact: dict[str, Any] = graft(bound, live_spec) if live else bound
        return exact
    live_template = live_spec.get("TaskTemplate") or {}
    image = (bound.get("Labels") or {}).get(IMAGE, "")
    unchanged_image = (live_spec.get("Labels") or {}).get(IMAGE) == image
    live_placement = live_template.get("Placement") or {}
    if image in intent.pinned and not (unchanged_image and intent.pin_changed_only):
        pinned, platforms = intent.pinned[image]
    else:
        # the digest that runs stays, so that nothing restarts because a tag was not looked up
        wanted, runs = template["ContainerSpec"]["Image"], (live_template.get("ContainerSpec") or {}).get("Image") or ""
        stays = unchanged_image and runs and (not intent.by_tag or f"{runs}@".startswith(f"{wanted}@"))
        pinned, platforms = runs if stays else wanted, []
    template["ContainerSpec"]["Image"] = pinned
    platforms = platforms or (live_placement.get("Platforms") if unchanged_image else None) or []
    if platforms:
        template["Placement"] = {**(template.get("Placement") or {}), "Platforms": platforms}
    # an earlier 'docker service update --force' is not undone
    template["ForceUpdate"] = live_template.get("ForceUpdate") or 0
    grafted: dict[str, Any] = graft(bound, live_spec) if live else bound
    return grafted


def _networks(desired: Desired, actual: Actual, intent: Intent) -> Iterator[Step]:
    for name, body in desired.networks.items():
        live = actual.networks.get(name)
        if live is None:
            if name in actual.network_ids:
                raise RefusedError(
                    f"The network '{name}' exists but does not belong to stack '{desired.stack}'; declare it 'external: true' "
                    "to use it, or remove or rename one of the two."
                )
            yield Step(Kind.CREATE, Sort.NETWORK, name, body=body)
            continue
        changes = tuple(drift(body, live))
        if changes and intent.recreate:
            users = sorted(other["Spec"]["Name"] for other in actual.others if live["Id"] in targets(other["Spec"]))
            if users:
                raise RefusedError(
                    f"The network '{name}' of stack '{desired.stack}' cannot be made anew: service(s) {', '.join(users)} outside "
                    "the stack use it; take them off it first."
                )
            yield Step(Kind.REPLACE, Sort.NETWORK, name, body=body, live=live, changes=changes)


def drift(body: Body, live: Body) -> Iterator[Change]:
    """What the file says of a network and the live one is not; what the file leaves to the engine is not compared."""
    name = body["Name"]
    for facet, wanted, found in (
        ("driver", body.get("Driver") or "overlay", live.get("Driver")),
        ("internal", bool(body.get("Internal")), bool(live.get("Internal"))),
        ("attachable", bool(body.get("Attachable")), bool(live.get("Attachable"))),
        ("enable_ipv6", bool(body.get("EnableIPv6")), bool(live.get("EnableIPv6"))),
        *_entries("driver_opts", body.get("Options"), live.get("Options")),
        *_entries("labels", body.get("Labels"), live.get("Labels")),
        *_ipam(body.get("IPAM") or {}, live.get("IPAM") or {}),
    ):
        if wanted != found:
            yield Change(f"networks.{name}.{facet}", found, wanted)


#: The API's names of what the file calls otherwise.
POOL = {"Subnet": "subnet", "IPRange": "ip_range", "Gateway": "gateway", "AuxiliaryAddresses": "aux_addresses"}
#: Options that the engine adds to those of the file.
ENGINE_OPTIONS = ("com.docker.network.driver.overlay.vxlanid_list",)


def _entries(facet: str, wanted: Body | None, found: Body | None) -> Iterator[tuple[str, Any, Any]]:
    wanted, found = wanted or {}, found or {}
    for key in sorted({*wanted, *found}.difference(ENGINE_OPTIONS)):
        yield f"{facet}.{key}", wanted.get(key), found.get(key)


def _ipam(wanted: Body, found: Body) -> Iterator[tuple[str, Any, Any]]:
    yield "ipam.driver", wanted.get("Driver") or "default", found.get("Driver") or "default"
    yield from _entries("ipam.options", wanted.get("Options"), found.get("Options")) if wanted.get("Options") else ()
    pools = [{key: _address(value) for key, value in pool.items()} for pool in wanted.get("Config") or []]
    for pool, live in zip(pools, _alike(pools, found.get("Config") or [])):
        for key, value in pool.items():
            yield f"ipam.config.{POOL.get(key, key)}", value, _address(live.get(key))


def _alike(pools: list[dict[str, Any]], found: list[Body]) -> Iterator[Body]:
    """For each pool the live one of the same subnet, or else the one in its place."""
    for index, pool in enumerate(pools):
        same_subnet = [live for live in found if _address(live.get("Subnet")) == pool.get("Subnet")]
        yield next(iter(same_subnet or found[index : index + 1]), {})


def _address(value: Any) -> Any:
    """One spelling for each subnet; anything else as it is."""
    try:
        return str(ip_network(value, strict=False)) if "/" in value else value
    except (TypeError, ValueError):
        return value


def _drifted(desired: Desired, actual: Actual) -> Iterator[str]:
    for name, body in desired.networks.items():
        for change in drift(body, actual.networks.get(name) or {}) if name in actual.networks else ():
            yield (
                f"{change.path} is {change.old!r}, but the file says {change.new!r}; the engine cannot change a network, so it "
                "stays as it is. Set recreate: true to have it made anew, which restarts the services on it."
            )


def _contents(
    sort: Sort, wanted: Mapping[str, Body], keys: Mapping[str, str], live: Mapping[str, Body], intent: Intent, taken: frozenset[str]
) -> Iterator[Step]:
    """One step at most for each secret or config; the object that shall be used is the step's, or else the newest that fits."""
    for name, body in wanted.items():
        content = intent.contents.get((sort, keys[name]))
        versions = versions_of(name, live)
        _check_owner(sort, name, versions, body["Labels"][NAMESPACE])
        fitting = current(sort, [version for version in versions if _drivers(version.live["Spec"]) == _drivers(body)], content, intent)
        if fitting is None:
            number = next_number(name, versions, taken | live.keys())
            called = name_of(name, number)
            labels = {**(body.get("Labels") or {}), KEY: name, VERSION: str(number)}
            newest = versions[0].number if versions else 0
            newer = Change(f"{sort.value}s.{name}", f"version {newest}", f"version {number}")
            body = _with_content({**body, "Name": called, "Labels": labels}, content)
            yield Step(Kind.CREATE, sort, called, body=body, changes=(newer,) if versions else ())
            continue
        labels = fitting.live["Spec"].get("Labels") or {}
        ours = {key: value for key, value in labels.items() if key.startswith(OURS)}
        body = {**body, "Name": fitting.name, "Labels": {**(body.get("Labels") or {}), **ours}}
        if content is not None and holds(sort, fitting, content) is None:
            yield Step(Kind.ADOPT, sort, fitting.name, body=_with_content(body, content), live=fitting.live)
        elif body["Labels"] != labels:
            changes = tuple(differences({"Labels": labels}, {"Labels": body["Labels"]}, f"{sort.value}s.{name}"))
            yield Step(Kind.UPDATE, sort, fitting.name, body=body, live=fitting.live, changes=changes)


def _check_owner(sort: Sort, name: str, versions: Iterable[Versioned], stack: str) -> None:
    """What another stack has as its own is neither labelled anew nor removed; what no stack has is for whoever names it."""
    owners = {(version.live["Spec"].get("Labels") or {}).get(NAMESPACE) or stack for version in versions}
    others = sorted(owners - {stack})
    if others:
        raise RefusedError(
            f"The {sort.value} '{name}' belongs to stack '{others[0]}', not to '{stack}'; declare it 'external: true' to use it, or give "
            "one of the two another name."
        )


def _drivers(spec: Body) -> tuple[str, str, Body]:
    """Who fills the content in for each task, and who has it, with which options; neither can be changed either."""
    owner = spec.get("Driver") or {}
    return str((spec.get("Templating") or {}).get("Name") or ""), str(owner.get("Name") or ""), owner.get("Options") or {}


def current(sort: Sort, versions: list[Versioned], content: bytes | None, intent: Intent) -> Versioned | None:
    """The newest version with the wanted value; an older one serves too, which makes going back free.

    Without a value to compare (a driver provides it) the newest is right. A first version nobody recorded may be right:
    the engine is asked, and what it denied is in ``intent.denied``.
    """
    if content is None:
        return versions[0] if versions else None
    known = next((version for version in versions if holds(sort, version, content)), None)
    unknown = [version for version in versions if holds(sort, version, content) is None and (sort, version.name) not in intent.denied]
    return known or next(iter(unknown), None)


def chosen(desired: Desired, actual: Actual, intent: Intent) -> dict[tuple[Sort, str], str]:
    """Which object stands for each secret and config of the files."""
    names: dict[tuple[Sort, str], str] = {}
    for sort, wanted, keys, live in _sorts(desired, actual):
        for name in wanted:
            versions = versions_of(name, live)
            alike = [version for version in versions if _drivers(version.live["Spec"]) == _drivers(wanted[name])]
            fitting = current(sort, alike, intent.contents.get((sort, keys[name])), intent)
            names[sort, name] = fitting.name if fitting else name_of(name, next_number(name, versions, actual.taken | live.keys()))
    if not intent.exact:
        for sort, external, live in _externals(desired, actual):
            names.update(
                {(sort, name): in_force(sort, versions, actual).name for name in external if (versions := versions_of(name, live))}
            )
    return names


def in_force(sort: Sort, versions: Sequence[Versioned], actual: Actual) -> Versioned:
    """The version that counts for whoever shares it: the one that its own stack runs, which may have gone back, else the newest."""
    owners = {(version.live["Spec"].get("Labels") or {}).get(NAMESPACE) for version in versions} - {None}
    specs = (service["Spec"] for service in (*actual.others, *actual.services.values()))
    used = used_by(spec for spec in specs if (spec.get("Labels") or {}).get(NAMESPACE) in owners)
    return next((version for version in versions if (sort, version.name) in used), versions[0])


def _sorts(desired: Desired, actual: Actual) -> Iterator[tuple[Sort, Mapping[str, Body], Mapping[str, str], Mapping[str, Body]]]:
    yield Sort.SECRET, desired.secrets, desired.secret_keys, actual.secrets
    yield Sort.CONFIG, desired.configs, desired.config_keys, actual.configs


def old_versions(desired: Desired, actual: Actual, plan: Plan) -> Iterator[tuple[Sort, Versioned]]:
    """Versions of ours of the stack's own secrets and configs that its services do not use when the plan is carried out."""
    bodies = {
        **{name: live["Spec"] for name, live in actual.services.items()},
        **{step.name: step.body for step in plan.steps if step.body},
    }
    used = used_by(bodies[name] for name in desired.services if name in bodies)
    for sort, wanted, _keys, live in _sorts(desired, actual):
        for name in wanted:
            yield from ((sort, old) for old in versions_of(name, live) if labelled(old.live)[0] == name and (sort, old.name) not in used)


def to_verify(desired: Desired, actual: Actual, intent: Intent) -> Iterator[tuple[bytes, str | None]]:
    """The values of secrets with the verifiers that they will be compared with first."""
    for name in desired.secrets:
        content = intent.contents.get((Sort.SECRET, desired.secret_keys[name]))
        versions = versions_of(name, actual.secrets)
        if content is not None and versions:
            yield content, (versions[0].live["Spec"].get("Labels") or {}).get(VERIFIER)


def _externals(desired: Desired, actual: Actual) -> Iterator[tuple[Sort, Iterable[str], Mapping[str, Body]]]:
    yield Sort.SECRET, desired.external_secrets, actual.secrets
    yield Sort.CONFIG, desired.external_configs, actual.configs


def _outdated(desired: Desired, actual: Actual, names: Mapping[tuple[Sort, str], str], intent: Intent) -> Iterator[Step]:
    """Versions of ours that neither a service, once this plan is carried out, nor a kept revision has a use for."""
    used = _used_elsewhere(desired, actual, intent) | intent.kept
    groups = [(sort, wanted, live) for sort, wanted, _keys, live in _sorts(desired, actual)]
    # the last stack to leave an old version of something shared removes it
    for sort, wanted, live in groups if intent.exact else (*groups, *_externals(desired, actual)):
        for name in wanted:
            for version in versions_of(name, live):
                recorded = labelled(version.live)[0] == name
                if recorded and version.name != names[sort, name] and (sort, version.name) not in used:
                    yield Step(Kind.REMOVE, sort, version.name, live=version.live)


def _used_elsewhere(desired: Desired, actual: Actual, intent: Intent) -> References:
    """What other stacks' services use, and services of this one that the files do not have any more but that stay."""
    left = actual.services.keys() - desired.services.keys()
    kept = [actual.services[name] for name in left if not intent.prune or name in intent.spared]
    return used_by(service["Spec"] for service in (*actual.others, *kept))


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


def _services(
    desired: Desired, actual: Actual, intent: Intent, names: Mapping[tuple[Sort, str], str], remade: frozenset[str]
) -> Iterator[Step]:
    for name, spec in desired.services.items():
        live = actual.services.get(name)
        after = next_spec(bind(spec, actual, names), live, intent)
        if live is None:
            yield Step(Kind.CREATE, Sort.SERVICE, name, body=after)
            continue
        before = live["Spec"]
        moved = sorted(remade & targets(spec))
        # the engine writes all times alike, in UTC, so they sort as text
        renewed = live.get("UpdatedAt", "") < intent.renewed.get((spec.get("Labels") or {}).get(IMAGE, ""), "")
        if same(after, before) and not moved and not renewed:
            continue
        place = f"services.{name.removeprefix(f'{desired.stack}_')}"
        changes = (
            *told(differences(readable(before, actual), readable(after, actual), place)),
            *(Change(f"{place}.networks.{network}", "(as it is)", "(made anew)") for network in moved),
            *([Change(f"{place}.registry_auth", "(outdated)", "(as given)")] if renewed else []),
        )
        kind = Kind.UPDATE if mode_of(before) == mode_of(after) else Kind.REPLACE
        yield Step(kind, Sort.SERVICE, name, body=after, live=live, changes=changes, detached=bool(moved))


def readable(spec: Body, actual: Actual) -> dict[str, Any]:
    """The spec with network names in place of ids, for people."""
    names = {network: name for name, network in actual.network_ids.items()}
    template = dict(spec.get("TaskTemplate") or {})
    template["Networks"] = [{**item, "Target": names.get(item["Target"], item["Target"])} for item in template.get("Networks") or []]
    return {**spec, "TaskTemplate": template}


def used_by(specs: Iterable[Body]) -> References:
    """The networks, secrets and configs that any of these services uses."""
    return frozenset[tuple[Sort, str]]().union(*map(references, specs))


def references(spec: Body) -> References:
    """The networks, secrets and configs that a service uses, by name; networks of a live spec by id."""
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    return frozenset((Sort.NETWORK, name) for name in targets(spec)) | frozenset(
        (sort, item[f"{sort.value.capitalize()}Name"])
        for sort in (Sort.SECRET, Sort.CONFIG)
        for item in container.get(f"{sort.value.capitalize()}s") or []
    )


def mode_of(spec: Body) -> str:
    """Replicated, Global, ReplicatedJob or GlobalJob: the engine refuses to change one into another."""
    return str(next(iter(spec.get("Mode") or {"Replicated": {}})))


def _pruned(desired: Desired, actual: Actual, spared: frozenset[str]) -> Iterator[Step]:
    for name, live in sorted(actual.services.items()):
        if name not in desired.services and name not in spared:
            yield Step(Kind.REMOVE, Sort.SERVICE, name, live=live)


def _leftovers(desired: Desired, actual: Actual, intent: Intent) -> Iterator[Step]:
    """Networks, secrets and configs of the stack that neither the files nor any service nor a kept revision has a use for."""
    # networks can be made again when a revision is brought back
    used = intent.kept | _used_elsewhere(desired, actual, intent)
    for sort, found, wanted in (
        (Sort.SECRET, of_stack(actual.secrets, desired.stack), {*desired.secrets, *desired.external_secrets}),
        (Sort.CONFIG, of_stack(actual.configs, desired.stack), {*desired.configs, *desired.external_configs}),
        (Sort.NETWORK, actual.networks, {*desired.networks, *desired.external_networks}),
    ):
        for name, live in sorted(found.items()):
            ours = sort is not Sort.NETWORK and labelled(live)[0] in wanted
            if name not in wanted and not ours and not {(sort, name), (sort, live.get("Id", ""))} & used:
                yield Step(Kind.REMOVE, sort, name, live=live)


def removal(actual: Actual, stack: str, volumes: Iterable[Body] = (), kept: References = frozenset()) -> Plan:
    """The steps that take a whole stack away but for what is to be kept: users before what they use."""
    groups = (
        (Sort.SERVICE, actual.services),
        (Sort.SECRET, of_stack(actual.secrets, stack)),
        (Sort.CONFIG, of_stack(actual.configs, stack)),
        (Sort.CONFIG, {record["Spec"]["Name"]: record for record in actual.records}),
        (Sort.NETWORK, actual.networks),
        (Sort.VOLUME, {volume["Name"]: volume for volume in volumes}),
    )
    return Plan(
        tuple(
            Step(Kind.REMOVE, sort, name, live=live)
            for sort, found in groups
            for name, live in sorted(found.items())
            if (sort, name) not in kept
        )
    )
