# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and configs: create, compare, remove.

The two differ in one thing: a config can be read back, a secret cannot. So a secret carries a verifier in a label; one that has
none is "unknown" until the engine itself has been asked, which takes a write.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ._engine import Engine, retried
from ._errors import EngineError, RefusedError
from ._history import listed, needed_by_all, revoke
from ._labels import Labels, text_labels
from ._model import OURS, REVISION, Body, Outcome
from ._model import Sort as ModelSort
from ._names import NAMES, is_possible, size_problem
from ._verifier import KEY, SALT_BYTES, VERIFIER, VERSION, make_verifier, verdict_of
from ._versions import SHORTENED, Versioned, labelled, name_of, next_number, versions_of


@dataclass(frozen=True)
class Sort:
    """What tells secrets from configs."""

    name: str
    path: str
    #: Field of a service's container spec that lists references, and the field of a reference that holds the id.
    references: str
    reference_id: str
    readable: bool

    def same(self, live: Body, content: bytes) -> bool | None:
        """Whether the live object holds this content; None where nobody can tell by looking."""
        if self.readable:
            return content_of(live) == content
        return verdict_of(content, live["Spec"].get("Labels"))

    def labels_for(self, name: str, number: int, content: bytes) -> Labels:
        """Our own labels on a new object."""
        own = {KEY: name, VERSION: str(number)}
        return own if self.readable else {**own, VERIFIER: make_verifier(content, os.urandom(SALT_BYTES))}


SECRET = Sort("secret", "/secrets", "Secrets", "SecretID", readable=False)
CONFIG = Sort("config", "/configs", "Configs", "ConfigID", readable=True)


@dataclass(frozen=True)
class ContentOptions:
    """What shall be true of one secret or config. The content never shows in a traceback."""

    name: str
    state: str = "present"
    content: bytes = field(default=b"", repr=False)
    labels: Labels = field(default_factory=dict)
    template_driver: str | None = None
    force: bool = False
    #: whether old versions go although revisions of stacks need them
    revoke: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ContentOptions:
        """From the module's options; reads the file they name."""
        return cls(
            name=options["name"],
            state=options["state"],
            content=_content(options) if options["state"] == "present" else b"",
            labels=text_labels(options["labels"]) or {},
            template_driver=options["template_driver"],
            force=options["force"],
            revoke=options["revoke"],
        )


@dataclass(frozen=True)
class Held:
    """What the swarm has of one secret or config: its versions, the newest first, and who needs which."""

    versions: list[Versioned]
    taken: frozenset[str]
    services: Sequence[Body]
    #: by name of the version: revisions of stacks that need it ("shop 7")
    revisions: Mapping[str, list[str]]

    @property
    def newest(self) -> Versioned | None:
        return self.versions[0] if self.versions else None

    def users(self, sort: Sort, versions: Sequence[Versioned]) -> list[str]:
        return sorted({user for version in versions for user in users_of(self.services, sort, version.live["ID"])})

    def is_free(self, sort: Sort, version: Versioned) -> bool:
        """Whether neither a service nor a revision needs it."""
        return not self.users(sort, [version]) and version.name not in self.revisions

    def next_name(self, name: str) -> tuple[str, int]:
        """Of the next version; names that somebody else has taken are passed over."""
        number = next_number(name, self.versions, self.taken)
        return name_of(name, number), number


def held(engine: Engine, sort: Sort, name: str) -> Held:
    """Look at one secret or config and all that depend on it."""
    listed: Sequence[Body] = engine.get(sort.path, filters={"name": [name[:SHORTENED]]}) or []
    objects = {live["Spec"]["Name"]: live for live in listed}
    if name not in objects and not versions_of(name, objects):
        return Held([], frozenset(objects), (), {})
    needed = needed_by_all(engine)
    return Held(
        versions_of(name, objects),
        frozenset(objects),
        engine.get("/services") or [],
        {called: users for (found, called), users in needed.items() if found.value == sort.name},
    )


def converge_content(engine: Engine, sort: Sort, options: ContentOptions, check: bool) -> Outcome:
    """Bring one secret or config to what the options say: a new value is a new version where the old one is in use."""
    found = held(engine, sort, options.name)
    if options.state == "absent":
        return remove(engine, sort, options, found, check)
    check_sayable(sort, options)
    newest = found.newest
    if newest is None:
        return create(engine, sort, options, check)
    fits = not options.force and options.template_driver in (None, _driver(newest.live))
    same, warnings = judge(engine, sort, newest.live, options, check) if fits else (False, ())
    rotates = not same and not found.is_free(sort, newest)
    old = found.versions if rotates else found.versions[1:]
    if options.revoke and (users := found.users(sort, old)):
        raise RefusedError(
            f"{sort.name} {options.name}: old versions cannot be revoked, as {', '.join(users)} still use them; let these services take "
            "the new one first."
        )
    act = relabel if same else partial(rotate, found=found) if rotates else replace_content
    outcome = act(engine, sort, newest.live, options, check)
    going = [version for version in old if not found.users(sort, [version]) and (options.revoke or version.name not in found.revisions)]
    if not check:
        _drop(engine, sort, going, found)
    return _told(outcome, sort, found, old, going, warnings)


def _drop(engine: Engine, sort: Sort, going: Sequence[Versioned], found: Held) -> None:
    """Remove old versions, and write down in revisions that needed them that they are gone."""
    for version in going:
        engine.delete(f"{sort.path}/{version.live['ID']}")
    for needing in sorted({revision for version in going for revision in found.revisions.get(version.name, ())}):
        stack, _space, number = needing.rpartition(" ")
        revision = next((revision for revision in listed(engine, stack) if revision.number == int(number)), None)
        if revision:
            gone = [f"{sort.name} {version.name}" for version in going if needing in found.revisions.get(version.name, ())]
            revoke(engine, revision, stack, gone)


def _told(
    outcome: Outcome, sort: Sort, found: Held, old: Sequence[Versioned], going: Sequence[Versioned], warnings: tuple[str, ...]
) -> Outcome:
    """With who is still on an old version, and which versions go."""
    names = [version.name for version in going]
    values = {**outcome.values, "users": found.users(sort, old), "removed": names}
    if not names:
        return replace(outcome, values=values, warnings=warnings)
    before, after = ({**(side or {}), "old_versions": kept} for side, kept in ((outcome.before, names), (outcome.after, [])))
    return replace(outcome, changed=True, before=before, after=after, values=values, warnings=warnings)


def would_create(sort: Sort, options: ContentOptions) -> Outcome:
    """For check mode on a host without engine or swarm."""
    if options.state == "absent":
        return Outcome(changed=False, values={**_values(sort, options.name, None, None), "users": [], "removed": []})
    check_sayable(sort, options)
    values = {**_values(sort, options.name, None, 1), "users": [], "removed": []}
    return Outcome(changed=True, after=wanted_view(sort, options), values=values)


def check_sayable(sort: Sort, options: ContentOptions) -> None:
    """Say what the engine would refuse, before anything is touched."""
    _pattern, longest = NAMES[f"{sort.name}s"]
    if not is_possible(f"{sort.name}s", options.name):
        raise RefusedError(
            f"{options.name} cannot be the name of a {sort.name}: up to {longest} letters, digits, '-', '_' and '.' are allowed, "
            "the first and the last a letter or digit."
        )
    if problem := size_problem(f"{sort.name}s", options.content):
        raise RefusedError(f"{sort.name} {options.name}: {problem}")


def judge(engine: Engine, sort: Sort, live: Body, options: ContentOptions, check: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether the content is the same, and what could not be found out."""
    same = sort.same(live, options.content)
    if same is not None:
        return same, ()
    if check:
        warning = (
            f"{sort.name} {options.name} was not made by this collection and cannot be read, so check mode cannot tell whether it "
            "has the given value; a real run asks the engine."
        )
        return True, (warning,)
    return verified_by_engine(engine, sort, live, options.content), ()


def verified_by_engine(engine: Engine, sort: Sort, live: Body, content: bytes) -> bool:
    """Offer the content as an update: the engine takes the same content and refuses other. What it takes is remembered."""

    def attempt() -> bool:
        current = engine.get(f"{sort.path}/{live['ID']}")
        labels = {**(current["Spec"].get("Labels") or {}), VERIFIER: make_verifier(content, os.urandom(SALT_BYTES))}
        try:
            write(engine, sort, current, {**current["Spec"], "Labels": labels, "Data": _encoded(content)})
        except EngineError as error:
            if "only updates to Labels are allowed" in error.message:
                return False
            raise
        return True

    return retried(attempt)


def create(engine: Engine, sort: Sort, options: ContentOptions, check: bool, called: str = "", number: int = 1) -> Outcome:
    """Make the object, as the first version unless another name and number are given."""
    called = called or options.name
    made = None if check else engine.post(f"{sort.path}/create", body_of(sort, options, called, number))["ID"]
    values = {**_values(sort, called, made, number), "users": [], "removed": []}
    return Outcome(True, None, wanted_view(sort, options, called, number), values=values)


def replace_content(engine: Engine, sort: Sort, live: Body, options: ContentOptions, check: bool) -> Outcome:
    """Content cannot be changed: remove and make anew what nobody uses, under its name and number."""
    driver = options.template_driver or _driver(live)
    anew = replace(options, labels={**_users_labels(live), **options.labels}, template_driver=driver)
    if not check:
        engine.delete(f"{sort.path}/{live['ID']}")
    outcome = create(engine, sort, anew, check, live["Spec"]["Name"], int(labelled(live)[1] or 1))
    return replace(outcome, before=view(sort, live))


def rotate(engine: Engine, sort: Sort, live: Body, options: ContentOptions, check: bool, found: Held) -> Outcome:
    """Make the next version beside the one in use."""
    called, number = found.next_name(options.name)
    driver = options.template_driver or _driver(live)
    anew = replace(options, labels={**_users_labels(live), **options.labels}, template_driver=driver)
    return replace(create(engine, sort, anew, check, called, number), before=view(sort, live))


def relabel(engine: Engine, sort: Sort, live: Body, options: ContentOptions, check: bool) -> Outcome:
    """Add and change labels; all others stay, ours too."""

    def attempt() -> None:
        current = engine.get(f"{sort.path}/{live['ID']}")
        labels = {**(current["Spec"].get("Labels") or {}), **options.labels}
        write(engine, sort, current, {**current["Spec"], "Labels": labels})

    before = view(sort, live)
    after = {**before, "labels": {**before["labels"], **options.labels}}
    changed = before != after
    if changed and not check:
        retried(attempt)
    return Outcome(changed, before, after, values=_values(sort, live["Spec"]["Name"], live["ID"], int(labelled(live)[1] or 1)))


def remove(engine: Engine, sort: Sort, options: ContentOptions, found: Held, check: bool) -> Outcome:
    """Remove all versions, if no service uses one."""
    newest = found.newest
    values = {**_values(sort, options.name, None, None), "users": [], "removed": [version.name for version in found.versions]}
    if newest is None:
        return Outcome(changed=False, values=values)
    users = found.users(sort, found.versions)
    if users:
        raise RefusedError(f"{sort.name} {options.name} is used by {', '.join(users)}; remove these services first, or take it from them.")
    if not check:
        _drop(engine, sort, found.versions, found)
    return Outcome(True, view(sort, newest.live), None, values=values)


def write(engine: Engine, sort: Sort, live: Body, spec: Body) -> None:
    """Update what the engine lets be updated: labels."""
    engine.post(f"{sort.path}/{live['ID']}/update", spec, version=live["Version"]["Index"])


def body_of(sort: Sort, options: ContentOptions, called: str, number: int) -> dict[str, Any]:
    """The create request, our labels beside the user's."""
    body: dict[str, Any] = {
        "Name": called,
        "Labels": {**options.labels, **sort.labels_for(options.name, number, options.content)},
        "Data": _encoded(options.content),
    }
    if options.template_driver:
        body["Templating"] = {"Name": options.template_driver}
    return body


def users_of(services: Sequence[Body], sort: Sort, wanted: str) -> list[str]:
    """Names of the services that refer to this id."""
    return sorted(service["Spec"]["Name"] for service in services if wanted in references_of(service, sort))


def references_of(service: Body, sort: Sort) -> set[str]:
    """Ids of the secrets or configs a service refers to."""
    container = service["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
    listed = {reference[sort.reference_id] for reference in container.get(sort.references) or ()}
    credential = ((container.get("Privileges") or {}).get("CredentialSpec") or {}).get("Config")
    return listed | {credential} if sort is CONFIG and credential else listed


def list_contents(engine: Engine, sort: Sort, options: Mapping[str, Any]) -> Outcome:
    """All objects of a sort, or those with exactly these names and their versions; names that are not there are left out."""
    names = options["name"]
    everything = {live["Spec"]["Name"]: live for live in engine.get(sort.path)}
    # records of deploys are no configs of anybody's
    kept = [live for live in everything.values() if REVISION not in (live["Spec"].get("Labels") or {})]
    found = [live for live in kept if names is None or {live["Spec"]["Name"], labelled(live)[0]} & set(names)]
    services = engine.get("/services")
    needed = needed_by_all(engine)
    shown = [
        {
            "id": live["ID"],
            "name": live["Spec"]["Name"],
            **_version(live, everything),
            "revisions": sorted(needed.get((ModelSort(sort.name), live["Spec"]["Name"]), [])),
            "labels": _shown_labels(live),
            "template_driver": _driver(live),
            "created": live["CreatedAt"],
            "updated": live["UpdatedAt"],
            "users": users_of(services, sort, live["ID"]),
            **(_readable(content_of(live)) if options.get("data") else {}),
        }
        for live in sorted(found, key=lambda live: str(live["Spec"]["Name"]))
    ]
    return Outcome(changed=False, values={f"{sort.name}s": shown})


def _version(live: Body, everything: Mapping[str, Body]) -> dict[str, Any]:
    """Of which name it is a version, which one, and whether that is the one that counts."""
    key, number = labelled(live)
    key = key or live["Spec"]["Name"]
    newest = versions_of(key, everything)[0].name
    return {"key": key, "version": int(number) if number.isdigit() else 1, "is_newest": newest == live["Spec"]["Name"]}


def no_contents(sort: Sort) -> Outcome:
    """For check mode on a bare host."""
    return Outcome(changed=False, values={f"{sort.name}s": []})


def content_of(live: Body) -> bytes:
    """What a config holds."""
    return base64.b64decode(live["Spec"].get("Data") or "")


def view(sort: Sort, live: Body) -> dict[str, Any]:
    """An object as the diff shows it: never a secret's content, nor what could be used to guess it."""
    shown = {"name": live["Spec"]["Name"], "labels": _shown_labels(live), "template_driver": _driver(live)}
    return {**shown, **_readable(content_of(live))} if sort.readable else {**shown, "data": "(hidden)"}


def wanted_view(sort: Sort, options: ContentOptions, called: str = "", number: int = 1) -> dict[str, Any]:
    """What will be made, as the diff shows it."""
    labels = {**options.labels, KEY: options.name, VERSION: str(number)}
    shown = {"name": called or options.name, "labels": labels, "template_driver": options.template_driver}
    return {**shown, **_readable(options.content)} if sort.readable else {**shown, "data": "(hidden, as given)"}


def _content(options: Mapping[str, Any]) -> bytes:
    if options["data_src"] is not None:
        try:
            return Path(options["data_src"]).read_bytes()
        except OSError as error:
            raise RefusedError(f"{options['name']}: data_src {options['data_src']} cannot be read: {error.strerror}.") from error
    text = options["data"] or ""
    if not options["data_is_b64"]:
        return str(text).encode()
    try:
        # it may come in lines, as tools write it
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise RefusedError(f"{options['name']}: data is not base64, as data_is_b64: true says ({error}).") from error


def _readable(content: bytes) -> dict[str, Any]:
    try:
        return {"data": content.decode(), "data_is_b64": False}
    except UnicodeDecodeError:
        return {"data": _encoded(content), "data_is_b64": True}


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _driver(live: Body) -> str | None:
    return (live["Spec"].get("Templating") or {}).get("Name") or None


def _shown_labels(live: Body) -> Labels:
    # the verifier would let whoever reads the output try passwords
    return {key: value for key, value in (live["Spec"].get("Labels") or {}).items() if key != VERIFIER}


def _users_labels(live: Body) -> Labels:
    return {key: value for key, value in (live["Spec"].get("Labels") or {}).items() if not key.startswith(OURS)}


def _values(sort: Sort, name: str, made: str | None, number: int | None) -> dict[str, Any]:
    return {f"{sort.name}_id": made, f"{sort.name}_name": name, "version": number}
