"""Brings a freshly booted host to its first state and keeps a copy of the files that make it up.

It must not be run on a host that somebody used; `reset` restores from the copy.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from vlab import mirror
from vlab.nspawn import inside
from vlab.places import FILES, HostPlaces, Places
from vlab.topology import Host, Topology

IMAGES = "/var/lib/libvirt/images"
KEPT = ("etc", "root", "home", "opt", "usr/local", "var/lib/libvirt", "var/spool/cron")


def settle(topology: Topology, places: Places, host: Host, guest: Path) -> None:
    """Networks, pools and the base VM by libvirt's own means, then the copy."""
    place = places.host(host.name)
    if place.first.is_dir():
        return
    if host.role == "compute":
        script = (FILES / "first-state.sh").read_text()
        inside(place, "bash", "-eu", "-s", topology.network, stdin=script)
        if topology.base.host == host.name:
            _base_vm(topology, place, guest)
        inside(place, "systemctl", "stop", "libvirtd.service")
    keep(place, place.first)


def keep(place: HostPlaces, folder: Path) -> None:
    """Copy the host's files aside into a folder; whole or not at all."""
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    for name in KEPT:
        if (place.root / name).is_dir():
            mirror.copy(place.root / name, making / name)
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def restore(place: HostPlaces, folder: Path) -> int:
    """Make the host's files be as in that folder again; answers how many entries differed."""
    return sum(mirror.copy(folder / name, place.root / name) for name in KEPT if (folder / name).is_dir())


def _base_vm(topology: Topology, place: HostPlaces, guest: Path) -> None:
    base = topology.base
    raw, image = f"{IMAGES}/{base.name}.raw", f"{IMAGES}/{base.name}.qcow2"
    shutil.copy(guest / "disk.raw", f"{place.root}{raw}")
    inside(place, "qemu-img", "convert", "-O", "qcow2", raw, image)
    inside(place, "rm", raw)
    text = (FILES / "base-vm.xml").read_text()
    values = {"name": base.name, "memory": str(base.memory), "mac": base.mac, "network": topology.network}
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    inside(place, "virsh", "-q", "define", "/dev/stdin", stdin=text)
    inside(place, "virsh", "-q", "pool-refresh", "default")
