"""The verbs of a lab whose hosts have their own kernel, under the same names and with the same arguments.

It must not change a verb's meaning; what such a lab cannot do is refused with a remedy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from vlab import emulated, faults, machine, report, ways_in
from vlab import emulated_lifecycle as lifecycle
from vlab.errors import LabError
from vlab.process import become
from vlab.progress import together
from vlab.report import Row
from vlab.topology import Host

if TYPE_CHECKING:
    from vlab.verbs import Lab


def _up(lab: Lab) -> int:
    lifecycle.up(lab.topology, lab.places)
    print(report.as_table(rows(lab)))
    return 0


def _build(lab: Lab) -> int:
    print("\n".join(str(image) for image in lifecycle.build()))
    return 0


def _down(lab: Lab) -> int:
    machine.need_root()
    purge = lab.options.purge or lab.options.images
    lifecycle.down(lab.topology, lab.places, purge=purge, images=lab.options.images)
    return 0


def _keep(lab: Lab) -> int:
    raise LabError("states of hosts with their own kernel are not kept", "lab/lab reset --hard brings the first one")


def _reset(lab: Lab) -> int:
    machine.need_root()
    if lab.options.to:
        return _keep(lab)
    if not lab.options.hard:
        raise LabError("hosts with their own kernel are not reset in place", "add --hard: fresh disks and a boot")
    lifecycle.reset(lab.topology, lab.places)
    return 0


def _status(lab: Lab) -> int:
    found = rows(lab)
    as_json = lab.options.output == "json"
    print(json.dumps([row.__dict__ for row in found], indent=2) if as_json else report.as_table(found))
    return 0 if all(row.systemd == "running" for row in found) else 1


def rows(lab: Lab) -> list[Row]:
    """Ask all hosts at once."""
    return together(lambda host: _row(lab, host), lab.topology.hosts)


def _row(lab: Lab, host: Host) -> Row:
    pid = emulated.pid(lab.places.host(host.name))
    if pid is None:
        return report.off(host)
    said = emulated.inside(lab.places, host, "sh", "-c", report.ASK, check=False, timeout=60).out
    return report.row(host, pid, said)


def _exec(lab: Lab) -> int:
    """There is no back door but ssh."""
    return ways_in.ssh(lab.topology, lab.places, lab.options)


def _guest_ssh(lab: Lab) -> int:
    def asked(host: Host, name: str) -> str:
        if emulated.pid(lab.places.host(host.name)) is None:
            return ""
        return emulated.inside(lab.places, host, "virsh", "dumpxml", "--domain", name, check=False).out

    return ways_in.guest_ssh(lab.topology, lab.places, lab.options, asked)


def _heartbeat(lab: Lab) -> int:
    file = f"/var/log/libvirt/qemu/{lab.options.guest}-heartbeat.log"
    for host in lab.topology.compute:
        said = emulated.inside(lab.places, host, "tail", "-n", str(lab.options.lines), file, check=False).out
        for line in said.splitlines():
            print(f"{host.name} {line}")
    return 0


def _logs(lab: Lab) -> int:
    host, lines = lab.topology.host(lab.options.host), str(lab.options.lines)
    place = lab.places.host(host.name)
    if emulated.pid(place) is None:
        become("tail", "-n", lines, str(place.console))
    unit = ["-u", lab.options.unit] if lab.options.unit else []
    print(emulated.inside(lab.places, host, "journalctl", "--no-pager", "-n", lines, *unit).out, end="")
    return 0


def _cut(lab: Lab) -> int:
    one, two = lab.topology.host(lab.options.host), lab.topology.host(lab.options.other)
    for here, there in ((one, two), (two, one)):
        emulated.inside(lab.places, here, "nft", "-f", "-", stdin=faults.rules_against(there))
    return 0


def _heal(lab: Lab) -> int:
    for host in lab.topology.hosts:
        if emulated.pid(lab.places.host(host.name)) is not None:
            emulated.inside(lab.places, host, "nft", "delete", "table", *faults.TABLE.split(), check=False)
    return 0


VERBS: dict[str, Callable[[Lab], int]] = {
    "up": _up,
    "build": _build,
    "down": _down,
    "reset": _reset,
    "keep": _keep,
    "status": _status,
    "exec": _exec,
    "guest-ssh": _guest_ssh,
    "heartbeat": _heartbeat,
    "logs": _logs,
    "power-cut": lambda lab: lifecycle.power_cut(lab.topology, lab.places, lab.options.host),
    "boot": lambda lab: lifecycle.boot(lab.topology, lab.places, lab.options.host),
    "cut": _cut,
    "heal": _heal,
}
