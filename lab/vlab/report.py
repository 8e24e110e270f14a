"""What the hosts of a lab look like right now, as rows and as a table.

It must not change them, and waits only briefly for a host that does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from vlab import nspawn
from vlab.places import Places
from vlab.progress import together
from vlab.topology import Host, Topology

ASK = """systemctl is-system-running; systemctl is-active libvirtd.socket; systemctl is-active firewalld
grep -l . /run/libvirt/qemu/*.xml 2>/dev/null | sed 's,.*/,,; s,\\.xml$,,' | tr '\\n' ' '; echo
ls /etc/libvirt/qemu 2>/dev/null | sed -n 's,\\.xml$,,p' | tr '\\n' ' '"""


@dataclass(frozen=True)
class Row:
    """One host."""

    host: str
    address: str
    leader: int | None
    systemd: str
    libvirtd: str
    firewalld: str
    guests: list[str]


def rows(topology: Topology, places: Places) -> list[Row]:
    """Ask all hosts at once."""
    return together(lambda host: _row(places, host), topology.hosts)


def _row(places: Places, host: Host) -> Row:
    place = places.host(host.name)
    leader = nspawn.leader(place)
    if leader is None:
        return off(host)
    return row(host, leader, nspawn.inside(place, "sh", "-c", ASK, check=False, timeout=10).out)


def off(host: Host) -> Row:
    """A host that does not run."""
    return Row(host.name, host.address, None, "off", "-", "-", [])


def row(host: Host, leader: int, said: str) -> Row:
    """A host from what it answered to ASK."""
    lines = said.splitlines() + [""] * 5
    systemd, libvirtd, firewalld, running, defined = (line.strip() for line in lines[:5])
    guests = [f"{name} (running)" for name in running.split()]
    guests += [f"{name} (off)" for name in defined.split() if name not in running.split()]
    return Row(host.name, host.address, leader, systemd or "silent", libvirtd, firewalld, guests)


def table(topology: Topology, places: Places) -> str:
    """For people, all hosts asked now."""
    return as_table(rows(topology, places))


def as_table(found: list[Row]) -> str:
    """Rows for people."""
    lines = [("HOST", "ADDRESS", "LEADER", "SYSTEMD", "LIBVIRTD", "FIREWALLD", "GUESTS")]
    for row in found:
        guests = ", ".join(row.guests) or "-"
        leader = str(row.leader or "-")
        lines.append((row.host, row.address, leader, row.systemd, row.libvirtd, row.firewalld, guests))
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
