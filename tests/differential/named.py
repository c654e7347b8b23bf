"""The differences from the CLI that we mean, each with the words by which it is recognised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from differential.normal import differences, normal
from differential.ours import Converted
from differential.recorder import Recorded

EQUAL, BOTH_REJECT, UNEXPLAINED = "equal", "both reject", "unexplained"
AND = "; "


Version = tuple[int, int]
ALWAYS: Version = (0, 0)
STILL: Version = (999, 0)


@dataclass(frozen=True)
class Named:
    """``side`` is what refuses the file ("CLI", "ours"), or "bodies" when both take it and make something else of it.

    ``words`` match the refusal, or each line of difference. CLIs from ``since`` on and before ``until`` do this.
    """

    name: str
    side: str
    words: str
    since: Version = ALWAYS
    until: Version = STILL

    def holds_for(self, version: Version) -> bool:
        return self.since <= version < self.until


NEWER = (
    "attachable|cgroupns_mode|configs|credential_spec|driver|driver_opts|endpoint_mode|generic_resources|init|isolation|labels"
    "|max_replicas_per_node|oom_score_adj|order|pids|preferences|rollback_config|secrets|start_interval|start_period|subpath"
    "|sysctls|template_driver|tmpfs"
)
COMPOSE_ONLY = "group_add|enable_ipv6|ip_range|gateway|aux_addresses|options|mode|selinux|create_host_path"

NAMED: Sequence[Named] = (
    # What every CLI refuses and we accept.
    Named("the version may be a number or a variable", "CLI", r"^version must be a string|unsupported Compose file version: \$"),
    Named("keys of a newer version", "CLI", rf"Additional property ({NEWER}) is not allowed"),
    Named("what Compose has since and Swarm can do", "CLI", rf"Additional property ({COMPOSE_ONLY}) is not allowed"),
    Named("files may name different versions", "CLI", r"version mismatched"),
    Named("top-level name", "CLI", r"^\(root\) Additional property name is not allowed"),
    Named("a published port may be text", "CLI", r"\.(published|target) must be a integer"),
    Named("cpus and memory may be numbers", "CLI", r"\.(cpus|memory) must be a string"),
    Named("a mode may be text", "CLI", r"\.mode must be a number"),
    Named("long env_file", "CLI", r"env_file\.\d+ must be a string"),
    Named("long depends_on", "CLI", r"depends_on must be a list"),
    Named("content and environment of configs and secrets", "CLI", r"Additional property (content|environment) is not allowed"),
    Named("x- keys anywhere", "CLI", r"Additional property x-\S+ is not allowed"),
    Named(
        "ignored keys are not checked",
        "CLI",
        r"Additional property (pull_policy|develop|attach) is not allowed|\.build Additional property",
    ),
    Named("numbers and truth values in other forms", "CLI", r"must be a (integer|number|boolean)|invalid type float64"),
    Named("the :+ and + operators", "CLI", r"invalid interpolation format"),
    Named("a credential spec in a config with a name of its own", "CLI", r"invalid credential spec: .* no such config can be found"),
    # What every CLI accepts, and we refuse: the engine would refuse it, or the CLI garbles it.
    Named("names that the engine refuses", "ours", r"the engine refuses the name"),
    Named(
        "values that the engine refuses",
        "ours",
        r"(failure_action|condition|propagation): '.*' is not one of|(target|published): must be a whole number from 0 to 65535"
        r"|volumes\.\d+: '.*' is the target of an earlier mount|volumes\.\d+\.type: engines refuse"
        r"|volumes\.\d+: (is the same as an earlier item|needs the key 'target')"
        r"|constraints\.\d+: '.*' is no constraint|ports: with endpoint_mode: dnsrr the engine refuses",
    ),
    Named(
        "values that mean nothing",
        "ours",
        r"restart: '(always:.*|on-failure:(-\d+)?)' is not one of|'\w+' is not a number of CPUs|is too large|'\S+/\S+' is not a protocol"
        r"|type: '' is not one of|(protocol|ports\.\d+\.mode|endpoint_mode|isolation): '.*' is not one of",
    ),
    Named("two keys with one name", "ours", r"has the name '.*', as \w+\.\S+ has, so both would be one"),
    Named("a lone dollar sign is always an error", "ours", r"is not a variable\. Write \$\$"),
    # Where CLIs of different age differ, and we do as 28.5 does.
    Named("the version may be left out", "CLI", r"unsupported Compose file version: (1\.0)?$", until=(23, 0)),
    Named("a version newer than the CLI", "CLI", r"unsupported Compose file version: 3\.", until=(27, 0)),
    Named("jobs are newer than the CLI", "CLI", r"Unknown mode: (replicated|global)-job", until=(23, 0)),
    Named("types of volumes newer than the CLI", "CLI", r"volume type must be volume, bind", until=(23, 0)),
    Named("yes, no, on and off are text", "CLI", r"on-string key in .*: (true|false)$|must be a string", until=(28, 0)),
    Named("a key given twice is an error", "ours", r"the key is given twice", until=(28, 0)),
    Named("sizes with an exponent", "CLI", r"invalid size: '\S+e\d+'", until=(28, 0)),
    Named("sizes like 1ki", "ours", r"'\S+i' is not a size", until=(28, 0)),
    Named("IPv6 addresses need brackets", "ours", r"write the address in brackets", since=(28, 2), until=(28, 5)),
    Named("the names of images are checked", "ours", r"image: (the service has no image|'.*' is not the name of an image)", until=(28, 2)),
    Named("commands of several files are joined", "bodies", r"\.ContainerSpec\.(Args|Command)\b", until=(23, 0)),
    Named("a zero of a later file does not count", "bodies", r"\.(Replicas|Parallelism|Retries|MaxAttempts): ours", until=(23, 0)),
    Named("hosts with an equals sign or brackets", "bodies", r"\.ContainerSpec\.Hosts\b", until=(25, 0)),
    Named("a registry told by its capital", "bodies", r"\.Image: ours '([A-Z]\S*):latest', the CLI's '\1'", until=(26, 0)),
    Named("a key wins over a merge key behind it", "bodies", r"[.]([Ii]mage): ours", until=(28, 0)),
    Named("subpath is newer than the CLI", "bodies", r"\.VolumeOptions\.Subpath: ours", until=(28, 0)),
    Named("volumes of several files are joined", "bodies", r"\.ContainerSpec\.Mounts\b", until=(23, 0)),
    # Where newer CLIs garble what the file says.
    Named("a date is text", "bodies", r"ours '\w+=(\d{4}-\d\d-\d\d)\S*', the CLI's '\w+=\1 .* UTC'", since=(28, 0)),
    Named("the later driver_opts of a network win", "bodies", r"\.Networks\[\d+\]\.DriverOpts\b", since=(27, 0)),
)


@dataclass(frozen=True)
class Comparison:
    outcome: str  # equal, both reject, unexplained, or the names of differences
    lines: Sequence[str] = ()


def compare(ours: Converted, theirs: Recorded, version: Version) -> Comparison:
    if ours.error and theirs.code:
        return Comparison(BOTH_REJECT, [f"ours: {ours.error}", f"the CLI: {theirs.stderr.strip()}"])
    if ours.error or theirs.code:
        side, lines = ("ours", ours.error.splitlines()) if ours.error else ("CLI", theirs.stderr.splitlines()[-1:])
        return Comparison(named(side, lines, version), [f"only {side} rejects: {line}" for line in lines])
    lines = differences(normal(ours.bodies), normal(theirs.bodies))
    lines += differences(sorted(ours.external_networks), sorted(theirs.external_networks), "external networks")
    return Comparison(named("bodies", lines, version) if lines else EQUAL, lines)


def named(side: str, lines: Sequence[str], version: Version) -> str:
    """The names of all that the lines say, or that one of them has no name."""
    candidates = [one for one in NAMED if one.side == side and one.holds_for(version)]
    names = {next((one.name for one in candidates if re.search(one.words, line)), UNEXPLAINED) for line in lines}
    return UNEXPLAINED if UNEXPLAINED in names or not names else AND.join(sorted(names))
