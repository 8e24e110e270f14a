"""The network between the hosts breaks in the middle of a copy: the VM runs on one host, the next pass ends well."""

import time

from tests.e2e.copying import VM, arrives, copying, stays
from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import User

PORT_CLOSED = """add table inet reconciler_lab
add chain inet reconciler_lab in { type filter hook input priority -300; }
add rule inet reconciler_lab in tcp dport 49152 drop
"""


def test_the_link_is_cut_for_longer_than_libvirt_waits(running: User, d25: LabHost, d26: LabHost) -> None:
    """40 s; libvirt gives up after 30. The key line goes, its refusal cannot be tried: the next pass ends it."""
    process = copying(running, d25)
    lab("cut", "lq-d25", "lq-d26")
    time.sleep(40)
    lab("heal")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 7, out + err
    assert "it still runs on lq-d25" in err
    assert "the key line is gone, but no login could be tried" in err
    stays(d25, d26)
    arrives(running, d25, d26)


def test_the_link_is_cut_for_five_seconds(running: User, d25: LabHost, d26: LabHost) -> None:
    process = copying(running, d25)
    lab("cut", "lq-d25", "lq-d26")
    time.sleep(5)
    lab("heal")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    running.in_sync()


def test_the_data_port_is_closed(running: User, d25: LabHost, d26: LabHost) -> None:
    """Control goes on, memory does not: nothing but the move's own time limit ends that.

    So slow that the copy is far from its end then: QEMU hands over with its monitor blocked, and hears no abort.
    """
    process = copying(running.unencrypted(), d25, bandwidth="2MiB/s", timeout="10s")
    d26.do("nft", "-f", "-", stdin=PORT_CLOSED)
    out, err = process.communicate(timeout=200)
    lab("heal")
    assert process.returncode == 1, out + err
    assert "it still runs on lq-d25" in err
    assert "is refused, key deleted" in err
    stays(d25, d26)
    arrives(running, d25, d26)
