"""The differences from the CLI that we mean, each with the words by which it is recognised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from differential.normal import differences, normal
from differential.ours import Converted
from differential.recorder import Recorded

EQUAL, BOTH_REJECT, UNEXPLAINED = "equal", "both reject", "unexplained"


@dataclass(frozen=True)
class Named:
    """``rejects`` is the side that refuses the file; its words match ``words``."""

    name: str
    rejects: str
    words: str


NEWER_THAN_3_0 = (
    "attachable|cgroupns_mode|configs|credential_spec|driver|driver_opts|endpoint_mode|generic_resources|init|isolation|labels"
    "|max_replicas_per_node|oom_score_adj|order|pids|preferences|rollback_config|secrets|start_interval|start_period|subpath"
    "|sysctls|template_driver|tmpfs|x-.*"
)
COMPOSE_ONLY = "group_add|enable_ipv6|ip_range|gateway|aux_addresses|options|mode|selinux|create_host_path"

NAMED: Sequence[Named] = (
    # What the CLI refuses and we accept.
    Named("the version may be a number", "CLI", r"^version must be a string"),
    Named("the version does not limit the keys", "CLI", rf"Additional property ({NEWER_THAN_3_0}) is not allowed"),
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
    Named("ignored keys are not checked", "CLI", r"Additional property (pull_policy|develop|attach) is not allowed"),
    Named("every number may come from a variable", "CLI", r"must be a (integer|number|boolean)"),
    Named("the :+ and + operators", "CLI", r"invalid interpolation format"),
    Named("a credential spec in a config with a name of its own", "CLI", r"invalid credential spec: .* no such config can be found"),
    # What the CLI accepts, and we refuse: the engine would refuse it, or the CLI garbles it.
    Named("names that the engine refuses", "ours", r"the engine refuses the name"),
    Named("a lone dollar sign is always an error", "ours", r"is not a variable\. Write \$\$"),
)


@dataclass(frozen=True)
class Comparison:
    outcome: str  # equal, both reject, unexplained, or the name of a difference
    lines: Sequence[str] = ()


def compare(ours: Converted, theirs: Recorded) -> Comparison:
    if ours.error and theirs.code:
        return Comparison(BOTH_REJECT)
    if ours.error or theirs.code:
        side, message = ("ours", ours.error) if ours.error else ("CLI", theirs.stderr.strip())
        last = message.splitlines()[-1] if message else ""
        names = [named.name for named in NAMED if named.rejects == side and re.search(named.words, last)]
        return Comparison(names[0] if names else UNEXPLAINED, [f"only {side} rejects: {message}"])
    lines = differences(normal(ours.bodies), normal(theirs.bodies))
    lines += differences(sorted(ours.external_networks), sorted(theirs.external_networks), "external networks")
    return Comparison(UNEXPLAINED if lines else EQUAL, lines)
