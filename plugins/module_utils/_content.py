# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and configs: create, compare, remove.

The two differ in one thing: a config can be read back, a secret cannot. So a secret carries a verifier in a label; one that has
none is "unknown" until the engine itself has been asked, which takes a write.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ._engine import Engine, retried
from ._errors import EngineError, RefusedError
from ._labels import Labels, text_labels
from ._model import OURS, Body, Outcome
from ._verifier import KEY, SALT_BYTES, VERIFIER, VERSION, make_verifier, verdict_of

#: Swarmkit's rule for names of secrets and configs.
NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?")


@dataclass(frozen=True)
class Sort:
    """What tells secrets from configs."""

    name: str
    path: str
    #: Swarmkit takes less than this; what does not fit would only be refused after it was sent.
    limit: int
    #: Field of a service's container spec that lists references, and the field of a reference that holds the id.
    references: str
    reference_id: str
    readable: bool

    def same(self, live: Body, content: bytes) -> bool | None:
        """Whether the live object holds this content; None where nobody can tell by looking."""
        if self.readable:
            return content_of(live) == content
        return verdict_of(content, live["Spec"].get("Labels"))

    def labels_for(self, name: str, content: bytes) -> Labels:
        """Our own labels on a new object."""
        own = {KEY: name, VERSION: "1"}
        return own if self.readable else {**own, VERIFIER: make_verifier(content, os.urandom(SALT_BYTES))}


SECRET = Sort("secret", "/secrets", 500 * 1024, "Secrets", "SecretID", readable=False)
CONFIG = Sort("config", "/configs", 1000 * 1024, "Configs", "ConfigID", readable=True)


@dataclass(frozen=True)
class ContentOptions:
    """What shall be true of one secret or config. The content never shows in a traceback."""

    name: str
    state: str = "present"
    content: bytes = field(default=b"", repr=False)
    labels: Labels = field(default_factory=dict)
    template_driver: str | None = None
    force: bool = False

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
        )


def converge_content(engine: Engine, sort: Sort, options: ContentOptions, check: bool) -> Outcome:
    """Bring one secret or config to what the options say."""
    live = find(engine, sort, options.name)
    if options.state == "absent":
        return remove(engine, sort, options, live, check)
    check_sayable(sort, options)
    if live is None:
        return create(engine, sort, options, check)
    fits = not options.force and options.template_driver in (None, _driver(live))
    same, warnings = judge(engine, sort, live, options, check) if fits else (False, ())
    act = relabel if same else replace_content
    return replace(act(engine, sort, live, options, check), warnings=warnings)


def would_create(sort: Sort, options: ContentOptions) -> Outcome:
    """For check mode on a host without engine or swarm."""
    if options.state == "absent":
        return Outcome(changed=False, values=_values(sort, options.name, None))
    check_sayable(sort, options)
    return Outcome(changed=True, after=wanted_view(sort, options), values=_values(sort, options.name, None))


def find(engine: Engine, sort: Sort, name: str) -> Body | None:
    """The object with exactly this name: the engine's own filter matches every name that begins so."""
    listed: Sequence[Body] = engine.get(sort.path, filters={"name": [name]})
    return next((live for live in listed if live["Spec"]["Name"] == name), None)


def check_sayable(sort: Sort, options: ContentOptions) -> None:
    """Say what the engine would refuse, before anything is touched."""
    if not NAME.fullmatch(options.name):
        raise RefusedError(
            f"{options.name} cannot be the name of a {sort.name}: up to 64 letters, digits, '-', '_' and '.' are allowed, "
            "the first and the last a letter or digit."
        )
    if not 0 < len(options.content) < sort.limit:
        raise RefusedError(
            f"{sort.name} {options.name}: the engine takes 1 to {sort.limit - 1} bytes, this has {len(options.content)}; "
            "keep larger files in an image or a volume."
        )


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


def create(engine: Engine, sort: Sort, options: ContentOptions, check: bool) -> Outcome:
    """Make the object."""
    made = None if check else engine.post(f"{sort.path}/create", body_of(sort, options))["ID"]
    return Outcome(True, None, wanted_view(sort, options), values=_values(sort, options.name, made))


def replace_content(engine: Engine, sort: Sort, live: Body, options: ContentOptions, check: bool) -> Outcome:
    """Content cannot be changed: remove and make anew, if nobody uses it."""
    users = users_of(engine.get("/services"), sort, live["ID"])
    if users:
        raise RefusedError(
            f"{sort.name} {options.name} has other content and is used by {', '.join(users)}; the engine changes no {sort.name} "
            "that is in use: give the new content a new name and let the services use that, or remove those services first."
        )
    driver = options.template_driver or _driver(live)
    anew = replace(options, labels={**_users_labels(live), **options.labels}, template_driver=driver)
    if not check:
        engine.delete(f"{sort.path}/{live['ID']}")
    outcome = create(engine, sort, anew, check)
    return replace(outcome, before=view(sort, live))


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
    return Outcome(changed, before, after, values=_values(sort, options.name, live["ID"]))


def remove(engine: Engine, sort: Sort, options: ContentOptions, live: Body | None, check: bool) -> Outcome:
    """Remove the object, if nobody uses it."""
    if live is None:
        return Outcome(changed=False, values=_values(sort, options.name, None))
    users = users_of(engine.get("/services"), sort, live["ID"])
    if users:
        raise RefusedError(f"{sort.name} {options.name} is used by {', '.join(users)}; remove these services first, or take it from them.")
    if not check:
        engine.delete(f"{sort.path}/{live['ID']}")
    return Outcome(True, view(sort, live), None, values=_values(sort, options.name, None))


def write(engine: Engine, sort: Sort, live: Body, spec: Body) -> None:
    """Update what the engine lets be updated: labels."""
    engine.post(f"{sort.path}/{live['ID']}/update", spec, version=live["Version"]["Index"])


def body_of(sort: Sort, options: ContentOptions) -> dict[str, Any]:
    """The create request, our labels beside the user's."""
    body: dict[str, Any] = {
        "Name": options.name,
        "Labels": {**options.labels, **sort.labels_for(options.name, options.content)},
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
    """All objects of a sort, or those with exactly these names; names that are not there are left out."""
    names = options["name"]
    listed = [live for live in engine.get(sort.path) if names is None or live["Spec"]["Name"] in names]
    services = engine.get("/services")
    shown = [
        {
            "id": live["ID"],
            "name": live["Spec"]["Name"],
            "labels": _shown_labels(live),
            "template_driver": _driver(live),
            "created": live["CreatedAt"],
            "updated": live["UpdatedAt"],
            "users": users_of(services, sort, live["ID"]),
            **(_readable(content_of(live)) if options.get("data") else {}),
        }
        for live in sorted(listed, key=lambda live: str(live["Spec"]["Name"]))
    ]
    return Outcome(changed=False, values={f"{sort.name}s": shown})


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


def wanted_view(sort: Sort, options: ContentOptions) -> dict[str, Any]:
    """What will be made, as the diff shows it."""
    labels = {**options.labels, KEY: options.name, VERSION: "1"}
    shown = {"name": options.name, "labels": labels, "template_driver": options.template_driver}
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
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
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


def _values(sort: Sort, name: str, made: str | None) -> dict[str, Any]:
    return {f"{sort.name}_id": made, f"{sort.name}_name": name}
