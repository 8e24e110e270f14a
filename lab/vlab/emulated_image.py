"""Builds what hosts with their own kernel boot: one tree for all, a kernel, an initramfs, and a disk for each host.

It must not start anything; the overlay it mounts while a disk is written is gone when it returns.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from vlab import base_image, overlay, seed
from vlab.errors import LabError
from vlab.places import CACHE, FILES, HostPlaces, Places
from vlab.process import run
from vlab.progress import step
from vlab.topology import Host, Topology

PACKAGES = ("linux-image-cloud-amd64", "initramfs-tools", "udev", "kmod", "nfs-common", "nfs-kernel-server")
SCRIPTS = ("image-setup.sh", "emulated-setup.sh")
SIZE = "6G"
NIC = """[Match]
MACAddress={mac}
[Link]
Name=host0
"""


def packages() -> tuple[str, ...]:
    """What is installed: the containers' list, and what a machine of its own needs beside it."""
    return tuple(dict.fromkeys((*base_image.PACKAGES, *PACKAGES)))


def path() -> Path:
    """Where the tree of the present recipe lives, built or not."""
    recipe = "\n".join([base_image.SUITE, *packages(), *((FILES / name).read_text() for name in SCRIPTS)])
    return CACHE / f"emulated-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def build() -> Path:
    """Make the tree unless it is there."""
    return base_image.make(path(), packages(), SCRIPTS)


def kernel(tree: Path) -> Path:
    return _only(tree, "vmlinuz-*")


def initrd(tree: Path) -> Path:
    return _only(tree, "initrd.img-*")


def first_disk(place: HostPlaces) -> Path:
    """The disk as it was before the first boot."""
    return place.state / "first.img"


def disk(place: HostPlaces) -> Path:
    """What the host writes: a layer on its first disk."""
    return place.state / "disk.qcow2"


def mac(topology: Topology, host: Host) -> str:
    """Of the host's NIC; its bridge has another one."""
    digest = seed.machine_id(topology, host)
    return f"02:78:{digest[0:2]}:{digest[2:4]}:{digest[4:6]}:{host.number:02x}"


def write_disk(topology: Topology, places: Places, host: Host, tree: Path, guest: Path) -> None:
    """The tree with the host's own files on it, as a file system; whole or not at all."""
    place = places.host(host.name)
    final, making = first_disk(place), place.state / "first.making"
    if final.exists():
        return
    overlay.drop(place)
    with step(f"disk of {host.name}"):
        overlay.mount(tree, place)
        try:
            _seed(topology, places, host, guest)
            making.unlink(missing_ok=True)
            run("mkfs.ext4", "-q", "-F", "-L", host.name, "-d", place.root, making, SIZE)
        finally:
            overlay.drop(place)
        making.rename(final)


def fresh_layer(place: HostPlaces) -> None:
    """Forget everything the host wrote."""
    disk(place).unlink(missing_ok=True)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", first_disk(place), disk(place))


def forget(place: HostPlaces) -> None:
    """Both disks; the host's SSH key stays."""
    overlay.drop(place)
    for file in (first_disk(place), disk(place)):
        file.unlink(missing_ok=True)


def stamp(topology: Topology, host: Host, tree: Path, guest: Path) -> str:
    """Changes when the host's disk would."""
    texts = [Path(seed.__file__).read_text(), Path(__file__).read_text(), (FILES / "first-state.sh").read_text()]
    own = [repr(topology.subnet), topology.network, topology.zone, topology.volume, repr(topology.base), repr(host)]
    parts = [tree.name, guest.name, *own, topology.storage.fqdn, topology.storage.address, *texts]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _seed(topology: Topology, places: Places, host: Host, guest: Path) -> None:
    root = places.host(host.name).root
    seed.seed(topology, places, host, guest)
    seed.write(root / "etc/systemd/network/05-host0.link", NIC.format(mac=mac(topology, host)))
    if host.role == "storage":
        volume = topology.volume
        for folder in (f"srv/bricks/{volume}", f"export/{volume}"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        with (root / "etc/fstab").open("a") as table:
            table.write(f"/srv/bricks/{volume} /export/{volume} none bind 0 0\n")
        run("systemctl", f"--root={root}", "disable", "-q", "glusterd.service")
    elif topology.base.host == host.name:
        target = root / f"var/lib/libvirt/images/{topology.base.name}.qcow2"
        run("qemu-img", "convert", "-O", "qcow2", guest / "disk.raw", target)
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def _only(tree: Path, pattern: str) -> Path:
    found = sorted((tree / "boot").glob(pattern))
    if not found:
        raise LabError(f"no {pattern} in {tree}/boot", "lab/lab --topology lab/topology-nfs.yaml down --images")
    return found[-1]
