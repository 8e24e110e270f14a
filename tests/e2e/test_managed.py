"""Access mode none: a VM moves and no host ever gets a key; killed in the copy, one more pass ends it."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.hosts import LabHost
from tests.e2e.user import User

VM = "mvp4_lqd25"
SUMS = """while [ ! -e /run/enough ]; do
cat /root/.ssh/authorized_keys /etc/ssh/ssh_known_hosts 2>/dev/null | sha256sum; ls -d /run/reconciler 2>/dev/null
sleep 0.1; done | sort -u; rm -f /run/enough"""


@contextmanager
def no_key_ever(*hosts: LabHost) -> Iterator[None]:
    """Ten looks a second at everything a login between hosts would need: all of them must be alike."""
    looking = [
        subprocess.Popen(
            ["nsenter", "-t", host.leader, "-a", "--", "sh", "-c", SUMS], stdout=subprocess.PIPE, text=True
        )
        for host in hosts
    ]
    try:
        yield
    finally:
        for host in hosts:
            host.sh("touch /run/enough")
        said = [process.communicate(timeout=20)[0].splitlines() for process in looking]
    assert [len(lines) for lines in said] == [1] * len(hosts), said


def test_a_move_without_any_login_and_one_killed_in_the_copy(running: User, d25: LabHost, d26: LabHost) -> None:
    running.edit("fleet.yaml", "access: {", "access: {mode: none, ")
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    with no_key_ever(d25, d26):
        plan = running.plan()
        assert "no login between the hosts" in plan.out
        assert "log in as" not in plan.out
        running.apply()
        assert (d25.domains().get(VM), d26.domains().get(VM)) == (None, "running")
        assert "dport 49152 " not in d26.out("nft", "list", "ruleset")
        running.in_sync()
        running.edit("vms.yaml", "placement: {host: lq-d26}", "placement: {host: lq-d25}")
        running.edit("vms.yaml", "  vcpus: 1", "  migration: {bandwidth: 8MiB/s}\n  vcpus: 1")
        process = running.start("apply", str(running.folder), "--yes")
        end = time.monotonic() + 60
        while "Unbounded" not in d26.do("virsh", "domjobinfo", VM).stdout:
            assert time.monotonic() < end, "no migration began"
            time.sleep(0.2)
        time.sleep(1)
        process.kill()
        process.communicate()
        while VM in d25.domains() or "Unbounded" in d26.do("virsh", "domjobinfo", VM).stdout:
            assert time.monotonic() < end + 60, "libvirt did not give it up"
            time.sleep(0.5)
        left = d26.out("virsh", "domstate", "--reason", VM).strip()
        assert left.startswith(("running", "paused (migrat")), left
        running.edit("vms.yaml", "bandwidth: 8MiB/s", "bandwidth: 1GiB/s")
        running.apply()
        assert (d25.domains().get(VM), d26.domains().get(VM)) == ("running", None)
        assert d25.dominfo(VM)["Autostart"] == "enable"
        running.in_sync()
