"""The four invariants, read from the hosts' own files and tools; nothing here goes through the product.

Never two running, zero residue at rest, nothing outside the plan changed, the guest never rebooted.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.hosts import NAME, LabHost, orphans, residue

_LOGS = "/var/lib/reconciler-lab/{lab}/hosts/{host}/root/var/log/libvirt/qemu/{vm}-heartbeat.log"
_OUTSIDE = """virsh dumpxml --inactive mvp1 2>/dev/null | grep -v '<reconciler'
stat -c '%n %s %Y' /var/lib/libvirt/images/mvp1.qcow2 2>/dev/null
virsh domid bystander 2>/dev/null; virsh dumpxml bystander 2>/dev/null | sha256sum; pgrep -f '[g]uest=bystander'
grep -v reconciler-lease /root/.ssh/authorized_keys; cat /etc/ssh/ssh_known_hosts 2>/dev/null | grep -v reconciler-lease
firewall-cmd --permanent --list-all-zones; firewall-cmd --list-all-zones | grep -v -e '-24242'; virsh net-list --all"""
_BYSTANDER = (
    "<domain type='qemu'><name>bystander</name><memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>"
)


class Pulse:
    """Heartbeat files of each VM on both hosts: a VM whose files grow on both at once runs twice."""

    def __init__(self, vms: Sequence[str], hosts: Sequence[str], window: float = 0.6) -> None:
        self._files = {vm: [Path(_LOGS.format(lab=NAME, host=host, vm=vm)) for host in hosts] for vm in vms}
        self._window, self._end = window, threading.Event()
        self.twice: list[str] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(5)

    def _watch(self) -> None:
        """Two windows in a row: within one, a move may end here and begin there."""
        before, suspects = self._sizes(), set[str]()
        while not self._end.wait(self._window):
            now = self._sizes()
            both = {vm for vm in now if all(n > b for n, b in zip(now[vm], before[vm], strict=True))}
            self.twice += sorted(both & suspects)
            before, suspects = now, both

    def _sizes(self) -> dict[str, list[int]]:
        return {vm: [f.stat().st_size if f.exists() else 0 for f in files] for vm, files in self._files.items()}

    def uptime(self, vm: str) -> float:
        """Seconds the guest is up, by its last complete line on the host that wrote last; 0 where there is none."""
        files = [file for file in self._files[vm] if file.exists() and file.stat().st_size]
        if not files:
            return 0.0
        last = max(files, key=lambda file: file.stat().st_mtime)
        lines = [line.split() for line in last.read_text(errors="replace").splitlines()[-3:-1]]
        return int(lines[-1][1]) / 1000 if lines and len(lines[-1]) == 2 else 0.0


def add_bystander(host: LabHost) -> None:
    """A VM that nobody declared: it runs, and it must go on as if nothing were."""
    done = host.do("virsh", "create", "/dev/stdin", stdin=_BYSTANDER)
    assert done.returncode == 0, done.stderr


def outside(hosts: Sequence[LabHost]) -> Mapping[str, str]:
    """What no plan of the walk is about, per host."""
    return {host.name: host.do("sh", "-c", _OUTSIDE).stdout for host in hosts}


def at_rest(hosts: Sequence[LabHost], placed: Mapping[str, str]) -> list[str]:
    """Every breach at rest: residue, volumes of nobody, a VM that is not where it should be or is anywhere else."""
    found = [line for host in hosts for line in residue(host)] + orphans(hosts)
    for host in hosts:
        for vm, there in placed.items():
            state = host.domains().get(vm)
            if state != ("running" if there == host.name else None):
                found.append(f"{vm} is {state} on {host.name}, and belongs on {there}")
    return found


def quiet(hosts: Sequence[LabHost], seconds: float = 60) -> None:
    """Wait until each host's daemons answer again; raises AssertionError with the host's name."""
    for host in hosts:
        end = time.monotonic() + seconds
        while host.do("sh", "-c", "timeout 5 virsh list >/dev/null && firewall-cmd --state -q").returncode != 0:
            assert time.monotonic() < end, f"{host.name} did not come back"
            time.sleep(1)
