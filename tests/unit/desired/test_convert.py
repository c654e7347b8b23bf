# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that a project becomes: field by field, and what refers to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._load import load
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._project import Project, Source
from ansible_collections.homecloud.swarm.plugins.module_utils._desired import Desired, Need, convert
from ansible_collections.homecloud.swarm.plugins.module_utils._errors import ComposeError

OWN = {"com.docker.stack.namespace": "st"}


def converted(text: str, attach: Mapping[str, Sequence[str]] | None = None, **options: Any) -> Desired:
    return convert(load([Source.file("f.yml", text, "/base")], {}, lambda _path: b"x", **options).project, "st", attach)


def body(keys: str, more: str = "", **options: Any) -> Any:
    """The body of the service `a` with these keys, in flow style."""
    return converted(f"services: {{a: {{image: nginx, {keys}}}}}\n{more}", **options).services["st_a"]


def at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else value
    return value


CONTAINER = "TaskTemplate.ContainerSpec"


def test_the_least_service() -> None:
    assert body("") == {
        "Name": "st_a",
        "Labels": {**OWN, "com.docker.stack.image": "nginx"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "nginx:latest",
                "Labels": OWN,
                "Privileges": {"CredentialSpec": None, "SELinuxContext": None, "NoNewPrivileges": False},
            },
            "Resources": {},
            "Placement": {},
            "Networks": [{"Target": "st_default", "Aliases": ["a"]}],
            "ForceUpdate": 0,
        },
        "Mode": {"Replicated": {}},
        "EndpointSpec": {},
    }


@pytest.mark.parametrize(
    ("keys", "path", "value"),
    [
        ("entrypoint: a b", f"{CONTAINER}.Command", ["a", "b"]),
        ("command: a b", f"{CONTAINER}.Args", ["a", "b"]),
        ("command: ''", f"{CONTAINER}.Args", None),
        ("hostname: h", f"{CONTAINER}.Hostname", "h"),
        ("hostname: ''", f"{CONTAINER}.Hostname", None),
        ("working_dir: /x", f"{CONTAINER}.Dir", "/x"),
        ("user: '1'", f"{CONTAINER}.User", "1"),
        ("stop_signal: HUP", f"{CONTAINER}.StopSignal", "HUP"),
        ("stop_grace_period: 1s", f"{CONTAINER}.StopGracePeriod", 10**9),
        ("stop_grace_period: 0s", f"{CONTAINER}.StopGracePeriod", 0),
        ("group_add: [docker, 1000]", f"{CONTAINER}.Groups", ["docker", "1000"]),
        ("tty: true", f"{CONTAINER}.TTY", True),
        ("tty: false", f"{CONTAINER}.TTY", None),
        ("stdin_open: true", f"{CONTAINER}.OpenStdin", True),
        ("read_only: true", f"{CONTAINER}.ReadOnly", True),
        ("init: false", f"{CONTAINER}.Init", False),
        ("isolation: hyperv", f"{CONTAINER}.Isolation", "hyperv"),
        ("environment: {b: 1, a: 2, a.b: , A: 0}", f"{CONTAINER}.Env", ["A=0", "a.b", "a=2", "b=1"]),
        ("extra_hosts: ['h:1.1.1.1', 'six:::1']", f"{CONTAINER}.Hosts", ["1.1.1.1 h", "::1 six"]),
        ("dns: 1.1.1.1", f"{CONTAINER}.DNSConfig", {"Nameservers": ["1.1.1.1"]}),
        ("dns: []", f"{CONTAINER}.DNSConfig", {}),
        ("dns_search: [b, a]", f"{CONTAINER}.DNSConfig", {"Search": ["b", "a"]}),
        ("sysctls: [a=1]", f"{CONTAINER}.Sysctls", {"a": "1"}),
        ("labels: {x: 1}", f"{CONTAINER}.Labels", {**OWN, "x": "1"}),
        ("cap_add: [net_admin, CAP_CHOWN]", f"{CONTAINER}.CapabilityAdd", ["CAP_CHOWN", "CAP_NET_ADMIN"]),
        ("cap_add: [ALL, chown]", f"{CONTAINER}.CapabilityAdd", ["ALL"]),
        ("cap_add: [chown], cap_drop: [chown, kill, reset]", f"{CONTAINER}.CapabilityDrop", ["CAP_KILL"]),
        (
            "ulimits: {b: 1, a: {soft: 1, hard: 2}}",
            f"{CONTAINER}.Ulimits",
            [{"Name": "a", "Hard": 2, "Soft": 1}, {"Name": "b", "Hard": 1, "Soft": 1}],
        ),
        ("healthcheck: {disable: true, interval: 1s}", f"{CONTAINER}.Healthcheck", {"Test": ["NONE"]}),
        ("healthcheck: {test: x, retries: 0}", f"{CONTAINER}.Healthcheck", {"Test": ["CMD-SHELL", "x"]}),
        ("healthcheck: {}", f"{CONTAINER}.Healthcheck", {}),
        ("credential_spec: {file: f}", f"{CONTAINER}.Privileges.CredentialSpec", {"Config": "", "File": "f", "Registry": ""}),
        ("oom_score_adj: 5", f"{CONTAINER}.OomScoreAdj", None),
        ("logging: {driver: x, options: {a: 1}}", "TaskTemplate.LogDriver", {"Name": "x", "Options": {"a": "1"}}),
        ("logging: {}", "TaskTemplate.LogDriver", {}),
        ("restart: always", "TaskTemplate.RestartPolicy", {"Condition": "any"}),
        ("restart: 'no'", "TaskTemplate.RestartPolicy", None),
        ("restart: on-failure", "TaskTemplate.RestartPolicy", {"Condition": "on-failure", "MaxAttempts": 0}),
        ("restart: 'on-failure:3'", "TaskTemplate.RestartPolicy", {"Condition": "on-failure", "MaxAttempts": 3}),
        ("restart: always, deploy: {restart_policy: {}}", "TaskTemplate.RestartPolicy", {}),
        (
            "deploy: {restart_policy: {condition: none, delay: 0s, max_attempts: 0}}",
            "TaskTemplate.RestartPolicy",
            {"Condition": "none", "Delay": 0, "MaxAttempts": 0},
        ),
        ("deploy: {resources: {limits: {}}}", "TaskTemplate.Resources", {"Limits": {}}),
        (
            "deploy: {resources: {limits: {cpus: '0.5', memory: 1k, pids: 0}}}",
            "TaskTemplate.Resources",
            {"Limits": {"NanoCPUs": 5 * 10**8, "MemoryBytes": 1024}},
        ),
        (
            "deploy: {placement: {constraints: [bb == 1, aa != 1], preferences: [{spread: x}], max_replicas_per_node: 0}}",
            "TaskTemplate.Placement",
            {"Constraints": ["bb == 1", "aa != 1"], "Preferences": [{"Spread": {"SpreadDescriptor": "x"}}]},
        ),
        ("deploy: {replicas: 0}", "Mode", {"Replicated": {"Replicas": 0}}),
        ("deploy: {mode: global}", "Mode", {"Global": {}}),
        ("deploy: {mode: replicated-job, replicas: 2}", "Mode", {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 2}}),
        ("deploy: {mode: replicated-job}", "Mode", {"ReplicatedJob": {}}),
        ("deploy: {mode: global-job}", "Mode", {"GlobalJob": {}}),
        ("deploy: {update_config: {}}", "UpdateConfig", {"Parallelism": 1, "MaxFailureRatio": 0, "Order": ""}),
        ("deploy: {rollback_config: {parallelism: 0, delay: 0s}}", "RollbackConfig", {"Parallelism": 0, "MaxFailureRatio": 0, "Order": ""}),
        ("deploy: {labels: {com.docker.stack.image: mine}}", "Labels", {**OWN, "com.docker.stack.image": "nginx"}),
        ("deploy: {endpoint_mode: DNSRR}", "EndpointSpec", {"Mode": "dnsrr"}),
        ("ports: [{target: 80}]", "EndpointSpec", {"Ports": [{"TargetPort": 80}]}),
    ],
)
def test_field(keys: str, path: str, value: Any) -> None:
    assert at(body(keys), path) == value


def test_ports_are_sorted_by_the_published_one_alone() -> None:
    ports = body("ports: ['53:53/udp', '2:1', '53:53/tcp', '9']")["EndpointSpec"]["Ports"]
    assert [(port.get("PublishedPort", 0), port["Protocol"]) for port in ports] == [(0, "tcp"), (2, "tcp"), (53, "udp"), (53, "tcp")]


VOLUMES = "volumes: {data: , named: {name: n}, out: {external: true}, nfs: {driver_opts: {o: x}}, empty: {driver_opts: {}}}"


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        ("/x:ro", {"Type": "bind", "Source": "/x", "Target": "ro"}),
        ("/x", {"Type": "volume", "Target": "/x"}),
        ("data:/x", {"Type": "volume", "Source": "st_data", "Target": "/x", "VolumeOptions": {"Labels": OWN}}),
        ("named:/x:ro", {"Type": "volume", "Source": "n", "Target": "/x", "ReadOnly": True, "VolumeOptions": {"Labels": OWN}}),
        ("out:/x", {"Type": "volume", "Source": "out", "Target": "/x", "VolumeOptions": {}}),
        (
            "nfs:/x",
            {
                "Type": "volume",
                "Source": "st_nfs",
                "Target": "/x",
                "VolumeOptions": {"Labels": OWN, "DriverConfig": {"Options": {"o": "x"}}},
            },
        ),
        ("empty:/x", {"Type": "volume", "Source": "st_empty", "Target": "/x", "VolumeOptions": {"Labels": OWN, "DriverConfig": {}}}),
        ("/a:/x:slave", {"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {"Propagation": "slave"}}),
        ({"type": "bind", "source": "/a", "target": "/x", "bind": {}}, {"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {}}),
        ({"type": "tmpfs", "target": "/x", "tmpfs": {"size": 5}}, {"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": 5}}),
        (
            {"type": "cluster", "source": "group:g", "target": "/x"},
            {"Type": "cluster", "Source": "group:g", "Target": "/x", "ClusterOptions": {}},
        ),
        (
            {"type": "cluster", "source": "data", "target": "/x"},
            {"Type": "cluster", "Source": "st_data", "Target": "/x", "ClusterOptions": {}},
        ),
    ],
)
def test_mount(mount: Any, expected: Any) -> None:
    assert body(f"volumes: [{mount!r}]", VOLUMES)["TaskTemplate"]["ContainerSpec"]["Mounts"] == [expected]


def test_networks_are_sorted_by_name_and_know_the_service() -> None:
    found = converted("""
services: {a: {image: x, networks: {z: {aliases: [k, a]}, out: , host: , b: {driver_opts: {x: 1}}}}, c: {image: x}}
networks: {z: {name: zz}, b: , out: {external: true}, host: {external: true, name: host}, unused: }
""")
    assert found.services["st_a"]["TaskTemplate"]["Networks"] == [
        {"Target": "host"},
        {"Target": "out", "Aliases": ["a"]},
        {"Target": "st_b", "Aliases": ["a"], "DriverOpts": {"x": "1"}},
        {"Target": "zz", "Aliases": ["k", "a", "a"]},
    ]
    assert list(found.networks) == ["st_b", "st_default", "zz"]
    assert found.external_networks == ("out",)


def test_network_body() -> None:
    found = converted("""
services: {a: {image: x}}
networks:
  default:
    {driver: d, driver_opts: {o: 1}, internal: true, attachable: true, labels: [l=1], ipam: {config: [{subnet: 10.0.0.0/8}]}}
""")
    assert found.networks["st_default"] == {
        "Name": "st_default",
        "Driver": "d",
        "Options": {"o": "1"},
        "Internal": True,
        "Attachable": True,
        "Labels": {**OWN, "l": "1"},
        "IPAM": {"Config": [{"Subnet": "10.0.0.0/8"}]},
    }


def test_addresses_of_a_network() -> None:
    found = converted("""
services: {a: {image: x}}
networks:
  default:
    enable_ipv6: true
    ipam: {options: {o: 1}, config: [{subnet: 10.0.0.0/8, gateway: 10.0.0.1, ip_range: 10.1.0.0/16, aux_addresses: {h: 10.0.0.2}}]}
""").networks["st_default"]
    assert found["EnableIPv6"] is True
    assert found["IPAM"] == {
        "Options": {"o": "1"},
        "Config": [{"Subnet": "10.0.0.0/8", "Gateway": "10.0.0.1", "IPRange": "10.1.0.0/16", "AuxiliaryAddresses": {"h": "10.0.0.2"}}],
    }


def test_secrets_and_configs() -> None:
    found = converted("""
services: {a: {image: x, secrets: [z, {source: b, target: t, uid: "1", mode: 0}], configs: [c], credential_spec: {config: c}}}
secrets: {z: {file: f}, b: {external: true, name: aa}, unused: {external: true}, d: {driver: v, driver_opts: {o: 1}, template_driver: g}}
configs: {c: {file: f, name: cc, labels: {l: 1}}}
""")
    container = found.services["st_a"]["TaskTemplate"]["ContainerSpec"]
    assert container["Secrets"] == [
        {"SecretName": "aa", "File": {"Name": "t", "UID": "1", "GID": "0", "Mode": 0}},
        {"SecretName": "st_z", "File": {"Name": "z", "UID": "0", "GID": "0", "Mode": 0o444}},
    ]
    assert container["Configs"] == [
        {"ConfigName": "cc", "File": {"Name": "c", "UID": "0", "GID": "0", "Mode": 0o444}},
        {"ConfigName": "cc", "Runtime": {}},
    ]
    assert container["Privileges"]["CredentialSpec"] == {"Config": "cc", "File": "", "Registry": ""}
    assert found.secrets == {
        "st_d": {"Name": "st_d", "Labels": OWN, "Driver": {"Name": "v", "Options": {"o": "1"}}, "Templating": {"Name": "g"}},
        "st_z": {"Name": "st_z", "Labels": OWN},
    }
    assert found.configs == {"cc": {"Name": "cc", "Labels": {**OWN, "l": "1"}}}
    assert (found.secret_keys, found.config_keys) == ({"st_d": "d", "st_z": "z"}, {"cc": "c"})
    assert (found.external_secrets, found.external_configs) == (("aa",), ())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "networks: [fornt]",
            "f.yml: services.a.networks.fornt: there is no network 'fornt' under the top-level networks. Did you mean 'front'?",
        ),
        ("secrets: [x, pasword]", "f.yml: services.a.secrets.0: there is no secret 'x' under the top-level secrets."),
        (
            "secrets: [x, pasword]",
            "f.yml: services.a.secrets.1: there is no secret 'pasword' under the top-level secrets. Did you mean 'password'?",
        ),
        ("configs: [x]", "f.yml: services.a.configs.0: there is no config 'x' under the top-level configs."),
        ("credential_spec: {config: x}", "f.yml: services.a.credential_spec.config: there is no config 'x' under the top-level configs."),
        ("volumes: ['dta:/x']", "f.yml: services.a.volumes.0: there is no volume 'dta' under the top-level volumes. Did you mean 'data'?"),
        ("secrets: [password, {source: password}]", "f.yml: services.a.secrets.1: 'password' is the target of an earlier secret too."),
        ("deploy: {mode: global, replicas: 1}", "f.yml: services.a.deploy.replicas: a service of mode global runs on every node."),
        (
            "volumes: [{type: bind, source: /a, target: /x, volume: {}}]",
            "f.yml: services.a.volumes.0.volume: does not fit a mount of type bind.",
        ),
        ("volumes: [{type: tmpfs, source: /a, target: /x}]", "f.yml: services.a.volumes.0.source: a tmpfs mount has no source."),
        ("volumes: ['data:/x', '/y:/x']", "f.yml: services.a.volumes.1: '/x' is the target of an earlier mount too"),
        ("volumes: [{type: image, source: i, target: /x}]", "f.yml: services.a.volumes.0.type: engines refuse a mount of type image"),
        (
            "deploy: {endpoint_mode: DNSRR}, ports: [{target: 80, mode: host}, '81:81']",
            "f.yml: services.a.ports: with endpoint_mode: dnsrr the engine refuses ports of mode ingress (81). Write them in the long form",
        ),
        ("deploy: {endpoint_mode: dnsrr}, ports: [{target: 80}]", "f.yml: services.a.ports: with endpoint_mode: dnsrr"),
        ("volumes: [{type: bind, target: /x}]", "f.yml: services.a.volumes.0: a mount of type bind needs a source."),
    ],
)
def test_error(keys: str, message: str) -> None:
    with pytest.raises(ComposeError) as caught:
        body(keys, "networks: {front: }\nvolumes: {data: }\nsecrets: {password: {external: true}}")
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "services: {a.b: {image: x}}",
            "services: the engine refuses the name 'st_a.b'. It may have letters, digits, - and _, not at either end",
        ),
        ("services: {a-: {image: x}}", "services: the engine refuses the name 'st_a-'."),
        (f"services: {{{'a' * 61}: {{image: x}}}}", "services: the engine refuses the name 'st_aaaa"),
        ("services: {a: {image: x}}\nnetworks: {default: {name: a.b}}", "networks: the engine refuses the name 'a.b'."),
        ("services: {}\nsecrets: {_: {file: f}, s: {file: f, name: '-'}}", "secrets: the engine refuses the name 'st__'"),
        (f"services: {{}}\nconfigs: {{{'c' * 62}: {{file: f}}}}", "configs: the engine refuses the name 'st_ccc"),
    ],
)
def test_a_name_that_the_engine_would_refuse(text: str, message: str) -> None:
    with pytest.raises(ComposeError) as caught:
        converted(text)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("secrets: {a: {name: n, file: f}, b: {name: n, file: f}}", "secrets.b: has the name 'n', as secrets.a has"),
        ("configs: {a: {name: st_b, file: f}, b: {file: f}}", "configs.b: has the name 'st_b', as configs.a has"),
        ("networks: {a: {name: n}, b: {name: n, internal: true}}", "networks.b: has the name 'n', as networks.a has"),
        ("volumes: {a: {name: n}, b: {name: n, driver: nfs}}", "remove this one and let its services use a."),
        ("volumes: {a: {name: n, driver: nfs}, b: {name: n, driver: nfs}}", ""),
        ("secrets: {a: {name: n, external: true}, b: {name: n, external: true}}", ""),
    ],
)
def test_two_keys_with_one_name(more: str, message: str) -> None:
    text = f"services: {{}}\n{more}"
    if not message:
        assert converted(text)
        return
    with pytest.raises(ComposeError) as caught:
        converted(text)
    assert message in caught.value.message


def test_names_that_the_engine_takes() -> None:
    assert converted("services: {a-b_c: {image: x}}\nsecrets: {s.txt: {file: f}}").order == ("st_a-b_c",)


def test_attached_networks_come_beside_the_default() -> None:
    found = converted("services: {a: {image: x}, b: {image: x, networks: [n]}}\nnetworks: {n: }", {"a": ["ingress"], "b": ["ingress"]})
    targets = {name: [entry["Target"] for entry in body["TaskTemplate"]["Networks"]] for name, body in found.services.items()}
    assert targets == {"st_a": ["ingress", "st_default"], "st_b": ["ingress", "st_n"]}
    assert found.services["st_a"]["TaskTemplate"]["Networks"][0] == {"Target": "ingress"}
    assert found.external_networks == ("ingress",)


def test_a_network_is_attached_once() -> None:
    text = "services: {a: {image: x, networks: {e: {aliases: [z]}}}}\nnetworks: {e: {external: true, name: ingress}}"
    assert converted(text, {"a": ["ingress"]}).services["st_a"]["TaskTemplate"]["Networks"] == [
        {"Target": "ingress", "Aliases": ["z", "a"]}
    ]


def test_only_services_of_the_stack_can_be_attached() -> None:
    with pytest.raises(ComposeError, match=r"services\.wbe: there is no such service to attach to the network n\. Did you mean 'web'\?"):
        converted("services: {web: {image: x}}", {"wbe": ["n"]})


@pytest.mark.parametrize(
    ("dependencies", "order"),
    [
        ({"a": "[c]", "b": "[]", "c": "[b]"}, ["b", "c", "a"]),
        ({"a": "[]", "b": "[]", "c": "[]"}, ["a", "b", "c"]),
        ({"a": "[b]", "b": "[a]", "c": "[a]"}, ["b", "a", "c"]),
        ({"a": "[nobody]", "b": "[a]"}, ["a", "b"]),
    ],
)
def test_order(dependencies: Mapping[str, str], order: list[str]) -> None:
    services = ", ".join(f"{name}: {{image: x, depends_on: {others}}}" for name, others in dependencies.items())
    assert converted(f"services: {{{services}}}").order == tuple(f"st_{name}" for name in order)


@pytest.mark.parametrize(
    ("keys", "field", "api"),
    [
        ("cap_add: [a]", "cap_add", "1.41"),
        ("cap_drop: [a]", "cap_drop", "1.41"),
        ("ulimits: {a: 1}", "ulimits", "1.41"),
        ("healthcheck: {start_interval: 1s}", "healthcheck.start_interval", "1.44"),
        ("deploy: {resources: {limits: {pids: 1}}}", "deploy.resources.limits.pids", "1.41"),
        ("deploy: {mode: global-job}", "deploy.mode", "1.41"),
        ("volumes: [{type: volume, source: data, target: /x, volume: {subpath: y}}]", "volumes.0.volume.subpath", "1.45"),
        ("volumes: [{type: cluster, source: data, target: /x}]", "volumes.0.type", "1.42"),
    ],
)
def test_fields_that_an_old_engine_would_drop(keys: str, field: str, api: str) -> None:
    assert converted(f"services: {{a: {{image: x, {keys}}}}}\n{VOLUMES}").needs == (Need(f"f.yml: services.a.{field}", api),)


def test_an_error_names_the_files_of_the_service() -> None:
    texts = {
        "one.yml": "services: {a: {image: x, secrets: [s]}, b: {image: x, secrets: [s]}}",
        "two.yml": "services: {a: {tty: true}}",
    }
    project = load([Source.file(name, text, "/base") for name, text in texts.items()], {}, lambda _path: b"x").project
    with pytest.raises(ComposeError) as caught:
        convert(Project.from_wire(project.to_wire()), "st")
    assert caught.value.message.splitlines() == [
        "one.yml + two.yml: services.a.secrets.0: there is no secret 's' under the top-level secrets.",
        "one.yml: services.b.secrets.0: there is no secret 's' under the top-level secrets.",
    ]


@pytest.mark.parametrize(
    ("keys", "path", "value", "needs"),
    [
        ("oom_score_adj: 5", f"{CONTAINER}.OomScoreAdj", 5, "oom_score_adj"),
        ("tmpfs: '/t:size=1k'", f"{CONTAINER}.Mounts", [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1024}}], ""),
        ("tmpfs: [/t, /u]", f"{CONTAINER}.Mounts", [{"Type": "tmpfs", "Target": "/t"}, {"Type": "tmpfs", "Target": "/u"}], ""),
        (
            "volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 0700}}]",
            f"{CONTAINER}.Mounts",
            [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"Mode": 0o700}}],
            "",
        ),
        ("security_opt: ['no-new-privileges:true']", f"{CONTAINER}.Privileges.NoNewPrivileges", True, "security_opt"),
        ("security_opt: ['seccomp:unconfined']", f"{CONTAINER}.Privileges.Seccomp", {"Mode": "unconfined"}, "security_opt"),
        ("security_opt: ['apparmor=unconfined']", f"{CONTAINER}.Privileges.AppArmor", {"Mode": "disabled"}, "security_opt"),
    ],
)
def test_beyond_the_cli(keys: str, path: str, value: Any, needs: str) -> None:
    text = f"services: {{a: {{image: x, {keys}}}}}"
    found = converted(text, beyond_cli=True)
    assert at(found.services["st_a"], path) == value
    assert [need.place for need in found.needs] == ([f"f.yml: services.a.{needs}"] if needs else [])
    assert at(converted(text).services["st_a"], path) != value


def test_what_is_beyond_the_engine_too() -> None:
    with pytest.raises(ComposeError, match=r"services\.a\.security_opt\.0: 'label:disable' is not one of no-new-privileges"):
        converted("services: {a: {image: x, security_opt: ['label:disable']}}", beyond_cli=True)
