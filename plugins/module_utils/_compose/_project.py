# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into loading and what comes out: plain data that survives a trip from the controller to the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ._notes import At, Notes

Entry = Mapping[str, Any]
SECTIONS = ("services", "networks", "volumes", "secrets", "configs")


@dataclass(frozen=True)
class Source:
    """One Compose file, or one mapping written in the playbook; ``label`` is what messages call it."""

    label: str
    text: str | None = None
    mapping: Entry | None = None
    base_dir: str | None = None

    @classmethod
    def file(cls, label: str, text: str, base_dir: str) -> Source:
        return cls(label=label, text=text, base_dir=base_dir)

    @classmethod
    def inline(cls, label: str, mapping: Entry) -> Source:
        return cls(label=label, mapping=mapping)


@dataclass(frozen=True)
class Project:
    """The merged files in one canonical form, keyed as in the files.

    Every short form is spelled out: durations are nanoseconds, sizes bytes, cpus billionths; lists of ``A=b`` are
    mappings; ports, volumes, secrets and configs of a service are lists of mappings; files are read. ``origins`` has
    the files that each entry comes from, by section and key.
    """

    services: Mapping[str, Entry]
    networks: Mapping[str, Entry] = field(default_factory=dict)
    volumes: Mapping[str, Entry] = field(default_factory=dict)
    secrets: Mapping[str, Entry] = field(default_factory=dict)
    configs: Mapping[str, Entry] = field(default_factory=dict)
    name: str = ""
    origins: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def at(self, notes: Notes, section: str, key: str) -> At:
        """The place of an entry, to say what is wrong with it."""
        files = self.origins.get(section, {}).get(key, ())
        # A service is merged from all files that have it; of the others the last one counts.
        return At(notes, " + ".join(files if section == "services" else files[-1:]), (section, key))

    def to_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: Entry) -> Project:
        return cls(**wire)


@dataclass(frozen=True)
class Contents:
    """The bytes of the secrets and configs that the files define, by their key in the file."""

    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    configs: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Loaded:
    project: Project
    contents: Contents
    warnings: tuple[str, ...] = ()
