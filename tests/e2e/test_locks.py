"""Two reconcilers, each with a state folder of its own as on two machines: the hosts keep them apart.

A lock ends with its run, however that ends, and a run that lost it changes nothing any more.
"""

import os
import re
import signal
import time
from collections.abc import Iterator
from subprocess import Popen

import pytest

from tests.e2e.hosts import LabHost
from tests.e2e.user import User

HERE = ("lq-d25", "lq-d26")
SMALL = ("--target", "host/lq-d25", "--target", "host/lq-d26", "--target", "firewall/compute")
BEGUN: list[Popen[str]] = []


@pytest.fixture(autouse=True)
def nobody_sleeps_on(fleet: dict[str, LabHost]) -> Iterator[None]:
    """Also after a failed test."""
    yield
    while BEGUN:
        BEGUN.pop().kill()


def begun(user: User, host: LabHost, point: str, *words: str, **environment: str) -> Popen[str]:
    """An apply that has its locks and rests at a failpoint."""
    process = user.start("apply", str(user.folder), "--yes", *words, RECONCILER_FAILPOINT=point, **environment)
    BEGUN.append(process)
    end = time.monotonic() + 90
    while " held " not in host.do("cat", "/run/reconciler.lock").stdout:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no lock was taken"
        time.sleep(0.2)
    return process


def moving(user: User) -> None:
    """The move has begun, by the journal, and rests at its failpoint."""
    end = time.monotonic() + 60
    runs = user.folder.parent / "state/reconciler/runs"
    while not any('"begin", "action": "vm/mvp4_lqd25@lq-d26:move-live"' in f.read_text() for f in runs.iterdir()):
        assert time.monotonic() < end, "no move began"
        time.sleep(0.2)
    time.sleep(1)


def run_of(host: LabHost) -> str:
    return host.out("cat", "/run/reconciler.lock").split()[0]


def marked(host: LabHost, run: str) -> str:
    return host.do("sh", "-c", f"grep -lzsx RECONCILER_RUN={run} /proc/[0-9]*/environ").stdout


def other(user: User) -> dict[str, str]:
    """The environment of somebody at another machine."""
    return {"XDG_STATE_HOME": str(user.folder.parent / "elsewhere")}


def test_the_second_is_told_who_is_at_it_and_unlock_needs_the_id(user: User, d25: LabHost, d26: LabHost) -> None:
    first = begun(user, d25, "host.write-hosts.done=sleep:600", *SMALL)
    run = run_of(d25)
    said = user.apply(*SMALL, code=3, **other(user))
    assert re.search(rf"lq-d2[56] is locked by \S+@\S+ \(process {first.pid}\) since .*, run {run}", said.err), (
        said.text
    )
    waited = user.apply(*SMALL, "--lock-timeout", "1s", code=3, **other(user))
    assert "Waiting: " in waited.err

    wrong = user.run("unlock", "20200101T000000Z-000000", str(user.folder))
    assert wrong.code == 1, wrong.text
    assert f"run {run}" in wrong.err
    assert run_of(d25) == run
    assert " held " in d25.out("cat", "/run/reconciler.lock")
    right = user.run("unlock", run, str(user.folder), "-o", "json")
    assert (right.code, right.data["hosts"]) == (0, dict.fromkeys(HERE, "unlocked")), right.text
    assert marked(d25, run) == marked(d26, run) == ""
    again = user.run("unlock", run, str(user.folder))
    assert again.code == 0
    assert "No host is locked by" in again.err

    user.apply(*SMALL, **other(user))
    assert "Nothing to do" in user.plan(*SMALL).out


def test_a_holder_that_wakes_up_late_changes_nothing(running: User, d25: LabHost, d26: LabHost) -> None:
    """Stopped in the middle of a move, with libvirt's connections open; another pass finishes it; then it wakes up."""
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    first = begun(running, d25, "move.ready=sleep:6", RECONCILER_LOCK_SECONDS="4")
    moving(running)
    run = run_of(d25)
    os.kill(first.pid, signal.SIGSTOP)
    assert marked(d25, run), "its connection to libvirt is there"
    end = time.monotonic() + 30
    while any(host.do("flock", "-n", "/run/reconciler.lock", "true").returncode for host in (d25, d26)):
        assert time.monotonic() < end, "the lock does not end"
        time.sleep(0.5)
    assert marked(d25, run) == marked(d26, run) == "", "nothing of it may act any more"
    running.apply(**other(running))
    assert d26.domains()["mvp4_lqd25"] == "running"
    before = [
        host.sh("cat /root/.ssh/authorized_keys; virsh list --all; nft list ruleset | grep 49152 || true")
        for host in (d25, d26)
    ]
    os.kill(first.pid, signal.SIGCONT)
    out, err = first.communicate(timeout=120)
    assert first.returncode == 3, out + err
    assert "lost its lock on lq-d2" in err
    assert "nothing more was changed" in err
    after = [
        host.sh("cat /root/.ssh/authorized_keys; virsh list --all; nft list ruleset | grep 49152 || true")
        for host in (d25, d26)
    ]
    assert after == before
    running.in_sync()


def test_a_killed_holder_frees_at_once_and_a_stale_view_is_looked_at_again(
    user: User, d25: LabHost, d26: LabHost
) -> None:
    first = begun(user, d25, "host.write-hosts.done=sleep:600", *SMALL)
    second = user.start("apply", str(user.folder), "--yes", *SMALL, "--lock-timeout", "2m", **other(user))
    assert second.stderr is not None
    while "Waiting: " not in second.stderr.readline():
        assert second.poll() is None
    began = time.monotonic()
    first.kill()
    first.communicate()
    out, err = second.communicate(timeout=200)
    assert second.returncode == 0, out + err
    assert "Another run was on lq-d25, lq-d26 meanwhile; looking again." in err
    assert time.monotonic() - began < 50, "a silent holder has 60 s, a dead one none"
    assert "Nothing to do" in user.plan(*SMALL).out


SILENT = "did not answer within|does not answer|did not end within|cannot run a command|cannot be reached"


@pytest.mark.parametrize("unit", ["libvirtd", "ssh"])
def test_a_daemon_that_hangs_does_not_hang_the_pass(user: User, d25: LabHost, d26: LabHost, unit: str) -> None:
    """Stopped before a plan, and in the middle of an apply; it goes on where it was, and so does the next pass."""
    began = time.monotonic()
    try:
        d26.sh(f"systemctl kill -s STOP {unit}")
        said = user.plan("--deadline", "4")
    finally:
        d26.sh(f"systemctl kill -s CONT {unit}")
    assert time.monotonic() - began < 40, "4 s each for what is asked, and the program itself"
    assert re.search(SILENT, said.text), said.text
    assert "lq-d26" in said.text
    sessions = "kill -s {} $(pgrep -f '^sshd: root')" if unit == "ssh" else ": {}"
    words = SMALL if unit == "ssh" else (*SMALL[:4], "--target", "pool/CONT_VOL_COMP")
    process = begun(user, d26, "host.write-hosts.done=sleep:3", *words)
    try:
        d26.sh(f"systemctl kill -s STOP {unit}; {sessions.format('STOP')}")
        out, err = process.communicate(timeout=150)
    finally:
        d26.sh(f"systemctl kill -s CONT {unit}; {sessions.format('CONT')}")
    assert process.returncode == 1, out + err
    assert re.search(SILENT, err), err
    assert "lq-d26" in err


def test_a_broken_connection_is_made_again_to_close_what_was_opened(running: User, d25: LabHost, d26: LabHost) -> None:
    """sshd of the destination goes away with every session, and is back some seconds later: nothing stays open."""
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    process = begun(running, d26, "move.ready=sleep:4")
    moving(running)
    try:
        d26.sh("systemctl stop ssh; kill $(pgrep -f '^sshd: root')")
        time.sleep(8)
    finally:
        d26.sh("systemctl start ssh")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert "is refused, key deleted" in err
    assert d25.domains()["mvp4_lqd25"] == "running"
    assert "mvp4_lqd25" not in d26.domains()
