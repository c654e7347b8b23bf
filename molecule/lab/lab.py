# SPDX-License-Identifier: GPL-3.0-or-later
"""A laboratory of Debian servers on one machine, to try and test the collection on."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from docker.errors import APIError
from requests.exceptions import RequestException

sys.path.insert(0, str(Path(__file__).resolve().parent))

from homelab import labs
from homelab.engine import Engine, ensure_engine, find_engine, one_at_a_time
from homelab.errors import LabError
from homelab.faults import FAULTS
from homelab.images import find_apps
from homelab.labels import Lab
from homelab.labs import Home
from homelab.nodes import cgroup_version
from homelab.progress import say, step
from homelab.shape import KERNELS, RELEASES, Shape, lab_name, parse_shape

HOME = Home(Path(__file__).resolve().parents[2] / ".lab")


def shape_of(options: argparse.Namespace) -> Shape:
    """What the command line says, then what the environment says, then the defaults."""
    said = {
        "LAB_NAME": options.name,
        "LAB_MANAGERS": options.managers,
        "LAB_WORKERS": options.workers,
        "LAB_RELEASE": options.release,
        "LAB_BARE": "1" if options.bare else None,
        "LAB_KERNEL": options.kernel,
    }
    return parse_shape({**os.environ, **{name: word for name, word in said.items() if word is not None}})


def chosen_lab(options: argparse.Namespace) -> Lab:
    return HOME.lab(lab_name(options.name or os.environ.get("LAB_NAME") or labs.DEFAULT_LAB))


def engine(_options: argparse.Namespace) -> None:
    with one_at_a_time():
        facts = ensure_engine(HOME.engine).info()
    say(f"the engine answers: {facts['ServerVersion']}, cgroup v{cgroup_version(facts)}, {facts['OperatingSystem']}")


def images(options: argparse.Namespace) -> None:
    shape = shape_of(options)
    flavours = [(release, bare) for release in shape.releases for bare in ((True,) if shape.bare else (True, False))]
    with one_at_a_time():
        labs.build_images(ensure_engine(HOME.engine), flavours, find_apps(options.extra), shape.kernel)
    say("all images are there")


def up(options: argparse.Namespace) -> None:
    shape = shape_of(options)
    started = time.monotonic()
    inventory = labs.up(HOME, shape, options.extra)
    say(f"the lab {shape.lab} is up after {time.monotonic() - started:.1f} s; try: ansible -i {os.path.relpath(inventory)} all -m ping")


def fault(options: argparse.Namespace) -> None:
    labs.fault(ensure_engine(HOME.engine), HOME, chosen_lab(options), options.kind, options.node)


def status(_options: argparse.Namespace) -> None:
    rows = labs.status(answering_engine())
    if not rows:
        say("no nodes: `lab.py up` makes some")
        return
    table = [[*rows[0]], *([*row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def down(options: argparse.Namespace) -> None:
    lab = chosen_lab(options)
    with one_at_a_time(), step(f"removing the lab {lab.name}"):
        found = find_engine()
        if found is not None:
            labs.down(found, HOME, lab)


def clean(_options: argparse.Namespace) -> None:
    with one_at_a_time():
        labs.clean(find_engine(), HOME)
    say("clean")


def answering_engine() -> Engine:
    found = find_engine()
    if found is None:
        raise LabError("No Docker engine answers, so there is no lab: `lab.py up` makes one.")
    return found


VERBS: dict[str, tuple[Callable[[argparse.Namespace], None], str]] = {
    "engine": (engine, "make sure that a Docker engine answers"),
    "images": (images, "build the images of nodes and apps that are missing or out of date"),
    "up": (up, "bring a lab to the wanted shape and write its inventory"),
    "status": (status, "list the nodes of all labs"),
    "fault": (fault, "do something bad to a node, or undo it"),
    "down": (down, "remove a lab"),
    "clean": (clean, "remove all labs, their images, and the engine if it was started here"),
}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (_run, meaning) in VERBS.items():
        command = verbs.add_parser(verb, help=meaning, description=meaning.capitalize() + ".")
        if verb in ("up", "down", "fault", "images"):
            command.add_argument("--name", help="name of the lab (LAB_NAME, default)")
        if verb in ("up", "images"):
            command.add_argument("--managers", metavar="N", help="(LAB_MANAGERS, 1)")
            command.add_argument("--workers", metavar="N", help="(LAB_WORKERS, 2)")
            command.add_argument("--release", help=f"{', '.join(RELEASES)}, or a list to mix (LAB_RELEASE, trixie)")
            command.add_argument("--bare", action="store_true", help="no Docker on the nodes yet (LAB_BARE=1)")
            command.add_argument("--kernel", help=f"{' or '.join(KERNELS)}: which one the nodes run on (LAB_KERNEL, host)")
            command.add_argument("--extra", type=Path, action="append", default=[], metavar="FOLDER", help="one more app image to build")
        if verb == "fault":
            command.add_argument("kind", choices=FAULTS)
            command.add_argument("node")
    return parser


def main() -> int:
    options = arguments().parse_args()
    try:
        VERBS[options.verb][0](options)
    except LabError as error:
        return complain(str(error))
    except APIError as error:
        return complain(f"The Docker engine refused: {error.explanation or error}.")
    except RequestException as error:
        return complain(f"The Docker engine stopped answering ({error}); `lab.py {options.verb}` again finishes the job.")
    except KeyboardInterrupt:
        return complain(f"Interrupted; `lab.py {options.verb}` again finishes the job, `lab.py down` removes what was made.")
    return 0


def complain(sentence: str) -> int:
    print(f"lab: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
