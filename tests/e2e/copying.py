"""A move whose slow copy is under way, and the checks that follow a fault in its middle.

Works through the command line and the hosts' own tools; it breaks nothing itself.
"""

import re
import time
from collections.abc import Callable
from subprocess import Popen

from tests.e2e.hosts import LabHost
from tests.e2e.user import User

VM = "mvp4_lqd25"
_FLOWS = re.compile(r"^Memory processed: +[0-9.]+ [MG]iB", re.M)


def copying(user: User, d25: LabHost, bandwidth: str = "8MiB/s", timeout: str = "") -> Popen[str]:
    """An apply whose slow copy is under way; `timeout` is the move's own."""
    limit = f", timeout: {timeout}" if timeout else ""
    user.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    user.edit("vms.yaml", "  vcpus: 1", f"  migration: {{bandwidth: {bandwidth}{limit}}}\n  vcpus: 1")
    process = user.start("apply", str(user.folder), "--yes")
    until("memory flows", lambda: bool(_FLOWS.search(d25.do("virsh", "domjobinfo", VM).stdout)), 120)
    return process


def until(what: str, true: Callable[[], bool], seconds: float) -> None:
    """Wait for a plain predicate."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def stays(d25: LabHost, d26: LabHost) -> None:
    """It runs where it ran, and nothing of it is on the other host."""
    assert d25.domains()[VM] == "running"
    assert VM not in d26.domains()


def arrives(user: User, d25: LabHost, d26: LabHost) -> None:
    """The next pass ends where an undisturbed one would have."""
    text = (user.folder / "vms.yaml").read_text()
    (user.folder / "vms.yaml").write_text(re.sub(r"bandwidth: \w+/s", "bandwidth: 1GiB/s", text))
    user.apply()
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    user.in_sync()
