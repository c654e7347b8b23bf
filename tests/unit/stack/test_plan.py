# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as tables: what is there, what is wanted, which steps lead from one to the other."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._actual import Actual
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired
from ansible_collections.homecloud.swarm.plugins.module_utils._diff import drawn
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import RefusedError
from ansible_collections.homecloud.swarm.plugins.module_utils._model import IMAGE, NAMESPACE, Kind, Plan, Sort
from ansible_collections.homecloud.swarm.plugins.module_utils._plan import Intent, compare, drift, removal
from ansible_collections.homecloud.swarm.plugins.module_utils._verifier import KEY, VERIFIER, VERSION, make_verifier
from ansible_collections.homecloud.swarm.plugins.module_utils._versions import name_of

STACK = {NAMESPACE: "s"}
SALT = b"0" * 16


def spec(
    name: str = "web", image: str = "nginx:1", ports: tuple[int, ...] = (), mode: str = "Replicated", **container: Any
) -> dict[str, Any]:
    return {
        "Name": f"s_{name}",
        "Labels": {**STACK, IMAGE: image},
        "Mode": {mode: {}},
        "EndpointSpec": {"Ports": [{"TargetPort": 80, "PublishedPort": port} for port in ports]} if ports else {},
        "TaskTemplate": {
            "ContainerSpec": {"Image": image, **container},
            "Networks": [{"Target": "s_default", "Aliases": [name]}],
            "ForceUpdate": 0,
        },
    }


def live(wanted: dict[str, Any]) -> dict[str, Any]:
    template = {**wanted["TaskTemplate"], "Networks": [{"Target": "id-net", "Aliases": wanted["TaskTemplate"]["Networks"][0]["Aliases"]}]}
    return {"ID": f"id-{wanted['Name']}", "Version": {"Index": 7}, "Spec": {**wanted, "TaskTemplate": template}}


def desired(*services: dict[str, Any], secrets: tuple[str, ...] = (), configs: tuple[str, ...] = ()) -> Desired:
    return Desired(
        stack="s",
        networks={"s_default": {"Name": "s_default", "Driver": "overlay", "Labels": STACK}},
        secrets={f"s_{key}": {"Name": f"s_{key}", "Labels": STACK} for key in secrets},
        configs={f"s_{key}": {"Name": f"s_{key}", "Labels": STACK} for key in configs},
        secret_keys={f"s_{key}": key for key in secrets},
        config_keys={f"s_{key}": key for key in configs},
        services={service["Name"]: service for service in services},
        order=tuple(service["Name"] for service in services),
    )


def actual(*services: dict[str, Any], secrets: dict[str, Any] | None = None, configs: dict[str, Any] | None = None) -> Actual:
    network = {"Id": "id-net", "Name": "s_default", "Driver": "overlay", "Labels": STACK}
    return Actual(
        networks={"s_default": network},
        secrets=secrets or {},
        configs=configs or {},
        services={service["Name"]: live(service) for service in services},
        network_ids={"s_default": "id-net"},
    )


def steps(plan: Plan) -> list[tuple[str, str, str]]:
    return [(step.kind.value, step.sort.value, step.name) for step in plan.steps]


def held(name: str, labels: dict[str, str], data: str = "") -> dict[str, Any]:
    """A secret or config of the stack, by its name."""
    return {name: {"ID": f"id-{name}", "Version": {"Index": 3}, "Spec": {"Name": name, "Labels": {**STACK, **labels}, "Data": data}}}


def secret(value: bytes | None, number: int = 1) -> dict[str, Any]:
    """A version of the secret; None is one whose value nobody recorded."""
    if value is None:
        return held("s_pw", {})
    return held(name_of("s_pw", number), {KEY: "s_pw", VERSION: str(number), VERIFIER: make_verifier(value, SALT)})


def config(content: bytes, number: int = 1) -> dict[str, Any]:
    """A version of the config."""
    return held(name_of("s_conf", number), {KEY: "s_conf", VERSION: str(number)}, base64.b64encode(content).decode())


HUSH = Intent({(Sort.SECRET, "pw"): b"hush"})
CONF = Intent({(Sort.CONFIG, "conf"): b"a: 1"})


@pytest.mark.parametrize(
    ("wanted", "found", "intent", "expected"),
    [
        (
            desired(spec()),
            Actual(),
            Intent(),
            [("create", "network", "s_default"), ("create", "service", "s_web")],
        ),
        (desired(spec()), actual(spec()), Intent(), []),
        (desired(spec(Env=["A=2"])), actual(spec(Env=["A=1"])), Intent(), [("update", "service", "s_web")]),
        (desired(spec(mode="Global")), actual(spec()), Intent(), [("replace", "service", "s_web")]),
        (desired(spec()), actual(spec(), spec("old")), Intent(), []),
        (desired(spec()), actual(spec(), spec("old")), Intent(prune=True), [("remove", "service", "s_old")]),
        (desired(secrets=("pw",)), actual(), HUSH, [("create", "secret", "s_pw")]),
        (desired(secrets=("pw",)), actual(secrets=secret(b"hush")), HUSH, []),
        (desired(secrets=("pw",)), actual(secrets=secret(b"was")), HUSH, [("create", "secret", "s_pw.v2"), ("remove", "secret", "s_pw")]),
        (desired(secrets=("pw",)), actual(secrets=secret(None)), HUSH, [("adopt", "secret", "s_pw")]),
        (desired(configs=("conf",)), actual(configs=config(b"a: 1")), CONF, []),
        (
            desired(configs=("conf",)),
            actual(configs=config(b"a: 2")),
            CONF,
            [("create", "config", "s_conf.v2"), ("remove", "config", "s_conf")],
        ),
    ],
)
def test_steps(wanted: Desired, found: Actual, intent: Intent, expected: list[tuple[str, str, str]]) -> None:
    assert steps(compare(wanted, found, intent)) == expected


PW = ("pw",)
ALIKE = {**held("s_pw_vpn", {}), **held("s_pw.v9", {}), **held("s_pw.v8", {KEY: "s_pw_other", VERSION: "8"})}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # the next number after the newest, and all that nobody needs goes
        (
            {**secret(b"a"), **secret(b"b", 2)},
            [("create", "secret", "s_pw.v3"), ("remove", "secret", "s_pw.v2"), ("remove", "secret", "s_pw")],
        ),
        # back to an old value: its object is used again
        ({**secret(b"hush"), **secret(b"b", 2)}, [("remove", "secret", "s_pw.v2")]),
        # the current one stays, the one before goes
        ({**secret(b"a"), **secret(b"hush", 2)}, [("remove", "secret", "s_pw")]),
        # ten comes after nine
        (
            {**secret(b"a", 9), **secret(b"b", 10)},
            [("create", "secret", "s_pw.v11"), *(("remove", "secret", f"s_pw.v{n}") for n in (10, 9))],
        ),
        # one nobody recorded is asked about before it is replaced, and never removed
        (secret(None), [("adopt", "secret", "s_pw")]),
        ({**secret(None), **secret(b"hush", 2)}, []),
        # names that only look alike are left alone
        ({**secret(b"hush"), **ALIKE}, []),
        ({**ALIKE}, [("create", "secret", "s_pw")]),
    ],
)
def test_versions(found: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert steps(compare(desired(secrets=PW), actual(secrets=found), HUSH)) == expected


def test_what_the_engine_denied_becomes_a_new_version() -> None:
    intent = replace(HUSH, denied=frozenset({(Sort.SECRET, "s_pw")}))
    assert steps(compare(desired(secrets=PW), actual(secrets=secret(None)), intent)) == [("create", "secret", "s_pw.v2")]


def using(name: str, identity: str = "") -> dict[str, Any]:
    return spec(Secrets=[{"SecretName": name, "File": {"Name": "pw"}, **({"SecretID": identity} if identity else {})}])


def test_users_roll_over_to_the_new_version() -> None:
    found = actual(using("s_pw", "id-s_pw"), secrets=secret(b"was"))
    plan = compare(desired(using("s_pw"), secrets=PW), replace(found, secret_ids={"s_pw": "id-s_pw"}), HUSH)
    assert steps(plan) == [("create", "secret", "s_pw.v2"), ("update", "service", "s_web"), ("remove", "secret", "s_pw")]
    assert plan.steps[1].body["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"] == "s_pw.v2"


def test_a_version_that_another_stack_uses_stays() -> None:
    other = {"ID": "o", "Spec": {**using("s_pw", "id-s_pw"), "Name": "other_web"}}
    found = replace(actual(secrets=secret(b"was")), others=(other,))
    assert steps(compare(desired(secrets=PW), found, HUSH)) == [("create", "secret", "s_pw.v2")]


NETWORK = {"Name": "s_default", "Driver": "overlay", "Labels": STACK}
POOLS = {
    "Driver": "default",
    "Config": [{"Subnet": "10.7.0.0/24", "Gateway": "10.7.0.1"}, {"Subnet": "10.8.0.0/24", "Gateway": "10.8.0.1"}],
}


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        ({}, {}, []),
        ({}, {"Options": {"com.docker.network.driver.overlay.vxlanid_list": "4097"}, "IPAM": POOLS}, []),
        ({"Driver": "macvlan"}, {}, ["driver: overlay -> macvlan"]),
        ({"Internal": True}, {}, ["internal: False -> True"]),
        ({"EnableIPv6": True}, {}, ["enable_ipv6: False -> True"]),
        ({"Options": {"mtu": "1400"}}, {"Options": {"mtu": "1500"}}, ["driver_opts.mtu: 1500 -> 1400"]),
        ({}, {"Options": {"encrypted": ""}}, ["driver_opts.encrypted:  -> None"]),
        ({"Labels": {**STACK, "tier": "a"}}, {}, ["labels.tier: None -> a"]),
        ({"IPAM": {"Config": [{"Subnet": "10.8.0.1/24"}, {"Subnet": "10.7.0.0/24"}]}}, {"IPAM": POOLS}, []),
        ({"IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}}, {"IPAM": POOLS}, ["ipam.config.subnet: 10.7.0.0/24 -> 10.9.0.0/24"]),
        (
            {"IPAM": {"Config": [{"Subnet": "10.8.0.0/24", "Gateway": "10.8.0.9"}]}},
            {"IPAM": POOLS},
            ["ipam.config.gateway: 10.8.0.1 -> 10.8.0.9"],
        ),
        ({"IPAM": {"Driver": "other"}}, {"IPAM": POOLS}, ["ipam.driver: default -> other"]),
    ],
)
def test_drift(wanted: dict[str, Any], found: dict[str, Any], expected: list[str]) -> None:
    changes = [
        (change.path.removeprefix("networks.s_default."), change.old, change.new) for change in drift(NETWORK | wanted, NETWORK | found)
    ]
    assert [f"{path}: {old} -> {new}" for path, old, new in changes] == expected


DRIFT = {"Id": "id-net", "Name": "s_default", "Driver": "overlay", "Labels": STACK, "Attachable": True}


@pytest.mark.parametrize(
    ("recreate", "expected", "warned"),
    [
        (False, [], True),
        (True, [("replace", "network", "s_default"), ("update", "service", "s_web")], False),
    ],
)
def test_a_network_that_differs(recreate: bool, expected: list[tuple[str, str, str]], warned: bool) -> None:
    plan = compare(desired(spec()), replace(actual(spec()), networks={"s_default": DRIFT}), Intent(recreate=recreate))
    assert steps(plan) == expected
    assert any("networks.s_default.attachable is True, but the file says False" in text for text in plan.warnings) is warned


def test_a_network_that_others_use_is_not_made_anew() -> None:
    other = {"ID": "o", "Spec": {**live(spec())["Spec"], "Name": "other_web"}}
    found = replace(actual(spec()), networks={"s_default": DRIFT}, others=(other,))
    with pytest.raises(RefusedError, match=r"service\(s\) other_web outside the stack use it"):
        compare(desired(spec()), found, Intent(recreate=True))


@pytest.mark.parametrize(
    ("prune", "expected"),
    [
        (False, []),
        (True, [("remove", "service", "s_old")]),
        ("all", [("remove", "service", "s_old"), ("remove", "secret", "s_gone"), ("remove", "network", "s_back")]),
    ],
)
def test_prune(prune: bool | str, expected: list[tuple[str, str, str]]) -> None:
    found = actual(spec(), spec("old"), secrets=held("s_gone", {}))
    found = replace(found, networks={**found.networks, "s_back": {"Id": "id-back", "Name": "s_back", "Labels": STACK}})
    assert steps(compare(desired(spec()), found, Intent(prune=prune))) == expected


def test_prune_all_keeps_what_the_files_call_external() -> None:
    wanted = replace(desired(spec()), external_networks=("s_back",), external_secrets=("s_pw",))
    found = actual(spec(), secrets=held("s_pw", {}))
    found = replace(found, networks={**found.networks, "s_back": {"Id": "id-back", "Name": "s_back", "Labels": STACK}})
    assert steps(compare(wanted, found, Intent(prune="all"))) == []


def test_a_port_of_another_stack_is_refused_before_anything_is_done() -> None:
    other = {"ID": "o", "Spec": {**spec(ports=(80,)), "Name": "other_web"}}
    with pytest.raises(RefusedError, match=r"services\.web\.ports: the port 80/tcp is published by service 'other_web' already"):
        compare(desired(spec(ports=(80,))), replace(actual(), others=(other,)), Intent())


@pytest.mark.parametrize(("only", "expected"), [(False, ["s_new", "s_web"]), (True, ["s_new"])])
def test_a_moved_tag_reaches_only_whose_image_changed(only: bool, expected: list[str]) -> None:
    pinned: dict[str, Any] = {"nginx:1": ("nginx:1@sha256:bb", [])}
    plan = compare(desired(spec("new"), spec()), actual(spec()), Intent(pinned=pinned, pin_changed_only=only))
    assert [step.name for step in plan.steps] == expected


@pytest.mark.parametrize(
    ("file_image", "live_image", "pinned", "expected"),
    [
        ("nginx:1", "nginx:1@sha256:aa", {}, None),
        ("nginx:1", "nginx:1@sha256:aa", {"nginx:1": ("nginx:1@sha256:aa", [])}, None),
        ("nginx:1", "nginx:1@sha256:aa", {"nginx:1": ("nginx:1@sha256:bb", [])}, "nginx:1@sha256:bb"),
        ("nginx:2", "nginx:1@sha256:aa", {}, "nginx:2"),
    ],
)
def test_image(file_image: str, live_image: str, pinned: dict[str, Any], expected: str | None) -> None:
    running = spec(image="nginx:1")
    running["TaskTemplate"]["ContainerSpec"]["Image"] = live_image
    plan = compare(desired(spec(image=file_image)), actual(running), Intent(pinned=pinned))
    sent = [step.body["TaskTemplate"]["ContainerSpec"]["Image"] for step in plan.steps]
    assert sent == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("live_image", "by_tag", "expected"),
    [
        ("nginx:1", True, None),
        ("nginx:1@sha256:aa", True, None),
        ("nginx:2", True, "nginx:1"),
        ("nginx:1.5", True, "nginx:1"),
        ("nginx:2", False, None),
    ],
)
def test_image_that_somebody_changed_and_no_registry_tells_of(live_image: str, by_tag: bool, expected: str | None) -> None:
    running = spec(image="nginx:1")
    running["TaskTemplate"]["ContainerSpec"]["Image"] = live_image
    plan = compare(desired(spec(image="nginx:1")), actual(running), Intent(by_tag=by_tag))
    assert [step.body["TaskTemplate"]["ContainerSpec"]["Image"] for step in plan.steps] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("renewed", "expected"),
    [
        ({}, False),
        ({"nginx:1": "2026-01-01T11:00:00Z"}, False),
        ({"nginx:1": "2026-01-01T13:00:00Z"}, True),
        ({"other:1": "2026-01-01T13:00:00Z"}, False),
    ],
)
def test_a_service_gets_credentials_newer_than_its_last_deploy(renewed: dict[str, str], expected: bool) -> None:
    found = actual(spec())
    services = {"s_web": {**found.services["s_web"], "UpdatedAt": "2026-01-01T12:00:00.5Z"}}
    plan = compare(desired(spec()), replace(found, services=services), Intent(renewed=renewed))
    assert [(step.restarts, [change.path for change in step.changes]) for step in plan.steps] == (
        [(0, ["services.web.registry_auth"])] if expected else []
    )


def test_a_forced_update_is_not_undone() -> None:
    running = spec()
    running["TaskTemplate"]["ForceUpdate"] = 3
    assert not compare(desired(spec()), actual(running), Intent())


def test_a_network_of_someone_else_is_refused() -> None:
    with pytest.raises(RefusedError, match="'s_default' exists but does not belong to stack 's'"):
        compare(desired(spec()), Actual(network_ids={"s_default": "x"}), Intent())


@pytest.mark.parametrize("sort", ["secret", "config"])
@pytest.mark.parametrize("version", ["s_it", "s_it.v2"])
def test_a_secret_or_config_of_another_stack_is_refused(sort: str, version: str) -> None:
    found = {f"{sort}s": held(version, {NAMESPACE: "other", KEY: "s_it", VERSION: version[-1:] if "." in version else "1"})}
    here = actual(secrets=found.get("secrets"), configs=found.get("configs"))
    intent = Intent({(Sort(sort), "it"): b"x"}, prune="all")
    wanted = desired(secrets=("it",)) if sort == "secret" else desired(configs=("it",))
    with pytest.raises(RefusedError, match=f"The {sort} 's_it' belongs to stack 'other', not to 's'; declare it 'external: true'"):
        compare(wanted, here, intent)
    shared = replace(desired(), external_secrets=("s_it",), external_configs=("s_it",))
    assert steps(compare(shared, here, intent)) == []


def test_a_secret_of_no_stack_is_taken() -> None:
    nobodys = {"s_pw": {**secret(b"hush")["s_pw"], "Spec": {"Name": "s_pw", "Labels": {KEY: "s_pw", VERSION: "1"}}}}
    assert steps(compare(desired(secrets=PW), actual(secrets=nobodys), HUSH)) == [("adopt", "secret", "s_pw")]


def test_drawn_in_the_words_of_the_file() -> None:
    plan = compare(desired(spec(Env=["A=1", "TAG=2"], Args=["x"])), actual(spec(Env=["TAG=1", "A=1"])), Intent())
    assert drawn(plan) == (
        "~ service s_web: update, no restart\n    services.web.command: (absent) -> ['x']\n    services.web.environment.TAG: 1 -> 2\n"
    )


def test_a_new_image_is_told_once() -> None:
    plan = compare(desired(spec(image="nginx:2")), actual(spec()), Intent())
    assert [change.path for change in plan.steps[0].changes] == ["services.web.image"]


def test_another_spelling_of_the_same_image_is_told() -> None:
    wanted = spec()
    wanted["Labels"] = {**wanted["Labels"], IMAGE: "nginx"}
    plan = compare(desired(wanted), actual(spec()), Intent(pinned={"nginx": ("nginx:1", [])}))
    assert [change.path for change in plan.steps[0].changes] == [f"services.web.deploy.labels.{IMAGE}"]


def test_a_secret_is_never_drawn() -> None:
    plan = compare(desired(secrets=("pw",)), actual(secrets=secret(b"was")), HUSH)
    assert plan.steps[0].body["Data"] == b"hush"
    assert "hush" not in drawn(plan)


def test_adopting_is_no_change() -> None:
    plan = compare(desired(secrets=("pw",)), actual(secrets=secret(None)), HUSH)
    assert plan
    assert not plan.changed


def test_removal_takes_users_before_what_they_use() -> None:
    plan = removal(actual(spec(), secrets=secret(None), configs=config(b"")), "s", [{"Name": "s_data"}])
    assert [step.sort.value for step in plan.steps] == ["service", "secret", "config", "network", "volume"]


def test_a_network_without_services_is_found() -> None:
    assert steps(removal(actual(), "s")) == [("remove", "network", "s_default")]


def shared(number: int | None, name: str) -> dict[str, Any]:
    """A secret of no stack; with a number, a version that this collection has made."""
    labels = {KEY: "shared", VERSION: str(number)} if number else {}
    return {name: {"ID": f"id-{name}", "Version": {"Index": 3}, "Spec": {"Name": name, "Labels": labels}}}


FIRST, SECOND = shared(1, "shared"), shared(2, "shared.v2")
BY_HAND = {**shared(None, "shared.v9"), **shared(None, "shared_v3")}


@pytest.mark.parametrize(
    ("case", "found", "more", "expected"),
    [
        ("one version", FIRST, {}, []),
        ("a new version, nobody else on the old one", {**FIRST, **SECOND}, {}, [("update", "service"), ("remove", "secret")]),
        ("a new version, another stack on the old one", {**FIRST, **SECOND}, {"other": "shared"}, [("update", "service")]),
        ("a new version, a revision needs the old one", {**FIRST, **SECOND}, {"kept": "shared"}, [("update", "service")]),
        ("an old state, to the letter", {**FIRST, **SECOND}, {"exact": True}, []),
        ("names that only look alike", {**FIRST, **BY_HAND}, {}, []),
        ("a first version that somebody else made", {**shared(None, "shared"), **SECOND}, {}, [("update", "service")]),
    ],
)
def test_what_is_shared(case: str, found: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """The newest version counts, and the last to leave an old one removes it."""
    ids = {name: item["ID"] for name, item in found.items()}
    here = replace(actual(using("shared", "id-shared"), secrets=found), secret_ids=ids)
    if "other" in more:
        here = replace(here, others=(live({**using(more["other"]), "Name": "other_web"}),))
    intent = Intent(exact=more.get("exact", False), kept=frozenset({(Sort.SECRET, more["kept"])} if "kept" in more else ()))
    plan = compare(replace(desired(using("shared")), external_secrets=("shared",)), here, intent)
    assert [(step.kind.value, step.sort.value) for step in plan.steps] == expected, case
    assert all(step.name == "shared" for step in plan.steps if step.kind is Kind.REMOVE)
