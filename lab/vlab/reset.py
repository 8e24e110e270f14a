"""Brings a lab that somebody used back to its first state or a kept one, in place and quickly.

It must not trust any service in the hosts to be alive; what does not obey is rebooted.
"""

from __future__ import annotations

from vlab import base_image, first_state, freshness, guest_image, kept, lifecycle, network, nspawn, storage
from vlab.errors import LabError
from vlab.places import FILES, Places
from vlab.progress import say, step, together
from vlab.topology import Host, Topology

PATIENCE = 8


def reset(topology: Topology, places: Places, to: str = "") -> None:
    """Stop what runs, restore the files, start what belongs to the first state, or to the one kept under a name."""
    if to:
        kept.find(topology, places, to)
    images = base_image.path(topology.suite), guest_image.path()
    network.start(topology, places)
    together(lambda host: _revive(topology, places, host), topology.hosts)
    with step("stopping guests, pools and leftovers"):
        together(lambda host: _script(places, host, "reset-stop.sh"), topology.compute)
    _script(places, topology.storage, "reset-stop.sh")
    storage.serve(topology, places)
    storage.fill(topology, places, to)
    with step("restoring files and services"):
        together(lambda host: _restore(places, host, to), topology.hosts)
    for host in topology.hosts:
        lifecycle.boot(topology, places, host, *images)
    lifecycle.publish(topology, places)
    if to:
        with step("resuming guests"):
            together(lambda host: kept.resume(places, host, to), topology.compute)


def hard(topology: Topology, places: Places) -> None:
    """Throw every overlay away and boot anew."""
    with step("stopping all hosts"):
        together(lambda host: nspawn.cut_power(places.host(host.name)), topology.hosts)
    freshness.forget(topology, places)
    lifecycle.up(topology, places)


def _revive(topology: Topology, places: Places, host: Host) -> None:
    """A host that is off or silent gets a reboot."""
    place = places.host(host.name)
    if nspawn.leader(place) is not None:
        answer = nspawn.inside(place, "systemctl", "is-system-running", check=False, timeout=PATIENCE)
        if answer.code != 124 and answer.out.strip():
            return
        say(f"  {host.name} does not answer: rebooting it")
        nspawn.cut_power(place)
    with step(f"booting {host.name}"):
        lifecycle.boot(topology, places, host, base_image.path(topology.suite), guest_image.path())


def _restore(places: Places, host: Host, to: str) -> None:
    place = places.host(host.name)
    first_state.restore(place, place.kept(to) if to and host.role == "compute" else place.first)
    _script(places, host, "reset-start.sh", host.role)


def _script(places: Places, host: Host, name: str, *arguments: str) -> None:
    text = (FILES / name).read_text()
    done = nspawn.inside(places.host(host.name), "bash", "-s", *arguments, stdin=text, check=False, timeout=90)
    if not done.ok:
        raise LabError(f"{name} failed in {host.name}: {done.err.strip()[-1500:]}", "lab/lab reset --hard")
