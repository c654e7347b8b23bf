"""Write docs/compose.md, what each Compose key becomes, from the tables that do it: `compose_page.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from pythons import CACHE, ROOT

sys.path.insert(0, str(CACHE / "collections"))

from ansible_collections.homecloud.swarm.plugins.module_utils import _desired
from ansible_collections.homecloud.swarm.plugins.module_utils._bodies import _references, _service
from ansible_collections.homecloud.swarm.plugins.module_utils._bodies._field import ENGINES, Field
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._schema import FILE, REFUSED_AT_TOP, REFUSED_IN_SERVICE
from ansible_collections.homecloud.swarm.plugins.module_utils._compose._shapes import Composite, Shape

PAGE = ROOT / "docs" / "compose.md"
HEAD = """# What each Compose key becomes

Written by `tests/compose_page.py` from the tables that read files and make the bodies for the engine; a check fails when it is
out of date.

"Becomes" is the field of the engine's API: of the service's body for what stands in a service, of the object's own body else;
`Container` is short for `TaskTemplate.ContainerSpec`, `*` stands for any name, `[]` for each item. A field that an engine is too old
for is an error before anything is changed.
Where the result differs from `docker stack deploy`, [differences.md](differences.md) says how and why.
"""
FOOT = """
## Keys that are errors

Ignoring these would change what the service is or does, so they stop the deploy, as does any key that nobody knows. Keys that begin
with `x-` are yours.

"""
#: Which table makes what stands below a key, and where it puts it.
TABLES: Mapping[str, tuple[Mapping[str, Field], str]] = {
    "services.*.healthcheck": (_service.HEALTHCHECK, "Container.Healthcheck"),
    "services.*.logging": (_service.LOGGING, "TaskTemplate.LogDriver"),
    "services.*.credential_spec": (_service.CREDENTIAL_SPEC, "Container.Privileges.CredentialSpec"),
    "services.*.ports": (_service.PORT, "EndpointSpec.Ports[]"),
    "services.*.volumes": (_references.MOUNT, "Container.Mounts[]"),
    "services.*.volumes.volume": (_references.VOLUME_OPTIONS, "Container.Mounts[].VolumeOptions"),
    "services.*.volumes.bind": (_references.MOUNT_OPTIONS["bind"][1], "Container.Mounts[].BindOptions"),
    "services.*.volumes.tmpfs": (_references.MOUNT_OPTIONS["tmpfs"][1], "Container.Mounts[].TmpfsOptions"),
    "services.*.deploy": (_service.DEPLOY, ""),
    "services.*.deploy.update_config": (_service.ROLLOUT, "UpdateConfig"),
    "services.*.deploy.rollback_config": (_service.ROLLOUT, "RollbackConfig"),
    "services.*.deploy.resources": (_service.RESOURCES, "TaskTemplate.Resources"),
    "services.*.deploy.resources.limits": (_service.LIMITS, "TaskTemplate.Resources.Limits"),
    "services.*.deploy.resources.reservations": (_service.RESERVATIONS, "TaskTemplate.Resources.Reservations"),
    "services.*.deploy.resources.reservations.generic_resources": (
        _service.GENERIC,
        "TaskTemplate.Resources.Reservations.GenericResources[]",
    ),
    "services.*.deploy.resources.reservations.generic_resources.discrete_resource_spec": (
        _service.DISCRETE,
        "TaskTemplate.Resources.Reservations.GenericResources[].DiscreteResourceSpec",
    ),
    "services.*.deploy.restart_policy": (_service.RESTART_POLICY, "TaskTemplate.RestartPolicy"),
    "services.*.deploy.placement": (_service.PLACEMENT, "TaskTemplate.Placement"),
    "services.*": (_service.CONTAINER, "Container"),
    "networks.*": (_desired.NETWORK, ""),
    "networks.*.ipam": (_desired.IPAM, "IPAM"),
    "networks.*.ipam.config": (_desired.POOL, "IPAM.Config[]"),
    "volumes.*": (_references.DRIVER, "Container.Mounts[].VolumeOptions.DriverConfig"),
}
#: What no table of fields says: where it goes, and what there is to know.
OTHERS: Mapping[str, tuple[str, str]] = {
    "version": ("", "Not needed. Any of 3 to 3.13 may stand there and limits nothing."),
    "name": ("", "The task's `name` counts."),
    "services.*.labels": ("Container.Labels", "With the stack's namespace."),
    "services.*.dns": ("Container.DNSConfig.Nameservers", "A text or a list."),
    "services.*.dns_search": ("Container.DNSConfig.Search", "A text or a list."),
    "services.*.env_file": ("Container.Env", "Read on the controller; `environment` wins."),
    "services.*.env_file.path": ("Container.Env", ""),
    "services.*.env_file.required": ("", "`false`: the file need not be there."),
    "services.*.env_file.format": ("", "`raw`, which files are in any case."),
    "services.*.restart": ("TaskTemplate.RestartPolicy", "Where `deploy.restart_policy` is absent."),
    "services.*.healthcheck.disable": ("Container.Healthcheck.Test", '`["NONE"]`.'),
    "services.*.logging": ("TaskTemplate.LogDriver", ""),
    "services.*.credential_spec": ("Container.Privileges.CredentialSpec", "One of the three."),
    "services.*.ports": ("EndpointSpec.Ports", "Short or long; a range is several ports; an address is ignored with a warning."),
    "services.*.networks": ("TaskTemplate.Networks", "A list or a mapping; `default` where there is none."),
    "services.*.networks.*.aliases": ("TaskTemplate.Networks[].Aliases", "The service's name is added."),
    "services.*.networks.*.driver_opts": ("TaskTemplate.Networks[].DriverOpts", ""),
    "services.*.volumes": ("Container.Mounts", "Short or long. Relative sources are seen from `project_dir`."),
    "services.*.volumes.type": ("", "`volume`, `bind`, `tmpfs`, `npipe`; `cluster` needs Engine 23.0."),
    "services.*.volumes.consistency": ("", "The engine drops it."),
    "services.*.volumes.bind": ("Container.Mounts[].BindOptions", ""),
    "services.*.volumes.volume": ("Container.Mounts[].VolumeOptions", ""),
    "services.*.volumes.tmpfs": ("Container.Mounts[].TmpfsOptions", ""),
    **{
        f"services.*.{section}{key}": (f"Container.{kind}s{place}", note)
        for section, kind in (("secrets", "Secret"), ("configs", "Config"))
        for key, place, note in (
            ("", "", "Short or long."),
            (".source", f"[].{kind}Name", "The key below the top-level entry; the engine is given name and id."),
            (".target", "[].File.Name", "The source's key if absent."),
            (".uid", "[].File.UID", '`"0"` if absent.'),
            (".gid", "[].File.GID", '`"0"` if absent.'),
            (".mode", "[].File.Mode", "0444 if absent; text is octal."),
        )
    },
    "services.*.depends_on": ("", "The order in which services are created and updated."),
    **{f"services.*.depends_on.*.{key}": ("", "Read, and not needed for the order.") for key in ("condition", "restart", "required")},
    "services.*.ulimits.*.soft": ("Container.Ulimits[].Soft", ""),
    "services.*.ulimits.*.hard": ("Container.Ulimits[].Hard", ""),
    "services.*.tmpfs": ("Container.Mounts", ""),
    "services.*.security_opt": ("Container.Privileges", f"{', '.join(f'`{option}`' for option in _service.SECURITY)}; needs Engine 25.0."),
    "services.*.deploy": ("", ""),
    "services.*.deploy.mode": ("Mode", "`replicated`, `global`, `replicated-job`, `global-job`."),
    "services.*.deploy.replicas": ("Mode", "Of jobs: how many run at once, and how many in all."),
    "services.*.deploy.labels": ("Labels", "With the stack's namespace and the image as the file names it."),
    "services.*.deploy.endpoint_mode": ("EndpointSpec.Mode", ""),
    "services.*.deploy.resources": ("TaskTemplate.Resources", ""),
    "services.*.deploy.restart_policy": ("TaskTemplate.RestartPolicy", ""),
    "services.*.deploy.placement.preferences.spread": ("TaskTemplate.Placement.Preferences[].Spread.SpreadDescriptor", ""),
    "services.*.deploy.placement": ("TaskTemplate.Placement", ""),
    "networks.*.driver": ("Driver", "`overlay` if absent."),
    **{
        f"{section}.*.{key}": (place, note)
        for section in ("networks", "volumes", "secrets", "configs")
        for key, place, note in (
            ("name", "Container.Mounts[].Source" if section == "volumes" else "Name", "`<stack>_<key>` if absent."),
            ("labels", "Container.Mounts[].VolumeOptions.Labels" if section == "volumes" else "Labels", "With the stack's namespace."),
            ("external", "", "It must exist, under `name` or its key; nothing else of the entry counts."),
            ("external.name", "", "The old way to write `name`."),
        )
    },
    **{
        f"{section}.*.{key}": (place, note)
        for section in ("secrets", "configs")
        for key, place, note in (
            ("file", "Data", "Read on the controller."),
            ("content", "Data", "The text itself."),
            ("environment", "Data", "The variable of this name, from `env` or `env_files`."),
            ("template_driver", "Templating.Name", ""),
        )
    },
    "secrets.*.driver": ("Driver.Name", "The driver has the value."),
    "secrets.*.driver_opts": ("Driver.Options", ""),
}
SECTIONS: Mapping[str, str] = {
    "services.*": "A service",
    "networks.*": "A network",
    "volumes.*": "A volume",
    "secrets.*": "A secret",
    "configs.*": "A config",
    "": "The file itself",
}


def walk(shape: Shape, place: tuple[str, ...] = ()) -> Iterator[tuple[str, Shape]]:
    """Every key that a shape knows, with its own shape."""
    if isinstance(shape, Composite):
        for key, inner in shape.keys.items():
            if key != "*":
                yield ".".join((*place, key)), inner
            yield from walk(inner, (*place, key))
        for part in shape.parts:
            yield from walk(part, place)


def keys() -> dict[str, Shape]:
    """Every key of a file."""
    return dict(walk(FILE))


def is_ignored(shape: Shape) -> bool:
    return isinstance(shape, Composite) and bool(shape.ignored)


def row(place: str, shape: Shape) -> tuple[str, str, str]:
    """Where a key goes, since which engine, and a note."""
    if isinstance(shape, Composite) and shape.ignored:
        return "nothing, with a warning", "", shape.ignored[0].upper() + shape.ignored[1:]
    beyond = "With `beyond_cli: true`. " if isinstance(shape, Composite) and shape.beyond_cli else ""
    above, _dot, key = place.rpartition(".")
    table, api = TABLES.get(above, ({}, ""))
    field = table.get(key)
    if field is None:
        becomes, note = OTHERS[place]
        return becomes, "", (beyond + note).strip()
    _becomes, note = OTHERS.get(place, ("", ""))
    return ".".join(filter(None, (api, field.api))), ENGINES.get(field.since, "") if field.since > "1.41" else "", (beyond + note).strip()


def section_of(place: str) -> str:
    return next(prefix for prefix in SECTIONS if not prefix or place.startswith(f"{prefix}."))


def page() -> str:
    rows = keys()
    text = HEAD
    for prefix, title in SECTIONS.items():
        text += f"\n## {title}\n\n| key | becomes | since Engine | |\n|---|---|---|---|\n"
        for place in sorted(place for place in rows if section_of(place) == prefix and f"{place}.*" not in SECTIONS):
            becomes, since, note = row(place, rows[place])
            shown = becomes if becomes.startswith("nothing") or not becomes else f"`{becomes}`"
            text += f"| `{place.removeprefix(prefix).lstrip('.')}` | {shown} | {since} | {note} |\n"
    text += FOOT + "| key | |\n|---|---|\n"
    for key, reason in sorted({**REFUSED_AT_TOP, **{f"services.*.{key}": reason for key, reason in REFUSED_IN_SERVICE.items()}}.items()):
        text += f"| `{key}` | {reason[0].upper() + reason[1:]} |\n"
    return text


def main() -> int:
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
