"""Post-copy on hosts whose libvirt and QEMU can recover it: as the last rung, broken in every way, put together again.

Needs a lab of such hosts; on any other these tests are skipped.
"""

import time
from subprocess import Popen

import pytest

from tests.e2e.hosts import SUITE, LabHost, lab
from tests.e2e.test_crashes import killed_at
from tests.e2e.test_ladder import VM, facts, moving, survived, uptime
from tests.e2e.test_placement import CHAIN
from tests.e2e.user import Said, User

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


def broken(user: User, d25: LabHost, d26: LabHost, rate: str = "8MiB/s") -> None:
    """A post-copy broken by libvirt's own means: half of the memory on each host, and a pass that said so."""
    process = in_post_copy(user, d26, rate)
    d25.out("virsh", "domjobabort", "--postcopy", VM)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 1, out + err
    assert f"post-copy broke, {VM} has memory on lq-d25 and on lq-d26" in err
    assert halves(d25, d26) == ["paused", "running"]
    user.edit("vms.yaml", f"bandwidth: {rate}", "bandwidth: 1GiB/s")


def passes(user: User, most: int = 3, again: tuple[int, ...] = (1,)) -> list[Said]:
    """As a schedule would make them: the next pass, and another one after each that ended with a code of `again`."""
    said = [user.run("apply", str(user.folder), "--yes")]
    while said[-1].code in again and len(said) < most:
        said.append(user.run("apply", str(user.folder), "--yes"))
    return said


@pytest.mark.parametrize(("encrypt", "kills"), [("off", ("recover.ready", "recover.migrated")), ("required", ())])
def test_a_broken_post_copy_is_recovered(
    running: User, d25: LabHost, d26: LabHost, encrypt: str, kills: tuple[str, ...]
) -> None:
    """In the clear though the passes be killed on their way, and over TLS."""
    if encrypt == "required":
        lab("certificates", "on")
    running.edit("fleet.yaml", "migration: {method: live,", f"migration: {{method: live, encrypt: {encrypt},")
    before, began = uptime(), time.monotonic()
    broken(running, d25, d26)
    assert "recover the broken post-copy lq-d25 -> lq-d26" in running.plan().out
    for name in kills:
        killed_at(running, name)
    said = passes(running)
    assert said[-1].code == 0, [each.text for each in said]
    whole(running, d25, d26)
    assert d26.dominfo(VM)["Autostart"] == "enable"
    survived(before, began)


def test_a_recovery_that_stands_still_is_broken_off_so_that_the_next_can_end(
    running: User, d25: LabHost, d26: LabHost
) -> None:
    """The daemons hear each other, and no byte of memory gets through any more."""
    before, began = uptime(), time.monotonic()
    broken(running.unencrypted(), d25, d26, "4MiB/s")
    running.edit("vms.yaml", "bandwidth: 1GiB/s", "bandwidth: 4MiB/s")
    process = running.start("apply", str(running.folder), "--yes")
    end = time.monotonic() + 60
    while "paused (post-copy)" not in d25.do("virsh", "domstate", "--reason", VM).stdout:
        assert time.monotonic() < end, "it was not taken up"
        time.sleep(0.2)
    d26.do("nft", "-f", "-", stdin=f"table inet held {{\n{CHAIN}\ntcp dport 49152-49215 drop\n}}\n}}\n")
    stood = time.monotonic()
    try:
        while "paused (post-copy failed)" not in d25.do("virsh", "domstate", "--reason", VM).stdout:
            assert time.monotonic() - stood < 100, "it was not broken off; QEMU alone takes a quarter of an hour"
            time.sleep(1)
        assert time.monotonic() - stood > 50, "it did not stand still"
    finally:
        d26.sh("nft delete table inet held")
    out, err = process.communicate(timeout=300)
    assert process.returncode in (1, 6, 7), out + err
    assert halves(d25, d26) == ["paused", "running"]
    running.edit("vms.yaml", "bandwidth: 4MiB/s", "bandwidth: 1GiB/s")
    said = passes(running, again=(1, 6, 7))
    assert said[-1].code == 0, [each.text for each in said]
    whole(running, d25, d26)
    survived(before, began)


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
