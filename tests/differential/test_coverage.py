"""Every key that a Compose file may have stands in a fixture that is compared with a real CLI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._merge import DEPLOY, SERVICE
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._notes import At, Notes
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._yaml import parse
from compose_page import is_ignored, keys
from differential.cases import FIXTURES, cases, files

Place = tuple[str, ...]

#: What no CLI makes anything of; the unit tests merge these.
IN_NO_CLI = ("group_add", "security_opt")

#: What no CLI accepts, so that there is nothing to be equal to; `accepted/` has these.
COMPOSE_ONLY = {
    "name",
    "services.*.group_add",
    "services.*.env_file.path",
    "services.*.env_file.required",
    "services.*.env_file.format",
    "services.*.depends_on.*.condition",
    "services.*.depends_on.*.required",
    "services.*.depends_on.*.restart",
    "networks.*.enable_ipv6",
    "networks.*.ipam.options",
    "networks.*.ipam.config.gateway",
    "networks.*.ipam.config.ip_range",
    "networks.*.ipam.config.aux_addresses",
    *(f"{section}.*.{key}" for section in ("secrets", "configs") for key in ("content", "environment")),
}


def written(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every key in a document, with "*" beside it for where any name will do; lists add nothing."""
    if isinstance(value, dict):
        for key, item in value.items():
            for name in (str(key), "*"):
                yield (*place, name)
                yield from written(item, (*place, name))
    for item in value if isinstance(value, list) else ():
        yield from written(item, place)


def document(file: Path) -> Any:
    return parse(file.read_text(), At(Notes()))


def documents(folders: tuple[str, ...]) -> Iterator[Any]:
    for folder in folders:
        for case in cases(folder):
            for file in files(FIXTURES / case):
                yield document(file)


COMPARED = {".".join(place) for one in documents(("equal", "versions")) for place in written(one)}
ACCEPTED = {".".join(place) for one in documents(("accepted",)) for place in written(one)}
KNOWN = sorted({place for place, shape in keys().items() if not is_ignored(shape)})


@pytest.mark.parametrize("key", KNOWN)
def test_key(key: str) -> None:
    where = ACCEPTED if key in COMPOSE_ONLY else COMPARED
    assert key in where, f"no fixture has {key}"


def test_only_known_keys_are_excused() -> None:
    assert sorted(COMPOSE_ONLY - set(KNOWN)) == []


def merged_keys() -> Iterator[str]:
    """Keys that two files of one fixture give to the same service."""
    for case in [case for folder in ("equal", "versions", "different") for case in cases(folder)]:
        first, *others = ({".".join(place) for place in written(document(file))} for file in files(FIXTURES / case))
        for other in others:
            yield from first & other
            first |= other


@pytest.mark.parametrize(
    "key", [*(f"services.*.{key}" for key in SERVICE if key not in IN_NO_CLI), *(f"services.*.deploy.{key}" for key in DEPLOY)]
)
def test_merge_rule(key: str) -> None:
    assert key in MERGED, f"no fixture merges {key}"


MERGED = set(merged_keys())
