"""Moves that copy a disk from host to host: the guest goes on, its files are the same, nothing half-made stays.

The clone's disk is in the hosts' own `default` pool; a file of 24 MiB and a limit of bandwidth make the copy last.
"""

import re
import signal
import time
from itertools import pairwise
from subprocess import Popen

import pytest

from tests.e2e.hosts import SUBNET, LabHost, lab
from tests.e2e.user import User

VM, VOLUME, IMAGES = "mvp4_lqd25", "pc25_LQD_ANFITRION1_p4.qcow2", "/var/lib/libvirt/images"
POOL = """\
apiVersion: reconciler/v1alpha1
kind: StoragePool
metadata: {name: %s}
spec: {type: dir, target: %s, autostart: true}
"""
HERE, THERE = "placement: {host: lq-d25}", "placement: {host: lq-d26}"
SLOW, FAST = "migration: {storage: copy, bandwidth: 4MiB/s}", "migration: {storage: copy, bandwidth: 1GiB/s}"


@pytest.fixture
def copying(user: User, d25: LabHost) -> User:
    """mvp4_lqd25 runs on lq-d25 from a disk in its own default pool; a file in it is noted in `sum`."""
    user.write("local.yaml", POOL % ("default", IMAGES))
    user.edit("vms.yaml", "pool: CONT_VOL_COMP", "pool: default").edit(
        "vms.yaml", "  vcpus: 1", f"  {FAST}\n  vcpus: 1"
    )
    user.apply()
    assert d25.domains()[VM] == "running"
    lab("guest-ssh", VM, "dd if=/dev/urandom of=/mnt/blob bs=1M count=24 2>/dev/null; sync")
    return user


def blob() -> str:
    """Checksum of the file as the running guest reads it from its disk."""
    return lab("guest-ssh", VM, "echo 3 >/proc/sys/vm/drop_caches; sha256sum /mnt/blob")


def volumes(host: LabHost) -> set[str]:
    return set(host.sh(f"cd {IMAGES}; ls -A | grep -v COMPARTIDO || true").split())


def longest_gap() -> int:
    """Heartbeats that no host has, at most in a row.

    A line that was cut in two by the switch is whole on no host, so each host's first and last one do not count.
    """
    beats: dict[str, list[int]] = {}
    for line in lab("heartbeat", VM, "-n", "400").splitlines():
        if re.match(r"lq-d2\d \d+ \d+$", line):
            beats.setdefault(line.split()[0], []).append(int(line.split()[1]))
    counted = sorted(beat for on_one in beats.values() for beat in on_one[1:-1])
    return max(later - earlier for earlier, later in pairwise(counted))


def in_the_middle(user: User, d25: LabHost, d26: LabHost) -> Popen[str]:
    """An apply whose copy of the disk is under way."""
    user.edit("vms.yaml", HERE, THERE).edit("vms.yaml", FAST, SLOW)
    process = user.start("apply", str(user.folder), "--yes")
    end = time.monotonic() + 90
    while VOLUME not in volumes(d26) or "Outgoing" not in d25.do("virsh", "domjobinfo", VM).stdout:
        assert time.monotonic() < end, "no copy began"
        time.sleep(0.2)
    time.sleep(1.5)
    assert VM in d25.domains()
    return process


def test_a_disk_goes_along_and_back(copying: User, d25: LabHost, d26: LabHost) -> None:
    before = blob()
    copying.edit("vms.yaml", HERE, THERE)
    said = copying.run("explain", f"vm/{VM}", str(copying.folder))
    assert "disk vda would be copied, 97.1 MiB into pool default of lq-d26; the old one stays on lq-d25" in said.out
    said = copying.apply()
    assert "prove-shared" not in said.text
    assert said.err.count("is closed, proven in nftables") == 2
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    assert blob() == before
    assert VOLUME in d26.out("virsh", "vol-list", "default")
    assert "MiB of disks; its old disks stay: lq-d25:default/" in said.err
    assert longest_gap() <= 30, "the guest stood still"
    copying.in_sync()
    assert f"its move left lq-d25:default/{VOLUME} (`virsh vol-delete" in copying.run("status", str(copying.folder)).err
    copying.edit("vms.yaml", THERE, HERE)
    said = copying.plan()
    assert f"its old copy {IMAGES}/{VOLUME}, left by a move, is still on lq-d25" in said.out
    copying.edit("vms.yaml", HERE, THERE).edit("vms.yaml", "storage: copy,", "storage: copy, oldCopy: delete,")
    assert "1 deletions, 0 allowed per pass" in copying.plan().out
    copying.edit("fleet.yaml", "deletesPerPass: 0", "deletesPerPass: 1")
    copying.apply()
    assert volumes(d25) == {"mvp1.qcow2"}
    copying.in_sync()
    copying.edit("vms.yaml", THERE, HERE)
    copying.apply()
    assert d25.domains()[VM] == "running"
    assert volumes(d26) == set()
    assert blob() == before
    copying.in_sync()


def test_the_destination_fails_in_the_middle_of_the_copy(copying: User, d25: LabHost, d26: LabHost) -> None:
    before = blob()
    process = in_the_middle(copying, d25, d26)
    d26.sh(f"kill -9 $(pgrep -f '[g]uest={VM},')")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert f"half-made copies are gone: lq-d26:default/{VOLUME}" in err
    assert d25.domains()[VM] == "running"
    assert volumes(d26) == set()
    copying.edit("vms.yaml", SLOW, FAST)
    copying.apply()
    assert d26.domains()[VM] == "running"
    assert blob() == before
    copying.in_sync()


def test_killed_in_the_middle_of_the_copy(copying: User, d25: LabHost, d26: LabHost) -> None:
    """libvirt goes on without us; one pass after its end all is as after an undisturbed move."""
    before = blob()
    process = in_the_middle(copying, d25, d26)
    process.kill()
    process.communicate()
    end = time.monotonic() + 120
    while VM in d25.domains():
        assert time.monotonic() < end, "it never arrived"
        time.sleep(0.5)
    said = copying.apply()
    assert "note that its disks were copied" in said.out
    assert d26.domains()[VM] == "running"
    assert volumes(d25) == {"mvp1.qcow2", VOLUME}
    assert blob() == before
    copying.in_sync()


def test_without_room_there_nothing_begins(user: User, d25: LabHost, d26: LabHost) -> None:
    for host, size in ((d25, "512M"), (d26, "64M")):
        host.sh(f"mkdir -p /srv/small && mount -t tmpfs -o size={size} small /srv/small")
    try:
        user.write("local.yaml", POOL % ("small", "/srv/small"))
        user.edit("vms.yaml", "pool: CONT_VOL_COMP", "pool: small").edit(
            "vms.yaml", "  vcpus: 1", f"  {FAST}\n  vcpus: 1"
        )
        user.apply()
        user.edit("vms.yaml", HERE, THERE)
        said = user.plan()
        assert said.code == 1
        assert "no space in pool small on lq-d26: 97.1 MiB needed with minFree, 64 MiB free" in said.out
        assert "0 actions" in said.out
    finally:
        d25.sh(f"virsh destroy {VM}; true")
        for host in (d25, d26):
            host.sh("virsh pool-destroy small; umount /srv/small; rmdir /srv/small; true")


def test_killed_at_every_step_of_a_copy(copying: User, d25: LabHost, d26: LabHost) -> None:
    """One VM; each kill meets what the one before it left."""
    before = blob()
    copying.edit("vms.yaml", HERE, THERE)
    for name in ("copy.marked", "copy.cleared", "vm.clear-copy.done", "lease.open-port.done", "move.migrated"):
        said = copying.run("apply", str(copying.folder), "--yes", RECONCILER_FAILPOINT=name)
        assert said.code == -signal.SIGKILL, f"{name} was not reached:\n{said.text}"
    copying.apply()
    assert d26.domains()[VM] == "running"
    assert blob() == before
    copying.in_sync()
    copying.edit("vms.yaml", "storage: copy,", "storage: copy, oldCopy: delete,")
    copying.edit("fleet.yaml", "deletesPerPass: 0", "deletesPerPass: 1")
    for name in ("copy.old-deleted", "vm.delete-old-copy.done"):
        said = copying.run("apply", str(copying.folder), "--yes", RECONCILER_FAILPOINT=name)
        assert said.code == -signal.SIGKILL, f"{name} was not reached:\n{said.text}"
    assert volumes(d25) == {"mvp1.qcow2"}
    copying.in_sync()
    assert "dport 4915" not in d26.out("nft", "list", "ruleset").replace(SUBNET, "")
