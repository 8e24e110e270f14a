"""Builds, starts and takes down a whole lab.

It must leave nothing half-made under a final name, and `down` proves what it claims.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vlab import (
    base_image,
    first_state,
    freshness,
    guest_image,
    identity,
    kept,
    machine,
    network,
    nspawn,
    overlay,
    seed,
    storage,
)
from vlab.errors import LabError
from vlab.places import CACHE, STATE, Places
from vlab.progress import say, step, together
from vlab.topology import Host, Topology


def build(suite: str) -> tuple[Path, Path]:
    """Both images, the hosts' of that suite, made at the same time when missing."""
    machine.install()
    CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        base, guest = pool.submit(base_image.build, suite), pool.submit(guest_image.build)
    return base.result(), guest.result()


def up(topology: Topology, places: Places) -> None:
    """Everything running and in its first state, or as it was left by `down`."""
    base, guest = build(topology.suite)
    places.make()
    machine.allow_postcopy()
    machine.allow_watches()
    freshness.renew(topology, places, base, guest)
    identity.prepare(topology, places)
    places.initrd.write_bytes(guest_image.initrd_for(guest, identity.public_key(places)))
    network.start(topology, places)
    with step(f"booting {len(topology.hosts)} hosts"):
        together(lambda host: boot(topology, places, host, base, guest), topology.hosts)
    with step("storage, networks, pools, base VM"):
        together(lambda host: _settle(topology, places, host, guest), topology.hosts)
    publish(topology, places)


def boot(topology: Topology, places: Places, host: Host, base: Path, guest: Path) -> None:
    """One host, from whatever it is to up."""
    place = places.host(host.name)
    if nspawn.leader(place) is None:
        nspawn.cut_power(place)
        overlay.mount(base, place)
        if not place.first.is_dir():
            seed.seed(topology, places, host, guest)
        binds = storage.binds(places) if host.role == "storage" else []
        nspawn.start(place, places.bridge, seed.machine_id(topology, host), binds)
    nspawn.wait_until_up(place)


def publish(topology: Topology, places: Places) -> None:
    """Tell the present leaders to whoever reads topology.json."""
    leaders = {host.name: nspawn.leader(places.host(host.name)) for host in topology.hosts}
    identity.publish(topology, places, leaders)


def down(topology: Topology, places: Places, purge: bool, images: bool) -> None:
    """Stop and remove; the hosts' state stays unless purged, the images stay unless asked for."""
    names = sorted({host.name for host in topology.hosts} | freshness.known_hosts(places))
    kept.forget(topology, places)
    with step(f"stopping {len(names)} hosts"):
        together(lambda name: nspawn.stop(places.host(name)), names)
    overlay.unmount_below(places.state)
    network.stop(places)
    shutil.rmtree(places.run, ignore_errors=True)
    machine.leave_no_setting()
    if purge:
        with step("removing the state"):
            shutil.rmtree(places.state, ignore_errors=True)
    if images:
        _remove_images()
    left = leftovers(places, names)
    if left:
        raise LabError("left behind: " + "; ".join(left), "lab/lab down again, or end them by hand")
    say(f"lab {places.name} is down: no process, mount, bridge, link or control group of it is left")


def leftovers(places: Places, names: list[str]) -> list[str]:
    """Whatever of this lab still exists on the machine."""
    found = [f"mount {point}" for point in overlay.mounts() if point.startswith(f"{places.state}/")]
    marks = [f"--machine={places.host(name).machine}".encode() for name in names]
    marks.append(f"--pid-file={places.run / 'dnsmasq.pid'}".encode())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [f"process {folder.name}" for mark in marks if mark in words]
    links = [places.bridge, *(places.host(name).veth for name in names)]
    found += [f"link {link}" for link in links if Path(f"/sys/class/net/{link}").exists()]
    groups = Path("/sys/fs/cgroup").glob(f"**/reconciler-lab/{places.name}")
    return found + [f"control group {group}" for group in groups]


def _settle(topology: Topology, places: Places, host: Host, guest: Path) -> None:
    if host.role == "storage":
        storage.serve(topology, places)
    first_state.settle(topology, places, host, guest)


def _remove_images() -> None:
    if any(STATE.glob("*/hosts")):
        raise LabError("another lab's hosts are overlays on the images", "lab/lab --name NAME down --purge first")
    with step("removing the images"):
        shutil.rmtree(CACHE, ignore_errors=True)
