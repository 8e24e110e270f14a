"""Tells whether a host's overlay was made from the present images, scripts and topology, and drops it when not.

It must not touch a host that runs.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from vlab import nspawn, overlay, seed
from vlab.base_image import flavour
from vlab.errors import LabError
from vlab.places import FILES, Places
from vlab.topology import Host, Topology


def renew(topology: Topology, places: Places, base: Path, guest: Path) -> None:
    """Drop every overlay whose origin changed; a host that is new to the topology costs the others nothing."""
    for host in topology.hosts:
        place = places.host(host.name)
        file, now = place.state / "stamp", _stamp(topology, host, base, guest)
        if file.exists() and file.read_text() == now:
            continue
        if nspawn.supervisor(place) is not None:
            raise LabError(f"{host.name} runs, and what it is made from changed", "lab/lab down, then lab/lab up")
        _drop(places, host)
        place.state.mkdir(parents=True, exist_ok=True)
        file.write_text(now)


def forget(topology: Topology, places: Places) -> None:
    """Drop all that hosts and volume hold; keys stay."""
    for host in topology.hosts:
        _drop(places, host)


def known_hosts(places: Places) -> set[str]:
    """Hosts that ever belonged to the lab, also those that left the topology."""
    folder = places.state / "hosts"
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()


def _drop(places: Places, host: Host) -> None:
    overlay.drop(places.host(host.name))
    if host.role == "storage":
        shutil.rmtree(places.bricks, ignore_errors=True)
        places.bricks.mkdir(parents=True)


def _stamp(topology: Topology, host: Host, base: Path, guest: Path) -> str:
    made_from = ("first-state.sh", "base-vm.xml", f"serve-{flavour()}.sh")
    texts = [Path(seed.__file__).read_text(), *((FILES / name).read_text() for name in made_from)]
    own = replace(topology, hosts=(topology.storage, host))
    return hashlib.sha256("\n".join([base.name, guest.name, repr(own), *texts]).encode()).hexdigest()[:16]
