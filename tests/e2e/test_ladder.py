"""Guests that do not converge, on the lab: each last rung, post-copy and its break, parallel and compressed copies.

The heartbeat shows that it is the same guest, and not one that booted again.
"""

import json
import re
import time
from subprocess import Popen
from typing import Any

import pytest

from tests.e2e.hosts import LabHost, lab
from tests.e2e.user import Said, User

VM = "mvp4_lqd25"
post_copy = pytest.mark.skip(reason="specs may not ask for post-copy: recovery is not dependable, decision 0024")


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


@post_copy
def test_post_copy_is_the_last_rung_where_it_is_allowed(running: User, d25: LabHost, d26: LabHost) -> None:
    moving(running, "bandwidth: 8MiB/s, postCopy: true", dirty=20)
    before, began = uptime(), time.monotonic()
    said = running.apply("-o", "json")
    kept = facts(said)
    assert kept["rungs"] == ["downtime 300 -> 450 ms", "downtime 450 -> 500 ms", "post-copy"]
    assert kept["post_copy"] is True
    assert "does not converge: " in said.err
    assert d26.domains()[VM] == "running"
    assert VM not in d25.domains()
    survived(before, began)


@pytest.mark.parametrize("how", ["connections: 2", "compress: true"])
def test_parallel_and_compressed_copies_arrive(running: User, d26: LabHost, how: str) -> None:
    moving(running, how, dirty=0)
    running.apply()
    assert d26.domains()[VM] == "running"


def in_post_copy(user: User, d26: LabHost, rate: str = "8MiB/s") -> Popen[str]:
    """An apply whose move has switched to post-copy and is not at its end."""
    moving(user, f"bandwidth: {rate}, timeout: 2s, postCopy: true, onTimeout: post-copy")
    process = user.start("apply", str(user.folder), "--yes")
    end = time.monotonic() + 90
    while "running (post-copy)" not in d26.do("virsh", "domstate", "--reason", VM).stdout:
        assert time.monotonic() < end, "no post-copy began"
        assert process.poll() is None, process.communicate()
        time.sleep(0.3)
    return process


def halves(d25: LabHost, d26: LabHost) -> list[str]:
    return [host.domains().get(VM, "absent") for host in (d25, d26)]


def whole(user: User, d25: LabHost, d26: LabHost) -> None:
    assert halves(d25, d26) == ["absent", "running"]
    assert d26.dominfo(VM)["Persistent"] == "yes"
    user.in_sync()


@post_copy
def test_a_broken_post_copy_is_recovered_by_the_next_pass(running: User, d25: LabHost, d26: LabHost) -> None:
    before, began = uptime(), time.monotonic()
    process = in_post_copy(running, d26)
    d25.out("virsh", "domjobabort", "--postcopy", VM)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert f"post-copy broke, {VM} has memory on lq-d25 and on lq-d26" in err
    assert "is refused, key deleted" in err
    assert halves(d25, d26) == ["paused", "running"]
    assert "recover the broken post-copy lq-d25 -> lq-d26" in running.plan().out
    running.edit("vms.yaml", "bandwidth: 8MiB/s", "bandwidth: 1GiB/s")
    running.apply()
    whole(running, d25, d26)
    survived(before, began)


@post_copy
def test_a_link_cut_in_post_copy_is_waited_out_by_the_next_pass(running: User, d25: LabHost, d26: LabHost) -> None:
    """QEMU does not notice; the daemons do after half a minute, and the copy goes on without them when it is back."""
    before, began = uptime(), time.monotonic()
    process = in_post_copy(running, d26)
    lab("cut", "lq-d25", "lq-d26")
    try:
        out, err = process.communicate(timeout=200)
    finally:
        lab("heal")
    assert process.returncode in (1, 7), out + err
    assert f"post-copy broke, {VM} has memory on lq-d25 and on lq-d26" in err
    assert halves(d25, d26) == ["paused", "running"]
    running.apply()
    whole(running, d25, d26)
    survived(before, began)


@post_copy
def test_a_daemon_killed_in_post_copy_costs_nothing(running: User, d25: LabHost, d26: LabHost) -> None:
    before, began = uptime(), time.monotonic()
    process = in_post_copy(running, d26)
    d25.sh("systemctl kill -s KILL --kill-whom=main libvirtd")
    out, err = process.communicate(timeout=200)
    end = time.monotonic() + 120
    while halves(d25, d26)[0] == "paused":
        assert time.monotonic() < end, out + err
        time.sleep(2)
    running.apply()
    whole(running, d25, d26)
    survived(before, began)


@post_copy
def test_a_half_whose_qemu_was_killed_is_for_a_person(running: User, d25: LabHost, d26: LabHost) -> None:
    process = in_post_copy(running, d26)
    d26.sh("kill -9 $(pgrep -f '[g]uest=mvp4_lqd25,')")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 6, out + err
    seen = halves(d25, d26)
    assert seen[0] == "paused", seen
    said = running.apply(code=6)
    assert "its post-copy broke, and its other half is gone" in said.text
    assert halves(d25, d26) == seen
