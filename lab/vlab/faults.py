"""Breaks what tests want broken: power of a host, the link between two hosts; and mends it.

It must not leave a trace that `reset` would not remove.
"""

from __future__ import annotations

from vlab import base_image, guest_image, lifecycle, nspawn
from vlab.places import Places
from vlab.progress import step, together
from vlab.topology import Host, Topology

TABLE = "inet reconciler_lab"


def power_cut(topology: Topology, places: Places, name: str) -> int:
    """Pull the plug."""
    nspawn.cut_power(places.host(topology.host(name).name))
    lifecycle.publish(topology, places)
    return 0


def boot(topology: Topology, places: Places, name: str) -> int:
    """Switch it on again."""
    host = topology.host(name)
    with step(f"booting {host.name}"):
        lifecycle.boot(topology, places, host, base_image.path(topology.suite), guest_image.path())
    lifecycle.publish(topology, places)
    return 0


def cut(topology: Topology, places: Places, name: str, other: str) -> int:
    """Neither hears the other any more, both still hear the machine."""
    one, two = topology.host(name), topology.host(other)
    for here, there in ((one, two), (two, one)):
        nspawn.inside(places.host(here.name), "nft", "-f", "-", stdin=rules_against(there))
    return 0


def rules_against(other: Host) -> str:
    """What a host loads so that it neither hears another nor is heard by it."""
    return (
        f"add table {TABLE}\n"
        f"add chain {TABLE} in {{ type filter hook input priority -300; }}\n"
        f"add chain {TABLE} out {{ type filter hook output priority -300; }}\n"
        f"add rule {TABLE} in ip saddr {other.address} drop\n"
        f"add rule {TABLE} out ip daddr {other.address} drop\n"
    )


def heal(topology: Topology, places: Places) -> int:
    """All cuts end."""
    running = [host for host in topology.hosts if nspawn.leader(places.host(host.name)) is not None]
    drop = ("nft", "delete", "table", *TABLE.split())
    together(lambda host: nspawn.inside(places.host(host.name), *drop, check=False), running)
    return 0
