# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file becomes, and what is said about a file that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Loaded, Project, Source
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import ComposeError

FILES = {
    "/base/one.env": b'\xef\xbb\xbfA=1\n # no\n\n  LEFT=x \nQ="q"\nTAG\nNOPE\nE=a=b\n',
    "/base/s.txt": b"secret",
    "/base/bad.env": b"A B=1\n",
}


def read(path: str) -> bytes:
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return FILES[path]


def loaded(*texts: str, variables: Mapping[str, str] | None = None, **options: Any) -> Loaded:
    sources = [Source.file(f"{number}.yml", text, "/base") for number, text in enumerate(texts, start=1)]
    return load(sources, variables or {}, read, **options)


def service(keys: str, **options: Any) -> Mapping[str, Any]:
    """The service `a` with these keys, in flow style."""
    return loaded(f"services: {{a: {{image: nginx, {keys}}}}}\nvolumes: {{data: {{}}}}", **options).project.services["a"]


def error(text: str, **options: Any) -> str:
    with pytest.raises(ComposeError) as caught:
        loaded(text, **options)
    return caught.value.message


def error_of(*texts: str) -> str:
    with pytest.raises(ComposeError) as caught:
        loaded(*texts)
    return caught.value.message


@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ("command: a 'b c'", "command", ["a", "b c"]),
        ("command: [a, 'b c']", "command", ["a", "b c"]),
        ("environment: [A=1=2, B]", "environment", {"A": "1=2", "B": None}),
        ("environment: {A: 1.50, B: , C: yes}", "environment", {"A": "1.5", "B": None, "C": "yes"}),
        ("labels: [a, b=c]", "labels", {"a": "", "b": "c"}),
        ("sysctls: {a: }", "sysctls", {"a": ""}),
        ("dns: 1.1.1.1", "dns", ["1.1.1.1"]),
        ("extra_hosts: {b: 1.1.1.1, a: '[::1]', c: }", "extra_hosts", ["a:::1", "b:1.1.1.1"]),
        ("extra_hosts: ['b=1.1.1.1', 'a:2.2.2.2', 'six=[::1]']", "extra_hosts", ["b:1.1.1.1", "a:2.2.2.2", "six:::1"]),
        ("healthcheck: {test: x y, interval: 1s}", "healthcheck", {"test": ["CMD-SHELL", "x y"], "interval": 10**9}),
        ("networks: [x, y]", "networks", {"x": None, "y": None}),
        ("depends_on: {x: {condition: service_started}}", "depends_on", ["x"]),
        ("secrets: [x]", "secrets", [{"source": "x"}]),
        ("secrets: [{source: x, mode: 0440}]", "secrets", [{"source": "x", "mode": 0o440}]),
        ("secrets: [{source: x, mode: '0440'}]", "secrets", [{"source": "x", "mode": 0o440}]),
        ("ports: [{target: '80', published: '8080'}]", "ports", [{"target": 80, "published": 8080}]),
        ("ports: [{target: 80, protocol: UDP, mode: Host}]", "ports", [{"target": 80, "protocol": "UDP", "mode": "Host"}]),
        ("ports: [{target: 80, protocol: '', mode: ''}]", "ports", [{"target": 80, "protocol": "", "mode": ""}]),
        ("deploy: {endpoint_mode: DNSRR}", "deploy", {"endpoint_mode": "DNSRR"}),
        ("isolation: HyperV", "isolation", "HyperV"),
        (
            "deploy: {resources: {limits: {cpus: 0.5, memory: 1024}}}",
            "deploy",
            {"resources": {"limits": {"cpus": 5 * 10**8, "memory": 1024}}},
        ),
        ("volumes: ['data:/x']", "volumes", [{"type": "volume", "source": "data", "target": "/x"}]),
        ("volumes: ['../x/./y:/x']", "volumes", [{"type": "bind", "source": "/x/y", "target": "/x"}]),
        ("deploy: ", "deploy", None),
        ("x-mine: 1", "x-mine", None),
        ("build: .", "build", None),
    ],
)
def test_field(keys: str, field: str, value: Any) -> None:
    assert service(keys).get(field) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${TAG}", "1"),
        ("$TAG-alpine", "1-alpine"),
        ("$$TAG", "$TAG"),
        ("${NOPE:-a b}", "a b"),
        ("${EMPTY:-a}", "a"),
        ("${EMPTY-a}", ""),
        ("${NOPE:-${TAG}}", "1"),
        ("${NOPE:-{$TAG}}", "{1}"),
        ("${TAG:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${TAG:?must-be-set}", "1"),
    ],
)
def test_variable(text: str, value: str) -> None:
    assert service(f"hostname: '{text}'", variables={"TAG": "1", "EMPTY": ""}).get("hostname") == value


@pytest.mark.parametrize("text", ["$1", "a$", "${}", "${A.B}", "${A", "$(x)", "${1}", "$"])
def test_no_variable(text: str) -> None:
    message = error(f"services: {{a: {{image: nginx, hostname: '{text}'}}}}")
    place = text.index("$") + 1
    assert message == f"1.yml: services.a.hostname: the $ at character {place} is not a variable. Write $$ for a dollar sign."


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("content: pa$5horse", "content: the $ at character 3 is not a variable. Write $$ for a dollar sign."),
        ("content: 'x${horse:-pa$5horse}'", "content: the $ is not a variable. Write $$"),
        ("content: 'x${horse:?horse}'", "content: a variable in it is required. Give it in env or env_files."),
        ("content: pa$horse-5", "content: a variable in it is not set"),
        ("environment: '${PW}'", "environment: takes the name of a variable that env or env_files give"),
        ("environment: horse", "environment: takes the name of a variable that env or env_files give"),
    ],
)
def test_nothing_of_a_secret_is_told(secret: str, message: str, strict: bool) -> None:
    text = f"services: {{a: {{image: x}}}}\nsecrets: {{db: {{{secret}}}}}"
    try:
        told = "".join(loaded(text, variables={"PW": "horse"}, env_strict=strict).warnings)
    except ComposeError as caught:
        told = caught.message
    assert f"1.yml: secrets.db.{message}" in told
    assert "horse" not in told


def test_a_variable_may_stand_for_a_number_or_a_truth_value() -> None:
    found = service(
        "tty: '${T}', init: '${T}', deploy: {replicas: '${N}'}, secrets: [{source: s, mode: '${M}'}]",
        variables={"T": "yes", "N": "3", "M": "0440"},
    )
    assert (found["tty"], found["init"], found["deploy"], found["secrets"][0]["mode"]) == (True, True, {"replicas": 3}, 0o440)


def test_an_unset_variable_is_named_once() -> None:
    text = "services: {a: {image: nginx, hostname: 'x$NOPE$NOPE'}}"
    assert loaded(text).warnings == ("1.yml: services.a.hostname: the variable NOPE is not set; an empty string is used.",)
    assert "the variable NOPE is not set. Give it in env or env_files" in error(text, env_strict=True)


def test_environment_is_filled_from_files_then_keys_then_variables() -> None:
    found = service("env_file: one.env, environment: {A: , OWN: 1, WORD: ''}", variables={"TAG": "t", "WORD": "w", "Q": "not used"})
    assert found["environment"] == {"A": None, "LEFT": "x ", "Q": '"q"', "TAG": "t", "E": "a=b", "OWN": "1", "WORD": "w"}
    assert "env_file" not in found


def test_an_env_file_that_need_not_be_there() -> None:
    assert service("env_file: [{path: nope.env, required: false}]")["environment"] == {}


def test_contents_come_from_files_text_variables_or_the_caller() -> None:
    text = """
services: {}
secrets: {f: {file: s.txt}, e: {environment: TAG}, p: {file: nope}, x: {external: true}, d: {driver: vault}}
configs: {c: {content: "tag=$TAG"}, p: {}}
"""
    found = loaded(text, variables={"TAG": "1"}, provided_secrets=["p"], provided_configs=["p"])
    assert found.contents.secrets == {"f": b"secret", "e": b"1"}
    assert found.contents.configs == {"c": b"tag=1"}
    assert found.project.secrets["f"] == {}
    assert found.project.secrets["x"] == {"external": True, "name": "x"}
    assert "secret" not in repr(found.contents)


@pytest.mark.parametrize(
    ("section", "options", "message"),
    [
        ("secrets: {s: {external: true}}", {"provided_secrets": ["s"]}, "secrets.s: is external, so no value can be given"),
        ("secrets: {s: {file: s.txt}}", {"provided_secrets": ["z", "s"]}, "secrets.z: a value is given, but no file has this key"),
        ("secrets: {s: {driver: vault, file: s.txt}}", {}, "secrets.s: the driver has the value, so file has no effect"),
        ("secrets: {s: {driver: v}}", {"provided_secrets": ["s"]}, "so the value given with the option secrets has no effect"),
        ("secrets: {s: {}}", {}, "secrets.s: needs exactly one of file, content, environment, or a value given with the option secrets."),
        ("secrets: {s: {file: a, content: b}}", {}, "secrets.s: needs exactly one of"),
        ("secrets: {s: {file: nope}}", {}, "secrets.s.file: cannot read 'nope': [Errno 2] No such file or directory"),
        ("configs: {c: {environment: NOPE}}", {}, "configs.c.environment: takes the name of a variable that env or env_files give"),
        ("configs: {c: {external: {name: a}, name: b}}", {}, "configs.c: has both name and external.name."),
        ("volumes: {v: {external: true, driver: x}}", {}, "volumes.v.driver: an external volume is made elsewhere"),
    ],
)
def test_top_level_error(section: str, options: Mapping[str, Any], message: str) -> None:
    assert message in error(f"services: {{}}\n{section}", **options)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("deploy: {replica: 2}", "services.a.deploy.replica: unknown key. Did you mean 'replicas'?"),
        ("imgae: x", "services.a.imgae: unknown key. Did you mean 'image'?"),
        ("zzz: x", "services.a.zzz: unknown key."),
        ("mem_limit: 1m", "services.a.mem_limit: cannot be used in a stack. Set deploy.resources.limits.memory."),
        ("profiles: [x]", "services.a.profiles: Swarm cannot do this. Remove it."),
        ("hostname: 5", "services.a.hostname: must be text, not a number. Put it in quotes."),
        ("environment: {A: true}", "services.a.environment.A: must be text, not true or false. Put it in quotes."),
        ("environment: ", "services.a.environment: must be a mapping or a list, not empty."),
        ("tty: x", "services.a.tty: must be true or false, not text."),
        ("cap_add: a", "services.a.cap_add: must be a list, not text."),
        ("cap_add: [a, a]", "services.a.cap_add.1: is the same as an earlier item of the list."),
        ("deploy: {replicas: -1}", "services.a.deploy.replicas: must be a whole number from 0 to"),
        ("deploy: {replicas: 1.5}", "services.a.deploy.replicas: must be a whole number, not a number."),
        ("deploy: {mode: globl}", "services.a.deploy.mode: 'globl' is not one of"),
        ("deploy: {mode: globl}", "Did you mean 'global'?"),
        ("ports: [{target: 80, protocol: tpc}]", "services.a.ports.0.protocol: 'tpc' is not one of tcp, udp, sctp. Did you mean 'tcp'?"),
        ("ports: [{target: 80, mode: Hots}]", "services.a.ports.0.mode: 'Hots' is not one of ingress, host. Did you mean 'host'?"),
        ("deploy: {endpoint_mode: dnsr}", "services.a.deploy.endpoint_mode: 'dnsr' is not one of vip, dnsrr. Did you mean 'dnsrr'?"),
        ("isolation: hyper-v", "services.a.isolation: 'hyper-v' is not one of default, process, hyperv. Did you mean 'hyperv'?"),
        ("isolation: 1", "services.a.isolation: must be text, not a number."),
        ("stop_grace_period: 10", "services.a.stop_grace_period: must be text, not a number."),
        ("stop_grace_period: '10'", "services.a.stop_grace_period: '10' is not a duration. Write it like 90s"),
        ("restart: sometimes", "services.a.restart: 'sometimes' is not one of no, always"),
        ("env_file: nope.env", "services.a.env_file.0: cannot read 'nope.env'"),
        ("env_file: bad.env", "services.a.env_file.0: 'bad.env': line 1 is not of the form NAME=value, with no blank in the name."),
        ("healthcheck: {test: x, disable: true}", "services.a.healthcheck: has both test and disable."),
        ("volumes: [{target: /x}]", "services.a.volumes.0: needs the key 'type'."),
        ("volumes: [{type: tmpfs}]", "services.a.volumes.0: needs the key 'target'."),
        ("hostname: '${N:?say so}'", "services.a.hostname: the variable N is required: say so. Give it in env or env_files."),
    ],
)
def test_service_error(keys: str, message: str) -> None:
    assert f"1.yml: {message}" in error(f"services: {{a: {{image: nginx, {keys}}}}}") or message.startswith("Did")
    assert message in error(f"services: {{a: {{image: nginx, {keys}}}}}")


def test_all_errors_of_a_file_are_told_at_once() -> None:
    with pytest.raises(ComposeError) as caught:
        loaded("services: {a: {imag: x, tty: 1, ports: [a]}, b: 5}\nnetwork: {}")
    lines = caught.value.message.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["services.a.imag", "services.a.tty", "services.a.ports.0", "services.b", "network"]
    assert caught.value.path == ("services", "a", "imag")


def test_errors_of_all_files_and_of_every_stage_are_told_at_once() -> None:
    found = error_of(
        "services: {a: {imag: x, hostname: '${X:?}', init: '${Y:?}'}, b: {image: x, env_file: nope}, 5: x}", "services: [", "net: 1"
    )
    assert [line.split(": ")[:2] for line in found.splitlines()] == [
        ["1.yml", "services"],
        ["1.yml", "services.a.hostname"],
        ["1.yml", "services.a.init"],
        ["1.yml", "services.a.imag"],
        ["1.yml", "services.b.env_file.0"],
        ["2.yml", "line 2, column 1"],
        ["3.yml", "net"],
    ]


def test_a_flood_of_errors_is_cut() -> None:
    found = error_of("{" + ", ".join(f"k{number}: 1" for number in range(150)) + "}").splitlines()
    assert (len(found), found[-1]) == (101, "And 50 more.")


def test_an_error_is_one_line() -> None:
    found = error_of("services: {a: {image: 'x', restart: \"a\\nb\"}}")
    assert found.startswith("1.yml: services.a.restart: 'a\\nb' is not one of no")
    assert "\n" not in found


def test_contents_are_told_with_the_file_that_has_the_last_word() -> None:
    assert error_of("services: {}\nsecrets: {s: {file: s.txt}}", "secrets: {s: {file: nope}}").startswith(
        "2.yml: secrets.s.file: cannot read"
    )


def test_a_service_needs_an_image_that_can_be_one() -> None:
    assert error("services: {a: {hostname: x}}") == "1.yml: services.a.image: the service has no image."
    assert "services.a.image: 'foo/Bar' is not the name of an image. Its name must be in small letters." in error(
        "services: {a: {image: foo/Bar}}"
    )


@pytest.mark.parametrize("version", ["'3'", "'3.13'", "3", "3.8"])
def test_version(version: str) -> None:
    assert loaded(f"version: {version}\nservices: {{a: {{image: nginx}}}}").warnings == ()


def test_other_versions_are_not_for_stacks() -> None:
    assert "version: '2.4' is not a version for stacks" in error("version: '2.4'\nservices: {}")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("build: .", "services.a.build: is ignored: images are not built here."),
        ("privileged: true", "services.a.privileged: is ignored: Swarm cannot do this."),
        ("container_name: x", "services.a.container_name: is ignored: Swarm names containers itself."),
        ("tmpfs: /run", "services.a.tmpfs: is ignored, as docker stack deploy does. Set beyond_cli: true"),
        ("oom_score_adj: 5", "services.a.oom_score_adj: is ignored, as docker stack deploy does."),
        ("networks: {x: {ipv4_address: 1.1.1.1}}", "services.a.networks.x.ipv4_address: is ignored"),
        ("depends_on: [aa]", "services.a.depends_on: there is no service 'aa'. Did you mean 'a'?"),
        ("volumes: ['./x:/x']", "services.a.volumes.0: './x' is taken relative to /base, a folder of the controller."),
        ("volumes: ['~/x:/x']", "services.a.volumes.0: '~' stays as it is"),
        (
            "volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 0700}}]",
            "services.a.volumes.0.tmpfs.mode: is ignored, as docker stack deploy does.",
        ),
        (
            "volumes: [{type: volume, target: /t, volume: {nocpy: true}}]",
            "services.a.volumes.0.volume.nocpy: is an unknown key and ignored. Did you mean 'nocopy'?",
        ),
        ("volumes: ['v:/x']", "services.a.volumes.0: 'v:/x' is one path, of a Windows node."),
        ("volumes: ['/a:/x:Z,ro']", "services.a.volumes.0: the option 'Z' of '/a:/x:Z,ro' is ignored"),
        (
            "volumes: [{type: volume, target: /t, consistency: cached}]",
            "services.a.volumes.0.consistency: has no effect: the engine drops it.",
        ),
        ("shm_size: 64m", "services.a.shm_size: is ignored: Swarm cannot do this. Mount a tmpfs of that size at /dev/shm."),
        ("extra_hosts: [x]", "services.a.extra_hosts.0: is ignored: it has no address."),
    ],
)
def test_warning(keys: str, words: str) -> None:
    assert any(words in line for line in loaded(f"services: {{a: {{image: nginx, {keys}}}}}").warnings)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("networks: {n: }", "1.yml: networks.n: no service uses it, so it is not created."),
        ("volumes: {n: }", "1.yml: volumes.n: no service uses it, so it is not created."),
        ("networks: {default: {external: {name: x}}}", "1.yml: networks.default.external: has the name in it, as it was long ago."),
        ("volumes: {n: {x-cluster-spec: {}}}", "1.yml: volumes.n.x-cluster-spec: is ignored: cluster volumes are not created here."),
    ],
)
def test_top_level_warning(section: str, words: str) -> None:
    assert any(line.startswith(words) for line in loaded(f"services: {{a: {{image: nginx}}}}\n{section}").warnings)


def test_what_is_used_is_not_warned_about() -> None:
    services = "services: {a: {image: nginx, networks: [n], volumes: ['data:/x']}, b: {image: nginx}}"
    assert loaded(f"{services}\nnetworks: {{n: , default: }}\nvolumes: {{data: }}").warnings == ()


def test_what_the_cli_drops_is_not_checked_either() -> None:
    assert service("tmpfs: '/a:no-such-option', oom_score_adj: 5000").get("tmpfs") is None


def test_beyond_the_cli() -> None:
    found = service("tmpfs: ['/run', '/tmp:size=64m,mode=1777'], oom_score_adj: 5", beyond_cli=True)
    assert found["oom_score_adj"] == 5
    assert found["volumes"] == [
        {"type": "tmpfs", "target": "/run"},
        {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 64 * 1024**2, "mode": 0o1777}},
    ]


def test_bind_sources_are_placed_on_the_nodes() -> None:
    found = loaded("services: {a: {image: nginx, volumes: ['./x:/x', '~/y:/y']}}", variables={"HOME": "/h"}, project_dir="/srv/app")
    assert [mount["source"] for mount in found.project.services["a"]["volumes"]] == ["/srv/app/x", "/h/y"]
    assert found.warnings == ()


@pytest.mark.parametrize("text", ["", "node.role=manager", "manager", "a.b ==", "== a.b", "a.b == a,b", "a b == c", "a.b == c == d"])
def test_no_constraint(text: str) -> None:
    message = error(f"services: {{a: {{image: nginx, deploy: {{placement: {{constraints: ['{text}']}}}}}}}}")
    assert message == (
        f"1.yml: services.a.deploy.placement.constraints.0: '{text}' is no constraint. Write it like node.role == manager or "
        "node.labels.disk != ssd."
    )


@pytest.mark.parametrize("text", ["node.role==manager", " node.labels.a-b != x y ", "node.ip == 10.0.0.0/24", "NODE.ID == a.*", "x.y==$"])
def test_constraint(text: str) -> None:
    mapping = {"services": {"a": {"image": "x", "deploy": {"placement": {"constraints": [text.replace("$", "$$")]}}}}}
    found = load([Source.inline("play", mapping)], {}, read).project
    assert found.services["a"]["deploy"]["placement"]["constraints"] == [text]


@pytest.mark.parametrize("folder", ["rel/dir", "~/dir", "./x", "."])
def test_a_folder_on_the_nodes_is_named_in_full(folder: str) -> None:
    message = error("services: {a: {image: x}}", project_dir=folder)
    assert message == f"The option 'project_dir' takes the absolute path of a folder on the nodes (/srv/app), not '{folder}'."


def test_a_mapping_of_the_playbook() -> None:
    source = Source.inline("compose", {"services": {"a": {"image": "nginx:$TAG", "volumes": ["./x:/x"]}}})
    assert load([source], {"TAG": "1"}, read, project_dir="/srv").project.services["a"]["image"] == "nginx:1"
    with pytest.raises(ComposeError, match=r"'\./x' is relative, and nothing says to what\. Set project_dir"):
        load([source], {"TAG": "1"}, read)


def test_a_mount_without_target_is_told_before_files_are_merged() -> None:
    found = error_of("services: {a: {image: x, volumes: [{type: tmpfs}]}}", "services: {a: {command: ls}}")
    assert found == "1.yml: services.a.volumes.0: needs the key 'target'."


def test_a_later_file_wins() -> None:
    found = loaded("services: {a: {image: nginx, tty: true, cap_add: [x]}}", "services: {a: {tty: false, cap_add: [y]}, b: {image: b}}")
    assert found.project.services["a"] == {"image": "nginx", "tty": True, "cap_add": ["x", "y"], "environment": {}, "volumes": []}
    assert list(found.project.services) == ["a", "b"]
    assert found.warnings == (
        "2.yml: services.a.tty: an empty value, false or zero does not replace what an earlier file says, as in docker stack deploy.",
    )


@pytest.mark.parametrize(
    ("key", "first", "second", "merged"),
    [
        ("group_add", ["a"], ["b"], ["a", "b"]),
        ("security_opt", ["no-new-privileges:true"], ["seccomp:unconfined"], ["no-new-privileges", "seccomp=unconfined"]),
    ],
)
def test_merged_beyond_the_cli(key: str, first: list[str], second: list[str], merged: list[str]) -> None:
    texts = [f"services: {{a: {{image: nginx, {key}: {value!r}}}}}" for value in (first, second)]
    assert loaded(*texts, beyond_cli=True).project.services["a"][key] == merged


def test_the_name_of_the_project() -> None:
    assert loaded("name: mine\nservices: {}").project.name == "mine"


def test_the_wire_holds_everything() -> None:
    project = loaded("services: {a: {image: nginx, deploy: {replicas: 2}}}\nnetworks: {n: }").project
    assert Project.from_wire(project.to_wire()) == project
