"""The shared volume on the storage host: GlusterFS, or NFS where the kernel can.

It must not mount anything on the machine itself; the bricks are a folder of the lab's state.
"""

from __future__ import annotations

from vlab.base_image import flavour
from vlab.nspawn import inside
from vlab.places import FILES, HostPlaces, Places
from vlab.topology import Topology


def binds(places: Places) -> list[str]:
    """Folders of the machine that the storage host needs: bricks want a file system that is no overlay."""
    return [f"{places.bricks}:/srv/bricks"]


def serve(topology: Topology, places: Places) -> None:
    """Make the volume and start serving it; harmless when done before."""
    script = (FILES / f"serve-{flavour()}.sh").read_text()
    inside(_place(topology, places), "bash", "-eu", "-s", topology.storage.fqdn, topology.volume, stdin=script)


def fill(topology: Topology, places: Places, kept: str = "") -> None:
    """Make the volume hold what was kept, or nothing; through a client, so that the server's own books stay right."""
    folder = places.bricks / topology.volume
    if not kept and not any(entry.name != ".glusterfs" for entry in folder.iterdir()):
        return
    script = (FILES / f"fill-{flavour()}.sh").read_text()
    inside(_place(topology, places), "bash", "-eu", "-s", topology.storage.fqdn, topology.volume, kept, stdin=script)


def keep(topology: Topology, places: Places, name: str) -> None:
    """Copy the volume's files aside; nobody may write to them meanwhile."""
    script = (FILES / "keep-volume.sh").read_text()
    inside(_place(topology, places), "bash", "-eu", "-s", topology.volume, name, stdin=script)


def _place(topology: Topology, places: Places) -> HostPlaces:
    return places.host(topology.storage.name)
