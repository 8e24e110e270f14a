"""The wire between the hosts of a lab: one bridge on the machine, with a DHCP server for guests.

It must not forward, translate or filter anything, nor listen on any other interface.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from vlab.errors import LabError
from vlab.places import Places
from vlab.process import run
from vlab.topology import Topology


def start(topology: Topology, places: Places) -> None:
    """Bridge and DHCP server, unless they are there."""
    bridge = places.bridge
    if not Path(f"/sys/class/net/{bridge}").exists():
        _refuse_foreign_subnet(topology)
        run("ip", "link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        run("ip", "address", "add", f"{topology.gateway}/{topology.subnet.prefixlen}", "dev", bridge)
    run("ip", "link", "set", bridge, "up")
    if dhcp_server(places) is None:
        _start_dhcp(topology, places)


def stop(places: Places) -> None:
    """Take both away."""
    pid = dhcp_server(places)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        for _ in range(50):
            if dhcp_server(places) is None:
                break
            time.sleep(0.05)
    (places.run / "dnsmasq.pid").unlink(missing_ok=True)
    if Path(f"/sys/class/net/{places.bridge}").exists():
        run("ip", "link", "delete", places.bridge)


def dhcp_server(places: Places) -> int | None:
    """The dnsmasq of this lab, told by its arguments."""
    file = places.run / "dnsmasq.pid"
    try:
        pid = int(file.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if f"--pid-file={file}".encode() in words.split(b"\0") else None


def leases(places: Places) -> dict[str, str]:
    """Address by MAC of every guest that ever asked."""
    if not places.leases.exists():
        return {}
    rows = (line.split() for line in places.leases.read_text().splitlines())
    return {row[1].lower(): row[2] for row in rows if len(row) > 2}


def _start_dhcp(topology: Topology, places: Places) -> None:
    subnet = topology.subnet
    run(
        "dnsmasq",
        "--conf-file=/dev/null",
        "--no-hosts",
        "--no-resolv",
        "--port=0",
        "--bind-interfaces",
        "--except-interface=lo",
        f"--interface={places.bridge}",
        f"--dhcp-range={subnet[100]},{subnet[199]},{subnet.netmask},12h",
        "--dhcp-authoritative",
        "--no-ping",
        "--user=root",
        f"--dhcp-leasefile={places.leases}",
        f"--pid-file={places.run / 'dnsmasq.pid'}",
        f"--log-facility={places.run / 'dnsmasq.log'}",
    )


def _refuse_foreign_subnet(topology: Topology) -> None:
    taken = run("ip", "-4", "route", "show", "root", str(topology.subnet)).out.strip()
    if taken:
        raise LabError(f"{topology.subnet} is in use already: {taken.splitlines()[0]}", "choose another with --subnet")
