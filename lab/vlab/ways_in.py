"""Ways for a person or a test to look into hosts and guests: ssh, commands, logs, heartbeats.

It must not change anything by itself.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from vlab import network, nspawn
from vlab.errors import LabError
from vlab.places import Places
from vlab.process import become
from vlab.topology import Host, Topology

XmlOf = Callable[[Host, str], str]


def ssh(topology: Topology, places: Places, options: argparse.Namespace) -> int:
    """Becomes ssh to a host, its key pinned."""
    pinned = ["-o", f"UserKnownHostsFile={places.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
    return _become_ssh(places, pinned, topology.host(options.host).address, options.command)


def guest_ssh(topology: Topology, places: Places, options: argparse.Namespace, xml_of: XmlOf | None = None) -> int:
    """Becomes ssh to a guest, whose key is new at each boot."""
    address = options.guest
    if not re.fullmatch(r"[0-9.]+", address):
        address = _guest_address(topology, places, address, xml_of or (lambda host, name: _xml(places, host, name)))
    loose = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]
    return _become_ssh(places, loose, address, options.command)


def execute(topology: Topology, places: Places, options: argparse.Namespace) -> int:
    """Becomes a command in a host, also when its sshd or firewall are down."""
    pid = nspawn.leader(places.host(topology.host(options.host).name))
    if pid is None:
        raise LabError(f"{options.host} does not run", f"lab/lab boot {options.host}")
    clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"]
    become("nsenter", "-t", str(pid), "-a", *clean, *(options.command or ["bash"]))


def logs(topology: Topology, places: Places, options: argparse.Namespace) -> int:
    """The host's journal; its console when it does not run."""
    place = places.host(topology.host(options.host).name)
    if nspawn.leader(place) is None:
        print("\n".join(place.console.read_text(errors="replace").splitlines()[-options.lines :]))
        return 0
    unit = ["-u", options.unit] if options.unit else []
    print(nspawn.inside(place, "journalctl", "--no-pager", "-n", str(options.lines), *unit).out, end="")
    return 0


def heartbeat(topology: Topology, places: Places, options: argparse.Namespace) -> int:
    """Counter and uptime as the guest last wrote them, per host that ever had the guest."""
    for host in topology.compute:
        file = places.host(host.name).root / f"var/log/libvirt/qemu/{options.guest}-heartbeat.log"
        if file.exists():
            for line in file.read_text(errors="replace").splitlines()[-options.lines :]:
                print(f"{host.name} {line}")
    return 0


def _xml(places: Places, host: Host, name: str) -> str:
    """The domain as a host has it; empty when it has none."""
    place = places.host(host.name)
    if nspawn.leader(place) is None:
        return ""
    return nspawn.inside(place, "virsh", "dumpxml", "--domain", name, check=False).out


def _guest_address(topology: Topology, places: Places, name: str, xml_of: XmlOf) -> str:
    """By the MAC in the domain's XML and the DHCP server's leases."""
    for host in topology.compute:
        for mac in re.findall(r"<mac address='([^']+)'", xml_of(host, name)):
            address = network.leases(places).get(mac.lower())
            if address is not None:
                return address
    raise LabError(f"no address known for guest {name!r}", "is it running? lab/lab status")


def _become_ssh(places: Places, options: list[str], address: str, command: list[str]) -> int:
    fixed = ["-i", str(places.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
    become("ssh", "-F", "/dev/null", *fixed, *options, f"root@{address}", *command)
