"""Builds, starts and takes down a lab of hosts with their own kernel, in the same steps as the lab of containers.

It must not do what the other lab's modules do already; it hands them the machines instead.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vlab import emulated, emulated_image, guest_image, identity, machine, network, overlay
from vlab.errors import LabError
from vlab.places import CACHE, FILES, Places
from vlab.progress import say, step, together
from vlab.topology import Host, Topology

TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mkfs.ext4": "e2fsprogs"}


def build() -> tuple[Path, Path]:
    """Both images, made at the same time when missing."""
    machine.install(TOOLS)
    CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        tree, guest = pool.submit(emulated_image.build), pool.submit(guest_image.build)
    return tree.result(), guest.result()


def up(topology: Topology, places: Places) -> None:
    """Everything running and in its first state, or as it was left by `down`."""
    tree, guest = build()
    places.make()
    identity.prepare(topology, places)
    publish(topology, places)
    if not any(emulated.pid(places.host(host.name)) for host in topology.hosts):
        places.initrd.write_bytes(guest_image.initrd_for(guest, identity.public_key(places)))
    for host in topology.hosts:
        _disks(topology, places, host, tree, guest)
    network.start(topology, places)
    with step(f"booting {len(topology.hosts)} machines; minutes without KVM"):
        together(lambda host: _boot(topology, places, host, tree), topology.hosts)
    with step("storage, networks, pools, base VM"):
        together(lambda host: _settle(topology, places, host), topology.hosts)
    publish(topology, places)


def boot(topology: Topology, places: Places, name: str) -> int:
    """Switch one host on again, and its export if it has one."""
    host = topology.host(name)
    with step(f"booting {host.name}"):
        _boot(topology, places, host, emulated_image.path())
    _settle(topology, places, host)
    publish(topology, places)
    return 0


def power_cut(topology: Topology, places: Places, name: str) -> int:
    """Pull the plug."""
    emulated.cut_power(places.host(topology.host(name).name))
    publish(topology, places)
    return 0


def reset(topology: Topology, places: Places) -> None:
    """Throw away what the hosts wrote and boot anew."""
    together(lambda host: emulated.cut_power(places.host(host.name)), topology.hosts)
    for host in topology.hosts:
        emulated_image.disk(places.host(host.name)).unlink(missing_ok=True)
    up(topology, places)


def down(topology: Topology, places: Places, purge: bool, images: bool) -> None:
    """Stop and remove; the hosts' disks stay unless purged, the images stay unless asked for."""
    with step(f"stopping {len(topology.hosts)} machines"):
        end = emulated.cut_power if purge else emulated.stop
        for some in (topology.compute, (topology.storage,)):  # a client cannot let go of a server that is gone
            together(lambda host: end(places.host(host.name)), some)
    overlay.unmount_below(places.state)
    network.stop(places)
    shutil.rmtree(places.run, ignore_errors=True)
    machine.leave_no_setting()
    if purge:
        shutil.rmtree(places.state, ignore_errors=True)
    if images:
        shutil.rmtree(emulated_image.path(), ignore_errors=True)
    left = leftovers(topology, places)
    if left:
        raise LabError("left behind: " + "; ".join(left), "the same `down` again, or end them by hand")
    say(f"lab {places.name} is down: no process, mount, bridge or link of it is left")


def leftovers(topology: Topology, places: Places) -> list[str]:
    """Whatever of this lab still exists on the machine."""
    found = [f"mount {point}" for point in overlay.mounts() if point.startswith(f"{places.state}/")]
    marks = {emulated.name(places.host(host.name)).encode() for host in topology.hosts}
    marks.add(f"--pid-file={places.run / 'dnsmasq.pid'}".encode())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = set((folder / "cmdline").read_bytes().split(b"\0"))
        except OSError:
            continue
        found += [f"process {folder.name}"] if words & marks else []
    links = [places.bridge, *(places.host(host.name).veth for host in topology.hosts)]
    return found + [f"link {link}" for link in links if Path(f"/sys/class/net/{link}").exists()]


def publish(topology: Topology, places: Places) -> None:
    """Tell the present processes to whoever reads topology.json."""
    identity.publish(topology, places, {host.name: emulated.pid(places.host(host.name)) for host in topology.hosts})


def _disks(topology: Topology, places: Places, host: Host, tree: Path, guest: Path) -> None:
    """First disk and layer, made anew when what they come from changed."""
    place = places.host(host.name)
    file, now = place.state / "stamp", emulated_image.stamp(topology, host, tree, guest)
    if not file.exists() or file.read_text() != now:
        if emulated.pid(place) is not None:
            raise LabError(f"{host.name} runs, and what it is made from changed", "`down`, then `up`")
        emulated_image.forget(place)
        emulated_image.write_disk(topology, places, host, tree, guest)
        file.write_text(now)
    if not emulated_image.disk(place).exists():
        (place.state / "settled").unlink(missing_ok=True)
        emulated_image.fresh_layer(place)


def _boot(topology: Topology, places: Places, host: Host, tree: Path) -> None:
    place = places.host(host.name)
    if emulated.pid(place) is None:
        emulated.cut_power(place)
        emulated.start(topology, places, host, tree)
    with step(f"{host.name} boots"):
        emulated.wait_until_up(places, host)


def _settle(topology: Topology, places: Places, host: Host) -> None:
    """What needs services that run: the export at each start, networks, pools and the base VM once."""
    mark = places.host(host.name).state / "settled"
    if host.role == "storage":
        _script(places, host, "serve-nfs.sh", topology.storage.fqdn, topology.volume)
    elif not mark.exists():
        _script(places, host, "first-state.sh", topology.network)
        if topology.base.host == host.name:
            _base_vm(topology, places, host)
        emulated.inside(places, host, "sync")
    mark.touch()


def _base_vm(topology: Topology, places: Places, host: Host) -> None:
    base = topology.base
    values = {"name": base.name, "memory": str(base.memory), "mac": base.mac, "network": topology.network}
    text = (FILES / "base-vm.xml").read_text()
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    emulated.inside(places, host, "virsh", "-q", "define", "/dev/stdin", stdin=text)
    emulated.inside(places, host, "virsh", "-q", "pool-refresh", "default")


def _script(places: Places, host: Host, name: str, *arguments: str) -> None:
    text = (FILES / name).read_text()
    emulated.inside(places, host, "bash", "-eu", "-s", *arguments, stdin=text, timeout=600)
