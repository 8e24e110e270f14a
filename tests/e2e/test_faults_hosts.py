"""A host, its sshd or the guest's QEMU fails in the middle of a copy: at most one VM runs, the next pass ends well."""

import time

from tests.e2e.copying import VM, arrives, copying, stays, until
from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import User

KILL_QEMU = "kill -9 $(pgrep -f '[g]uest=mvp4_lqd25,')"
STOP_SSHD = "systemctl stop ssh.socket ssh.service 2>/dev/null || true"
START_SSHD = "systemctl start ssh.service"


def test_the_sources_qemu_dies(running: User, d25: LabHost, d26: LabHost) -> None:
    """The guest's memory is gone and nobody can bring it back; its disk and definition are where they were."""
    process = copying(running, d25)
    d25.sh(KILL_QEMU)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 6, out + err
    assert "runs nowhere after a failed move: shutoff on lq-d25, absent on lq-d26" in err
    assert "is refused, key deleted" in err
    assert d25.domains()[VM] == "shut off"
    assert VM not in d26.domains()
    running.edit("vms.yaml", "placement: {host: lq-d26}", "placement: {host: lq-d25}")
    running.apply()
    stays(d25, d26)
    running.in_sync()


def test_nobody_can_log_in_any_more_and_the_copy_goes_on(running: User, d25: LabHost, d26: LabHost) -> None:
    """sshd of both hosts stops listening: what is open stays open; that the key is refused cannot be proven."""
    process = copying(running, d25)
    for host in (d25, d26):
        host.sh(STOP_SSHD)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 7, out + err
    assert "the key line is gone, but no login could be tried" in err
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    assert d26.do("grep", "-q", "reconciler-lease", "/root/.ssh/authorized_keys").returncode != 0
    for host in (d25, d26):
        host.sh(START_SSHD)
    arrives(running, d25, d26)


def test_every_login_to_the_destination_breaks(running: User, d25: LabHost, d26: LabHost) -> None:
    """sshd is killed with all its sessions, libvirt's and the reconciler's, and is back before they give up."""
    process = copying(running, d25)
    d26.sh(f"{STOP_SSHD}; systemctl kill --kill-who=all --signal=KILL ssh.service 2>/dev/null; pkill -9 -x sshd; true")
    until("libvirt gives the move up", lambda: "Unbounded" not in d25.do("virsh", "domjobinfo", VM).stdout, 60)
    d26.sh(START_SSHD)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert "it still runs on lq-d25" in err
    assert "is refused, key deleted" in err
    stays(d25, d26)
    arrives(running, d25, d26)


def test_the_destination_loses_power(running: User, d25: LabHost, d26: LabHost) -> None:
    """Whether it ran there already cannot be asked: a person is told, and the VM goes on where it is."""
    process = copying(running, d25)
    lab("power-cut", "lq-d26")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 6, out + err
    assert "the move ended without an answer" in err
    assert "lq-d26: cannot be reached" in err
    assert d25.domains()[VM] == "running"
    lab("boot", "lq-d26")
    arrives(running, d25, d26)


def test_the_source_loses_power(running: User, d25: LabHost, d26: LabHost) -> None:
    """Not started elsewhere, however dead it seems; the source's own autostart brings it back there, and it moves."""
    process = copying(running, d25)
    lab("power-cut", "lq-d25")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 6, out + err
    said = running.plan("--deadline", "4")
    assert "frozen: it may live on lq-d25" in said.out
    assert d26.domains().get(VM) != "running"
    lab("boot", "lq-d25")
    time.sleep(1)
    arrives(running, d25, d26)


def test_a_source_comes_back_with_a_stale_definition_that_starts_by_itself(
    running: User, d25: LabHost, d26: LabHost
) -> None:
    """As if its power had gone right after the move: QEMU's lock refuses the second start, a person is told."""
    d25.sh(f"mkdir /root/stale && cp -a /etc/libvirt/qemu/{VM}.xml /etc/libvirt/qemu/autostart /root/stale/")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    running.apply()
    d25.sh(f"cp -a /root/stale/{VM}.xml /root/stale/autostart /etc/libvirt/qemu/ && sync")
    lab("power-cut", "lq-d25")
    lab("boot", "lq-d25")
    until("the stale definition is loaded", lambda: VM in d25.domains(), 30)
    until("its start was tried", lambda: "lock" in d25.out("journalctl", "-b", "-u", "libvirtd"), 30)
    assert d25.domains()[VM] == "shut off"
    assert d26.domains()[VM] == "running"
    said = running.apply(code=6)
    assert "is on more than one host: stopped on lq-d25" in said.text
    assert d26.domains()[VM] == "running"
    d25.out("virsh", "undefine", VM)
    running.in_sync()
