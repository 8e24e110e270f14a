"""kill -9 of the reconciler at every failpoint, then one more pass: the same end as undisturbed, nothing left behind.

A row per failpoint; a name that is reached no longer fails, because then nothing is killed.
"""

import signal
import time
from subprocess import Popen

import pytest

from tests.e2e.hosts import LabHost
from tests.e2e.user import User

VM = "mvp4_lqd25"
MAKING = [
    "host.write-hosts.done",
    "firewall.add.done",
    "pool.define.done",
    "pool.start.done",
    "pool.token-written",
    "clone.defined",
    "clone.copying",
    "clone.copied",
    "vm.clone.done",
    "start.asked",
    "vm.start.done",
]
MOVING = [
    "pool.prove-shared.done",
    "lease.keyed",
    "lease.granted",
    "lease.opened",
    "lease.open-port.done",
    "move.ready",
    "move.migrated",
    "move.settled",
    "vm.move-live.done",
    "lease.close-port.done",
    "lease.dropped",
    "lease.revoke.done",
]


MENDING = [
    "host.run-service.done",
    "host.set-hostname.done",
    "firewall.new-zone.done",
    "firewall.remove.done",
    "firewall.reload.done",
    "pool.build.done",
    "pool.autostart.done",
    "vm.adopt.done",
    "vm.resources.done",
    "vm.autostart.done",
]
POOL_AND_BASE = """
apiVersion: reconciler/v1alpha1
kind: StoragePool
metadata: {name: second}
spec: {hosts: [lq-d25], type: dir, target: /var/lib/libvirt/images/second, state: active, autostart: true}
---
apiVersion: reconciler/v1alpha1
kind: VirtualMachine
metadata: {name: mvp1}
spec: {placement: {host: lq-d25}, power: unmanaged, autostart: true}
"""


def killed_at(user: User, name: str) -> None:
    said = user.run("apply", str(user.folder), "--yes", RECONCILER_FAILPOINT=name)
    assert said.code == -signal.SIGKILL, f"{name} was not reached:\n{said.text}"


@pytest.mark.parametrize("name", MAKING)
def test_killed_while_making(user: User, d25: LabHost, d26: LabHost, name: str) -> None:
    killed_at(user, name)
    user.apply()
    assert d25.domains() == {"mvp1": "shut off", VM: "running"}
    assert d26.domains() == {}
    user.in_sync()


def test_killed_while_moving(running: User, d25: LabHost, d26: LabHost) -> None:
    """One VM, to and fro, killed at another point each time."""
    hosts = {"lq-d25": d25, "lq-d26": d26}
    here, there = "lq-d25", "lq-d26"
    uuid = d25.dominfo(VM)["UUID"]
    running.unencrypted()
    for name in MOVING:
        running.edit("vms.yaml", f"placement: {{host: {here}}}", f"placement: {{host: {there}}}")
        killed_at(running, name)
        running.apply()
        assert hosts[there].dominfo(VM)["UUID"] == uuid, name
        assert hosts[there].domains()[VM] == "running", name
        assert VM not in hosts[here].domains(), name
        running.in_sync()
        here, there = there, here


def test_killed_again_and_again_while_mending(running: User, d25: LabHost, d26: LabHost) -> None:
    """Every pass dies after one more kind of step; the last one only has the rest to do."""
    d25.sh("sed -i '/lq-d25/d' /etc/hosts; echo '127.0.1.1 wrong.lan wrong' >>/etc/hosts; hostname wrong")
    d25.sh("echo wrong >/etc/hostname; systemctl disable --now virtlockd.socket; systemctl stop virtlockd.service")
    for layer in ((), ("--permanent",)):
        d25.out("firewall-cmd", *layer, "--zone=FedoraServer", "--add-service=http")
    running.edit("hosts.yaml", "  fqdn: lq-d25.vpd.com", "  fqdn: lq-d25.vpd.com\n  services: [libvirtd, virtlockd]")
    zone = "cockpit, dhcpv6-client]\n      exclusive: true\n    - {name: extra, services: [ssh]}"
    running.edit("firewall.yaml", "cockpit, dhcpv6-client]", zone)
    running.edit("vms.yaml", "vcpus: 1", "vcpus: 2").edit("vms.yaml", "autostart: true", "autostart: false")
    running.write("more.yaml", POOL_AND_BASE)
    for name in MENDING:
        killed_at(running, name)
    running.apply()
    running.in_sync()
    assert d25.domains() == {"mvp1": "shut off", VM: "running"}
    running.edit("vms.yaml", "power: running", "power: stopped")
    running.edit("more.yaml", "state: active, autostart: true", "state: inactive, autostart: false")
    running.edit("more.yaml", "power: unmanaged, autostart: true", "power: unmanaged, autostart: false")
    for name in ("pool.stop.done", "vm.stop.done"):
        killed_at(running, name)
    running.apply()
    running.in_sync()
    assert d25.domains() == {"mvp1": "shut off", VM: "shut off"}


def copying(user: User, d25: LabHost, **environment: str) -> Popen[str]:
    """An apply in the middle of a slow copy."""
    process = user.start("apply", str(user.folder), "--yes", **environment)
    end = time.monotonic() + 60
    while "Unbounded" not in d25.do("virsh", "domjobinfo", VM).stdout:
        assert time.monotonic() < end, "no migration began"
        time.sleep(0.2)
    return process


def killed_in_the_copy(user: User, d25: LabHost) -> None:
    """A slow copy whose reconciler is gone; libvirt goes on with it."""
    process = copying(user, d25)
    process.kill()
    process.communicate()


@pytest.fixture
def slow(running: User) -> User:
    """What is applied next is a move with a slow copy."""
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    return running.edit("vms.yaml", "  vcpus: 1", "  migration: {bandwidth: 8MiB/s}\n  vcpus: 1")


def test_killed_in_the_middle_of_the_copy(slow: User, d25: LabHost, d26: LabHost) -> None:
    """libvirt goes on without us; one pass follows it, begins no second migration, and ends as if nothing had been."""
    killed_in_the_copy(slow, d25)
    said = slow.plan()
    assert said.code == 0, said.text
    assert "follow the migration lq-d25 -> lq-d26" in said.out
    assert "move live" not in said.out
    said = slow.apply()
    assert "is refused, key deleted" in said.err
    assert d26.domains()[VM] == "running"
    assert d26.dominfo(VM)["Autostart"] == "enable"
    assert VM not in d25.domains()
    slow.in_sync()


def test_what_is_followed_fails_or_its_follower_is_killed_too(slow: User, d25: LabHost, d26: LabHost) -> None:
    failing = copying(slow, d25, RECONCILER_FAILPOINT="move.failed")
    d25.out("virsh", "domjobabort", VM)
    assert failing.wait(timeout=60) == -signal.SIGKILL, failing.communicate()
    killed_in_the_copy(slow, d25)
    follower = slow.start("apply", str(slow.folder), "--yes")
    while "first copy" not in (follower.stderr.readline() if follower.stderr else "first copy"):
        assert follower.poll() is None, "it did not follow"
    d25.out("virsh", "domjobabort", VM)
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 1, out + err
    assert "ended without success" in err
    assert "is refused, key deleted" in err
    assert d25.domains()[VM] == "running"
    assert VM not in d26.domains()
    killed_in_the_copy(slow, d25)
    killed_at(slow, "follow.ended")
    slow.apply()
    assert d26.domains()[VM] == "running"
    assert d26.dominfo(VM)["Autostart"] == "enable"
    slow.in_sync()


def test_a_guest_left_paused_by_its_migration_is_resumed_and_one_paused_by_a_user_is_not(
    running: User, d25: LabHost
) -> None:
    """libvirt itself says why it is paused; the reason it has is changed where it keeps it, in its status file."""
    d25.out("virsh", "suspend", VM)
    said = running.apply(code=1)
    assert "is paused (user) on lq-d25" in said.text
    assert d25.domains()[VM] == "paused"
    sockets = "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"
    d25.sh(f"systemctl stop {sockets} libvirtd")
    d25.sh(f"sed -i \"s/state='paused' reason='user'/state='paused' reason='migration'/\" /run/libvirt/qemu/{VM}.xml")
    d25.sh(f"systemctl start {sockets} libvirtd")
    assert d25.out("virsh", "domstate", "--reason", VM).strip() == "paused (migrating)"
    killed_at(running, "resume.asked")
    assert d25.domains()[VM] == "paused"
    running.apply()
    assert d25.domains()[VM] == "running"
    running.in_sync()


def test_the_hosts_end_a_lease_by_themselves(running: User, d25: LabHost, d26: LabHost) -> None:
    """Nobody comes back: the key is refused, the rule and the private half are gone, by the hosts' own clocks."""
    running.unencrypted().edit("fleet.yaml", "lifetime: 15m", "lifetime: 1m")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    killed_at(running, "move.ready")
    d25.sh("cp /run/reconciler/leases/*/key /root/kept && chmod 600 /root/kept")
    options = (
        "-F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    )
    login = f"timeout 10 ssh {options} -i /root/kept root@{d26.address} true"
    assert "Permission denied" not in d25.do("sh", "-c", login).stderr, "the lease is open at first"
    assert "dport 49152 " in d26.out("nft", "list", "ruleset")
    time.sleep(62)
    gone = "! ls /run/reconciler/leases/*/key >/dev/null 2>&1"
    end = time.monotonic() + 30
    while d25.do("sh", "-c", gone).returncode != 0 and time.monotonic() < end:
        time.sleep(1)
    assert "Permission denied" in d25.do("sh", "-c", login).stderr
    assert "dport 49152 " not in d26.out("nft", "list", "ruleset")
    assert d25.do("sh", "-c", "ls /run/reconciler/leases/*/key").returncode != 0
    d25.sh("rm -f /root/kept")
    running.apply()
    assert d26.domains()[VM] == "running"
