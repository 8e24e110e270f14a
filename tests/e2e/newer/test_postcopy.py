"""Post-copy on hosts whose libvirt and QEMU can recover it: as the last rung, broken in every way, put together again.

Needs a lab of such hosts; on any other these tests are skipped.
"""

import time
from subprocess import Popen

import pytest

from tests.e2e.hosts import SUITE, LabHost, lab
from tests.e2e.test_crashes import killed_at
from tests.e2e.test_ladder import VM, facts, moving, survived, uptime
from tests.e2e.user import User

pytestmark = pytest.mark.skipif(SUITE != "forky", reason="on a lab of newer hosts: make test-postcopy")


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


def recovered(user: User, d25: LabHost, d26: LabHost, *kills: str) -> None:
    """A post-copy broken by libvirt's own means is put together by the next pass, though that be killed on its way."""
    before, began = uptime(), time.monotonic()
    process = in_post_copy(user, d26)
    d25.out("virsh", "domjobabort", "--postcopy", VM)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert f"post-copy broke, {VM} has memory on lq-d25 and on lq-d26" in err
    assert halves(d25, d26) == ["paused", "running"]
    assert "recover the broken post-copy lq-d25 -> lq-d26" in user.plan().out
    user.edit("vms.yaml", "bandwidth: 8MiB/s", "bandwidth: 1GiB/s")
    for name in kills:
        killed_at(user, name)
    passes = [user.run("apply", str(user.folder), "--yes")]
    while passes[-1].code == 1 and len(passes) < 3:
        passes.append(user.run("apply", str(user.folder), "--yes"))
    assert passes[-1].code == 0, [said.text for said in passes]
    whole(user, d25, d26)
    assert d26.dominfo(VM)["Autostart"] == "enable"
    survived(before, began)


def test_a_broken_post_copy_is_recovered_by_the_next_pass(running: User, d25: LabHost, d26: LabHost) -> None:
    recovered(running.unencrypted(), d25, d26, "recover.ready", "recover.migrated")


def test_it_is_recovered_over_tls(running: User, d25: LabHost, d26: LabHost) -> None:
    lab("certificates", "on")
    recovered(
        running.edit("fleet.yaml", "migration: {method: live,", "migration: {method: live, encrypt: required,"),
        d25,
        d26,
    )


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
