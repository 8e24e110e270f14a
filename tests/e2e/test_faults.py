"""Faults in the middle of a copy: the VM runs on exactly one host, access is revoked, and the next pass gets there."""

import pytest

from tests.e2e.copying import VM, arrives, copying
from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import User

KILL_QEMU = "kill -9 $(pgrep -f '[g]uest=mvp4_lqd25,')"
KILL_LIBVIRTD = "systemctl kill -s KILL --kill-whom=main libvirtd"


@pytest.mark.parametrize("fault", [KILL_QEMU, KILL_LIBVIRTD], ids=["QEMU", "libvirtd"])
def test_the_destination_fails_and_the_source_goes_on(running: User, d25: LabHost, d26: LabHost, fault: str) -> None:
    process = copying(running, d25)
    d26.sh(fault)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert "it still runs on lq-d25" in err
    assert "is refused, key deleted" in err
    assert d25.domains()[VM] == "running"
    assert VM not in d26.domains()
    arrives(running, d25, d26)


def test_the_sources_daemon_dies_and_nothing_is_lost(running: User, d25: LabHost, d26: LabHost) -> None:
    process = copying(running, d25)
    d25.sh(KILL_LIBVIRTD)
    out, err = process.communicate(timeout=200)
    assert process.returncode in (1, 6), out + err
    states = [host.domains().get(VM) for host in (d25, d26)]
    assert states.count("running") == 1, states
    arrives(running, d25, d26)


def test_a_reload_of_firewalld_does_not_stop_the_copy(running: User, d25: LabHost, d26: LabHost) -> None:
    process = copying(running.unencrypted(), d25)
    d26.out("firewall-cmd", "--reload")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert d26.domains()[VM] == "running"


def test_a_rule_made_permanent_meanwhile_is_told_and_swept(running: User, d25: LabHost, d26: LabHost) -> None:
    process = copying(running.unencrypted(), d25)
    d26.out("firewall-cmd", "--runtime-to-permanent")
    out, err = process.communicate(timeout=200)
    assert process.returncode != 0, out + err
    assert d26.domains()[VM] == "running"
    arrives(running, d25, d26)
    assert "-24242" not in d26.out("firewall-cmd", "--permanent", "--zone=FedoraServer", "--list-rich-rules")


def test_a_guest_that_never_converges_is_left_where_it_is(running: User, d25: LabHost, d26: LabHost) -> None:
    lab("guest-ssh", VM, "dirty 100 >/dev/null 2>&1 &")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    running.edit("vms.yaml", "  vcpus: 1", "  migration: {bandwidth: 8MiB/s, timeout: 15s}\n  vcpus: 1")
    said = running.apply(code=1)
    assert "the move failed" in said.err
    assert "is refused, key deleted" in said.err
    assert d25.domains()[VM] == "running"
    assert VM not in d26.domains()
