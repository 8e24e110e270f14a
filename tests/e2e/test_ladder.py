"""Guests that do not converge, on the lab: last rungs, parallel and compressed copies. Post-copy is in newer/.

The heartbeat shows that it is the same guest, and not one that booted again.
"""

import json
import re
import time
from typing import Any

import pytest

from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import Said, User

VM = "mvp4_lqd25"


def moving(user: User, migration: str, dirty: int = 100) -> User:
    """The VM placed on lq-d26, moved that way; its guest rewrites so many MB of memory without end."""
    if dirty:
        lab("guest-ssh", VM, f"dirty {dirty} >/dev/null 2>&1 &")
    user.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    return user.edit("vms.yaml", "  vcpus: 1", f"  migration: {{{migration}}}\n  vcpus: 1")


def facts(said: Said) -> dict[str, Any]:
    """Of the move, from `apply -o json`."""
    outcomes = json.loads(said.out)["report"]["outcomes"]
    return dict(next(o["facts"] for o in outcomes if "move-live" in o["action"]))


def uptime() -> int:
    """Milliseconds the guest is up, by its own word, wherever it ran last."""
    beats = [line.split() for line in lab("heartbeat", VM, "-n", "2").splitlines() if re.match(r"\S+ \d+ \d+$", line)]
    return max(int(words[2]) for words in beats)


def survived(before: int, began: float) -> None:
    """It is up as long as it was, and the time since (a stall of post-copy and TCG's slow clock given)."""
    assert uptime() > before, "the guest booted again"
    assert uptime() - before < (time.monotonic() - began + 5) * 1000


def test_suspended_at_the_timeout_it_arrives_running(running: User, d25: LabHost, d26: LabHost) -> None:
    moving(running, "bandwidth: 32MiB/s, timeout: 4s, onTimeout: suspend")
    before, began = uptime(), time.monotonic()
    said = running.apply("-o", "json")
    assert facts(said)["rungs"][-1] == "suspended"
    assert "not there after 4 s" in said.err
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    survived(before, began)


@pytest.mark.parametrize("how", ["connections: 2", "compress: true"])
def test_parallel_and_compressed_copies_arrive(running: User, d26: LabHost, how: str) -> None:
    moving(running, how, dirty=0)
    running.apply()
    assert d26.domains()[VM] == "running"


def test_post_copy_is_refused_where_it_could_not_be_recovered(running: User, d25: LabHost, d26: LabHost) -> None:
    moving(running, "postCopy: true", dirty=0)
    said = running.apply(code=1)
    assert "recovered from libvirt 12.8 and QEMU 11.1 on only: libvirt 9.0" in said.text
    assert (d25.domains()[VM], d26.domains()) == ("running", {})
