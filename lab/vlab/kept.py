"""Keeps a lab as it stands, running guests and their memory included, so that `reset --to` can bring it back.

It must not change what is kept: the guests are saved, copied and started again. What is kept ends with `down`.
"""

from __future__ import annotations

import shutil

from vlab import first_state, storage
from vlab.errors import LabError
from vlab.nspawn import inside
from vlab.places import FILES, Places
from vlab.progress import step, together
from vlab.topology import Host, Topology


def keep(topology: Topology, places: Places, name: str) -> None:
    """Save every host's guests with libvirt's managed save, copy files and volume aside, and let the guests go on."""
    with step(f"keeping {name}"):
        together(lambda host: _keep(places, host, name), topology.compute)
        storage.keep(topology, places, name)
        together(lambda host: resume(places, host, name), topology.compute)


def find(topology: Topology, places: Places, name: str) -> None:
    """Refuse a name under which nothing is kept."""
    if not all(places.host(host.name).kept(name).is_dir() for host in topology.compute):
        raise LabError(f"nothing is kept as {name!r}", f"lab/lab keep {name}")


def resume(places: Places, host: Host, name: str) -> None:
    """Start the guests that ran when the state was kept: they go on where they were saved, with the clock of then."""
    place = places.host(host.name)
    guests = place.kept(name).with_suffix(".guests").read_text().split()
    inside(place, "bash", "-eu", "-s", *guests, stdin=(FILES / "guests-resume.sh").read_text())


def forget(topology: Topology, places: Places) -> None:
    """Drop everything that is kept."""
    for host in topology.hosts:
        shutil.rmtree(places.host(host.name).kept_states, ignore_errors=True)
    shutil.rmtree(places.kept_volumes, ignore_errors=True)


def _keep(places: Places, host: Host, name: str) -> None:
    place = places.host(host.name)
    guests = inside(place, "bash", "-eu", "-s", stdin=(FILES / "guests-save.sh").read_text()).out
    first_state.keep(place, place.kept(name))
    place.kept(name).with_suffix(".guests").write_text(guests)
