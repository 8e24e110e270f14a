"""Three hosts: VMs are spread, a host is drained and filled again, two change places without room for both.

On a lab of its own, which is brought up for it and taken down again. What is read is the truth on the hosts.
"""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.hosts import ROOT, LabHost, lab_of, residue
from tests.e2e.user import User

THREE = ("--topology", str(ROOT / "lab/topology-three.yaml"))
RUN = Path("/run/reconciler-lab/three")
NAMES = ("lq-d25", "lq-d26", "lq-d27")
SIZE = 512
"""MiB of each VM; half of it is more than the memory of the machine below may grow or shrink by during a test."""
LABELS = ", labels: {role: compute}"
VMS = ("one", "two", "red")
LOG = "grep -ho 'shutting down, reason=[a-z]*' /var/log/libvirt/qemu/{}.log"
CHAIN = "chain in {\ntype filter hook input priority -9;"
FAULTY = "<shmem name='held'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>"


@dataclass
class Fleet:
    """The three hosts, and specs that say where each VM shall be and how many VMs each host has room for."""

    user: User
    hosts: dict[str, LabHost]

    def declare(self, placement: dict[str, str], *, room: dict[str, int] | None = None, drains: str = "") -> None:
        """`placement` in YAML by VM; `room` in VMs by host; `drains` is in maintenance."""
        texts = []
        for name, host in self.hosts.items():
            memory = int(host.sh("virsh nodeinfo | awk '/Memory size/ {print int($3 / 1024)}'"))
            kept = memory - SIZE * (room or {}).get(name, 8) - SIZE // 2
            away = ", maintenance: true" if name == drains else ""
            spec = f"{{fqdn: {host.fqdn}, address: {host.address}, reserve: {{memory: {kept}MiB}}{away}}}"
            texts.append(f"{_head('Host', name, LABELS)}spec: {spec}\n")
        self.user.write("hosts.yaml", "---\n".join(texts))
        self.user.write("vms.yaml", "---\n".join(_vm(name, where) for name, where in placement.items()))

    def where(self) -> dict[str, str]:
        """Where each VM runs; twice would be two hosts in one word."""
        found: dict[str, list[str]] = {}
        for name, host in self.hosts.items():
            for vm, state in host.domains().items():
                if state == "running":
                    found.setdefault(vm, []).append(name)
        return {vm: " and ".join(names) for vm, names in sorted(found.items())}

    def ends(self, vm: str) -> set[str]:
        """How every QEMU of the VM ended on any host, in libvirt's word."""
        lines = [line for host in self.hosts.values() for line in host.do("sh", "-c", LOG.format(vm)).stdout.split()]
        return {line.partition("=")[2] for line in lines if "=" in line}


def _head(kind: str, name: str, labels: str = "") -> str:
    return f"apiVersion: reconciler/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{labels}}}\n"


def _vm(name: str, where: str) -> str:
    disk = f"{{target: vda, pool: CONT_VOL_COMP, volume: {name}.qcow2}}"
    return (
        f"{_head('VirtualMachine', name, ', labels: {app: web}')}spec:\n  placement: {where}\n  power: running\n"
        f"  source: {{clone: {{from: mvp1, disks: [{disk}]}}}}\n  memory: {SIZE}MiB\n"
    )


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    lab_of(THREE, "up")
    try:
        lab_of(THREE, "reset")
        known = json.loads((RUN / "topology.json").read_text())["hosts"]
        hosts = {host["name"]: LabHost(host["name"], host["fqdn"], host["address"], RUN) for host in known}
        three = {name: hosts[name] for name in NAMES}
        user = User(tmp_path / "specs", run_folder=RUN, subnet="10.84.0")
        user.edit("fleet.yaml", "migration: {method: live,", "migration: {method: live, measure: 0s,")
        yield Fleet(user, three)
        left = [line for host in three.values() for line in residue(host)]
        assert not left, "residue:\n" + "\n".join(left)
    finally:
        lab_of(THREE, "down")


def test_spread_drain_return_swap_and_fall_back(fleet: Fleet) -> None:
    user = fleet.user
    policy = dict.fromkeys(VMS, "{hosts: all, spread: app}")
    fleet.declare(policy)
    user.apply()
    home = fleet.where()
    assert set(home) == set(VMS)
    assert sorted(home.values()) == list(NAMES), "spread: each on a host of its own"
    user.in_sync()

    _drain_and_return(fleet, home)
    _swap(fleet, home)
    _one_fails(fleet)
    _cold(fleet)


def _at(places: dict[str, str], drain: str = "live") -> dict[str, str]:
    return {vm: f"{{host: {host}, drain: {drain}}}" for vm, host in places.items()}


def _drain_and_return(fleet: Fleet, home: dict[str, str]) -> None:
    """What is declared on the host leaves while it is in maintenance, and is back after it, all without a stop."""
    fleet.declare(_at(home), drains="lq-d26")
    said = fleet.user.plan()
    assert "lq-d26 is in maintenance, runs on lq-d26" in said.out
    assert "Timetable: 1 move" in said.out
    fleet.user.apply()
    drained = fleet.where()
    assert "lq-d26" not in drained.values()
    assert set(drained) == set(VMS)
    fleet.user.in_sync()
    fleet.declare(_at(home))
    fleet.user.apply()
    assert fleet.where() == home
    fleet.user.in_sync()


def _swap(fleet: Fleet, home: dict[str, str]) -> None:
    """Two hosts with room for one VM each change theirs; the third lends its room for as long as it takes."""
    here = {host: vm for vm, host in home.items()}
    room = {"lq-d25": 1, "lq-d26": 1, "lq-d27": 2}
    swapped = {**home, here["lq-d25"]: "lq-d26", here["lq-d26"]: "lq-d25"}
    fleet.declare(_at(swapped), room={**room, "lq-d27": 1})
    said = fleet.user.plan()
    assert "wait for one another on lq-d25, lq-d26" in said.out, said.text
    fleet.declare(_at(swapped), room=room)
    said = fleet.user.apply()
    assert "only to make room, runs on" in said.out
    assert fleet.where() == swapped
    fleet.user.in_sync()
    assert set.union(*(fleet.ends(vm) for vm in VMS)) == {"migrated"}, "no guest was ever stopped"
    home.clear()
    home.update(swapped)


def _one_fails(fleet: Fleet) -> None:
    """A move that cannot be made keeps only the one that needed its room; the next pass does both."""
    now = fleet.where()
    here = {host: vm for vm, host in now.items()}
    moved = {**now, here["lq-d27"]: "lq-d26", here["lq-d26"]: "lq-d25", here["lq-d25"]: "lq-d27"}
    room = {"lq-d25": 2, "lq-d26": 1, "lq-d27": 1}
    fleet.declare(_at(moved), room=room)
    door = f"ip saddr {fleet.hosts['lq-d26'].address} tcp dport 22 reject with tcp reset"
    fleet.hosts["lq-d25"].do("nft", "-f", "-", stdin=f"table inet held {{\n{CHAIN}\n{door}\n}}\n}}\n")
    said = fleet.user.apply(code=7)
    fleet.hosts["lq-d25"].sh("nft delete table inet held")
    assert fleet.where() == now, "who needs its room waits, and whoever needs that one's"
    assert "because vm/" in said.text
    fleet.user.apply()
    assert fleet.where() == moved
    fleet.user.in_sync()


def _cold(fleet: Fleet) -> None:
    """What cannot leave live, and may be shut down for it, is; it runs again elsewhere, and comes home the same way."""
    now = fleet.where()
    vm = next(vm for vm, host in now.items() if host == "lq-d25")
    host = fleet.hosts["lq-d25"]
    host.sh(f"cat > /tmp/held.xml <<'END'\n{FAULTY}\nEND\nvirsh attach-device {vm} /tmp/held.xml --config")
    host.sh(f"virsh shutdown {vm}; while virsh domstate {vm} | grep -q running; do sleep 0.3; done; virsh start {vm}")
    _booted(host, vm)
    fleet.declare(_at(now), drains="lq-d25")
    said = fleet.user.plan()
    assert "shared memory" in said.out, said.text
    assert said.code == 1
    fleet.declare(_at(now, "cold"), drains="lq-d25")
    fleet.user.edit("fleet.yaml", "disruption: move-live", "disruption: move-cold")
    fleet.user.apply()
    there = fleet.where()
    assert set(there) == set(VMS)
    assert "lq-d25" not in there.values()
    fleet.user.in_sync()
    _booted(fleet.hosts[there[vm]], vm)
    fleet.declare(_at(now, "cold"))
    said = fleet.user.apply()
    assert "it comes home to lq-d25 after the maintenance" in said.out
    assert fleet.where() == now
    fleet.user.in_sync()


def _booted(host: LabHost, vm: str) -> None:
    """Waits until the guest's sshd answers: before that it heeds no request to shut down."""
    mac = host.sh(f"virsh domiflist {vm} | awk '/vpd/ {{print $5}}'").strip()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        leases = [line.split() for line in (RUN / "dhcp.leases").read_text().splitlines() if mac in line]
        try:
            with socket.create_connection((leases[0][2], 22), 2) as guest:
                if guest.recv(4) == b"SSH-":
                    return
        except (OSError, IndexError):
            time.sleep(0.5)
    raise AssertionError(f"{vm} did not boot within 120 s")
