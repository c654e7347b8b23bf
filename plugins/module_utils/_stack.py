# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy or remove a stack: the pipeline load (done on the controller), convert, observe, compare, apply, watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ._actual import Actual, observe, volumes
from ._apply import adopt, remove, sealed
from ._bodies._field import released
from ._clock import SYSTEM, Clock
from ._colours import Placed, Switch, check_sides, coloured, first, following, placed, renamed, unchecked, without
from ._compose._image import registry_of
from ._compose._notes import Notes
from ._defaults import with_update_defaults
from ._desired import Desired, convert
from ._engine import Engine, api_version
from ._errors import NotInSwarmError, NotManagerError, RefusedError
from ._history import Revision, colours, needed, needed_by_all, recalled, revisions, switching
from ._images import Auth, Pinned, credentials, pin
from ._model import IMAGE, Body, Kind, Outcome, Plan, References, Sort
from ._names import size_problem
from ._plan import Intent, compare, old_versions, references, removal, to_verify, unknown
from ._refused import check_network, check_service
from ._release import NEXT, Release, outcome, taken_up, under_way, with_colours
from ._request import Request
from ._spec import same
from ._state import after
from ._verifier import verify_all
from ._wait import Ended, Wait, leftovers

#: How often a stack is removed while a deploy of somebody else's still writes to it.
REMOVALS = 3


def converge_stack(engine: Engine, options: Mapping[str, Any], check: bool) -> Outcome:
    """What the module does."""
    work = deploy if options["state"] == "present" else withdraw
    return work(engine, Request.of(options), check)


def predict_stack(options: Mapping[str, Any]) -> Outcome:
    """What the module would do on a host that has no swarm yet: create everything, or find nothing to remove."""
    request = Request.of(options)
    return would_deploy(request) if options["state"] == "present" else Outcome(changed=False)


def deploy(engine: Engine, request: Request, check: bool, clock: Clock = SYSTEM) -> Outcome:
    """Bring the stack to what the files say, and wait until it is; or take up a wait that an earlier call left."""
    wait = Wait(engine, request, credentials(engine, request.registry_auth, request.with_registry_auth), clock)
    return Deploy(wait).run(check) if request.waiting is None else taken_up(wait, request.waiting)


def would_deploy(request: Request) -> Outcome:
    """The plan on a host that has no swarm yet: everything is created."""
    desired = renamed(wanted(request)[0], first(request.blue_green))
    return outcome(compare(desired, Actual(), Intent(request.contents)), Ended([]))


def withdraw(engine: Engine, request: Request, check: bool) -> Outcome:
    """Remove the stack and all it owns; of its volumes, if wanted, those of this node."""
    found, elsewhere = volumes(engine, request.name) if request.volumes else ([], ())
    try:
        actual = observe(engine, request.name)
    except NotManagerError as error:
        if isinstance(error, NotInSwarmError) or not request.volumes:
            raise
        # a worker, where nothing of the stack can be seen but its volumes
        actual = Actual()

    def planned(actual: Actual, volumes: Sequence[Body] = ()) -> Plan:
        return removal(actual, request.name, volumes, _remembered(request, actual) if request.keep_history else frozenset())

    plan = planned(actual, found)
    rest = plan if not check else Plan()
    for _attempt in range(REMOVALS):
        if rest:
            remove(engine, rest, request.name, request.limits.timeout)
            # a deploy that was under way may have written once more before it noticed; of volumes only managers see more
            seen = any(step.sort is not Sort.VOLUME for step in rest.steps)
            rest = planned(observe(engine, request.name)) if seen else Plan()
    return outcome(plan, Ended([]), tuple(_left_behind(request.name, elsewhere)))


def _remembered(request: Request, actual: Actual) -> References:
    """The stack's revisions, and what those that came up need to come back."""
    past = revisions(actual.records)
    # one under way goes, so that whoever deploys notices
    records = frozenset((Sort.CONFIG, str(revision.live["Spec"]["Name"])) for revision in past if not revision.is_under_way)
    return records | needed(past, request.history_max)


def _left_behind(stack: str, nodes: tuple[str, ...]) -> Iterator[str]:
    if nodes:
        yield (
            f"Volumes of stack '{stack}' may be left on node(s) {', '.join(nodes)}, as an engine removes only its own: run this task "
            "there too, where it removes the volumes and leaves the rest to the managers."
        )


def wanted(request: Request) -> tuple[Desired, tuple[str, ...]]:
    """The bodies that the API takes, and what could not be done as asked."""
    desired = convert(request.project, request.name, request.attach)
    _check_acceptable(request)
    check_sides(request.project, desired, request.blue_green)
    found, notes = with_update_defaults(desired) if request.update_defaults else (desired, ())
    return found, (*notes, *unchecked(found, request.blue_green))


def _check_acceptable(request: Request) -> None:
    """The engine would refuse these one by one, in the middle of the deploy."""
    notes = Notes()
    for key, service in request.project.services.items():
        check_service(service, request.project.at(notes, "services", key))
    for key, network in request.project.networks.items():
        check_network(network, request.project.at(notes, "networks", key))
    for (sort, key), content in request.contents.items():
        if problem := size_problem(f"{sort.value}s", content):
            request.project.at(notes, f"{sort.value}s", key).wrong(problem)
    notes.stop_on_errors()


@dataclass(frozen=True)
class Cast:
    """Under which names the services of the files run."""

    desired: Desired
    #: the services that stand for coloured ones, by the files' keys
    colours: Placed
    #: services that are left alone, by full name
    spared: frozenset[str] = frozenset()
    #: the release that this deploy begins or goes on with
    switch: Switch | None = None


class Deploy(Release):
    """One deploy of Compose files."""

    def run(self, check: bool) -> Outcome:
        written, notes = wanted(self.request)
        _check_age(self.engine, written)

        def observed() -> Actual:
            return recalled(observe(self.engine, self.request.name, written), self.request.name)

        actual = observed()
        intent = Intent(
            self.request.contents,
            prune=self.request.prune,
            recreate=self.request.recreate,
            renewed=_renewed(self.request, written),
            by_tag=self.request.resolve_image == "always",
            pin_changed_only=self.request.resolve_image == "changed",
        )
        images = _pinned(self.engine, self.request, self._cast(written, actual, intent).desired, actual, self.wait.auth, check)
        intent = replace(intent, pinned=images.images)
        cast, plan = self._planned(written, actual, intent)
        stays = tuple(self._not_revoked(cast.desired, actual, plan)) if self.request.revoke else ()
        warnings = (*images.warnings, *(notes if plan.changed else ()), *stays, *self._left_alone(cast))
        doubts = tuple(unknown(plan))
        if check:
            return outcome(plan, Ended([], switch=cast.switch), (*plan.warnings, *warnings, *doubts))
        settled, others = self.undisturbed(actual, observed)
        if doubts:
            intent = replace(intent, denied=adopt(self.engine, plan))
            settled = observed()
        if settled is not actual:
            cast, plan = self._planned(written, settled, intent)
        plan = sealed(plan)
        waiting = self.begun(plan, settled, cast.desired.order, _noted(cast), cast.colours, cast.switch)
        if waiting is None:
            # somebody else was faster
            return self.run(check)
        told = (*plan.warnings, *warnings, *others)
        return self.carried_out(plan, waiting, lambda: self._compared(cast, observed(), intent), told)

    def _planned(self, written: Desired, actual: Actual, intent: Intent) -> tuple[Cast, Plan]:
        cast = self._cast(written, actual, intent)
        plan = self.foreseen(self._compared(cast, actual, intent))
        past = revisions(actual.records)
        if cast.switch and plan.changed and switching(past) and not self._is_own(past[0], cast, plan, actual):
            raise RefusedError(f"{under_way(self.request.name, past)}, and these files are not its own. {NEXT}")
        return cast, plan

    def _is_own(self, revision: Revision, cast: Cast, plan: Plan, actual: Actual) -> bool:
        """Whether the release began with these files: then they only bring back what was lost, as by an abort that was cut off."""
        content = revision.content()
        stack = self.request.name
        made = with_colours(after(plan, actual, stack, cast.desired.order), stack, cast.colours, cast.switch).services
        then = content.state.services if content else {}
        return made.keys() == then.keys() and all(same(spec, then[name]) for name, spec in made.items())

    def _cast(self, written: Desired, actual: Actual, intent: Intent) -> Cast:
        """Under which names the services of the files are written: a coloured one that changes gets the colour that is next."""
        stack, past = self.request.name, revisions(actual.records)
        releasing = switching(past)
        keys = self.request.blue_green
        if not keys:
            if releasing:
                raise RefusedError(f"{under_way(stack, past)}. {NEXT}")
            keys = tuple(sorted(coloured(actual.services, stack, (name.removeprefix(f"{stack}_") for name in written.services))))
            aside = placed(keys, colours(past), actual.services, stack) if keys else {}
            return Cast(without(written, aside), aside, _full(stack, aside))
        if releasing:
            switch = releasing[1]
            return Cast(renamed(written, switch.new), switch.new, _full(stack, switch.old), switch)
        now = placed(keys, colours(past), actual.services, stack)
        stay = {**first(keys), **now}
        same = Cast(renamed(written, stay), stay)
        if not now or not self._changes(same, actual, intent, _full(stack, now)):
            return same
        if not self.request.wait:
            raise RefusedError(
                f"Stack '{stack}' is released blue-green, which needs wait: true, as no request moves to what nobody has judged."
            )
        then = {**stay, **following(now)}
        return Cast(renamed(written, then), then, _full(stack, now), Switch(now, {key: then[key] for key in now}))

    def _left_alone(self, cast: Cast) -> Iterator[str]:
        if cast.colours and not self.request.blue_green:
            yield (
                f"Service(s) {', '.join(sorted(cast.colours))} of stack '{self.request.name}' are released blue-green "
                f"({', '.join(sorted(cast.colours.values()))} run), so this deploy left them as they are; name them in blue_green, or "
                "remove the stack to deploy it without colours."
            )

    def _changes(self, cast: Cast, actual: Actual, intent: Intent, names: frozenset[str]) -> bool:
        """Whether any of these services would be written to."""
        plan = self._compared(cast, actual, intent)
        return any(step.sort is Sort.SERVICE and step.name in names for step in plan.steps)

    def _not_revoked(self, desired: Desired, actual: Actual, plan: Plan) -> Iterator[str]:
        """Old versions that stay although they were to be revoked, as others need them."""
        going = {(step.sort, step.name) for step in plan.steps if step.kind is Kind.REMOVE}
        remembered = needed_by_all(self.engine, but=self.request.name)
        for sort, version in old_versions(desired, actual, plan):
            if (sort, version.name) not in going:
                services = [item["Spec"]["Name"] for item in actual.others if (sort, version.name) in references(item["Spec"])]
                users = [f"service {name}" for name in services] + [f"revision {name}" for name in remembered.get((sort, version.name), ())]
                yield (
                    f"The {sort.value} {version.name} is not revoked, as others need it: {', '.join(users) or 'services of this stack'}; "
                    "let them take the new version, then run this again or revoke it with the module that made it."
                )

    def _compared(self, cast: Cast, actual: Actual, intent: Intent) -> Plan:
        intent = replace(intent, spared=cast.spared)
        verify_all(to_verify(cast.desired, actual, intent))
        plan = compare(cast.desired, actual, intent)
        if not leftovers(plan):
            # then no record needs to be read
            return plan
        return self.keeping(lambda kept: compare(cast.desired, actual, replace(intent, kept=kept)), revisions(actual.records))


def _full(stack: str, names: Placed) -> frozenset[str]:
    return frozenset(f"{stack}_{name}" for name in names.values())


def _noted(cast: Cast) -> str:
    return f"release of {', '.join(cast.switch.new.values())}" if cast.switch else ""


def _check_age(engine: Engine, desired: Desired) -> None:
    have = engine.api_version
    lacking = [need for need in desired.needs if have < api_version(need.api)]
    if lacking:
        places = "; ".join(f"{need.place} needs {released(need.api)}" for need in lacking)
        raise RefusedError(
            f"This engine speaks API {have[0]}.{have[1]}, which would silently drop what the file asks for: {places}. "
            "Upgrade the engines, or take the fields out."
        )


def _renewed(request: Request, desired: Desired) -> dict[str, str]:
    """Image -> since when the given credentials hold, for images of the registry that they are for."""
    given = request.registry_auth or {}
    images = [spec["Labels"][IMAGE] for spec in desired.services.values()]
    return {image: given["since"] for image in images if given.get("since") and registry_of(image) == given["serveraddress"]}


def _pinned(engine: Engine, request: Request, desired: Desired, actual: Actual, auth: Auth, check: bool) -> Pinned:
    """Look up the images, by the policy: all, those that changed, or none; in check mode not in a registry that is closed to us yet."""
    if request.resolve_image == "never":
        return Pinned()
    closed = request.not_yet if check else ""
    deployed = {name: (service["Spec"].get("Labels") or {}).get(IMAGE) for name, service in actual.services.items()}
    images = {
        spec["Labels"][IMAGE]: spec["TaskTemplate"]["ContainerSpec"]["Image"]
        for name, spec in desired.services.items()
        if request.resolve_image == "always" or spec["Labels"][IMAGE] != deployed.get(name)
    }
    open_to_us = {raw: image for raw, image in images.items() if registry_of(image) != closed}
    return pin(engine, open_to_us, frozenset(filter(None, deployed.values())), auth)
