"""The whole practice once, on NFS 4.2: from bare hosts to a moved guest and no access left.

Each step is judged by what the hosts say, and measured.
"""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.nfs.figures import Figures
from tests.nfs.hosts import Host, lab
from tests.nfs.program import TARGET, VM, Answer, Program

STEAL = "until cp /run/reconciler/leases/*/key /root/stolen 2>/dev/null; do sleep 0.2; done; echo stolen"
DISK = "cd /mnt && wc -l < boots && sha256sum data.bin && cat data.sha256"
LOGIN = (
    "ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=60 -o StrictHostKeyChecking=no "
    "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i /root/stolen root@{there} true"
)


@pytest.mark.timeout(9000)
def test_practice_on_nfs(fleet: dict[str, Host], figures: Figures, tmp_path: Path) -> None:
    source, there = fleet["lq-d25"], fleet["lq-d26"]
    program = Program(tmp_path / "fleet")
    program.write([source, there], source.name)
    _kernels(fleet, figures)
    _build(program, figures)
    _see_nfs([source, there], figures)
    uuid = _see_guest(source, there, figures)
    program.write([source, there], there.name)
    with figures.step("plan after the edit of placement: one live move"):
        plan = program.run("plan", "-o", "json", "--detailed-exitcode").must(2).data
        verbs = [action["id"].split(":", 1)[1] for action in plan["actions"]]
        assert any(verb.startswith("move-live") for verb in verbs), verbs
        assert not plan["refusals"]
    figures.fact("the plan's actions", ", ".join(verbs))
    _move(program, source, figures)
    with figures.step("the guest runs on exactly one host, with the same UUID"):
        assert there.running() == {VM: uuid}
        assert source.running() == {}
        assert VM not in source.defined()
    _see_no_pause(source, there, figures)
    with figures.step("the guest answers ssh from outside; it booted once, and its data on the NFS pool is unharmed"):
        boots, seen, expected = lab("guest-ssh", VM, DISK).splitlines()
        assert (boots.strip(), seen) == ("1", expected)
    _see_revocation(source, there, figures)
    with figures.step("plan again: nothing to do; no lease; status in sync"):
        program.run("plan", "--detailed-exitcode").must(0)
        assert "No lease is open" in program.run("leases list").must(0).out
        status = program.run("status", "-o", "json").must(0).data["status"]
        assert set(status.values()) == {"in sync"}, status


def _kernels(fleet: dict[str, Host], figures: Figures) -> None:
    for host in fleet.values():
        figures.fact(f"kernel of {host.name}", host.say("uname -r; systemd-detect-virt"))
    versions = "libvirtd --version; qemu-system-x86_64 --version | head -n1; ssh -V 2>&1"
    figures.fact("software of the hosts", "; ".join(fleet["lq-d25"].say(versions).splitlines()))


def _build(program: Program, figures: Figures) -> None:
    with figures.step("validate"):
        program.run("validate").must(0)
    with figures.step("plan on bare hosts"):
        program.run("plan", "--detailed-exitcode").must(2)
    with figures.step(
        "apply: names, firewall, NFS pool on both hosts, clone of mvp1, start, checks tcp 22 and ssh banner"
    ):
        _keep("apply 1", program.run("apply", "--yes", "-o", "json"), figures)
    with figures.step("plan again: nothing to do"):
        program.run("plan", "--detailed-exitcode").must(0)


def _see_nfs(hosts: list[Host], figures: Figures) -> None:
    with figures.step("both hosts have mounted NFS 4.2"):
        for host in hosts:
            kind, export, options = host.mount(TARGET)
            figures.fact(f"mount on {host.name}", f"{kind} {export} {options}")
            assert (kind, export) == ("nfs4", "nas.vpd.com:/export/comp")
            assert "vers=4.2" in options.split(",")


def _see_guest(source: Host, there: Host, figures: Figures) -> str:
    """Its UUID."""
    with figures.step("the clone runs on its host only, its disk on the NFS pool"):
        running = source.running()
        assert set(running) == {VM}
        assert VM not in there.defined()
        disk = source.say(f"virsh domblklist {VM} | awk '$1 == \"vda\" {{print $2}}'")
        assert disk.startswith(f"{TARGET}/")
    figures.fact("the guest's disk", disk)
    return running[VM]


def _move(program: Program, source: Host, figures: Figures) -> None:
    """The live move, while somebody on the source copies the leased key as soon as it is there."""
    thief = source.start(STEAL)
    try:
        with figures.step("apply: lease, live move, proof, revocation"):
            _keep("apply 2", program.run("apply", "--yes", "-o", "json"), figures)
        with figures.step("the leased key was there while the guest moved (a copy was taken)"):
            assert "stolen" in thief.communicate(timeout=60)[0]
    finally:
        thief.kill()
        thief.wait()


def _see_no_pause(source: Host, there: Host, figures: Figures) -> None:
    """The guest counted on: its first heartbeat on the destination follows its last one on the source."""
    with figures.step("the guest went on counting: nothing lost, not booted anew"):
        end = time.monotonic() + 300
        while len(there.heartbeats(VM)) < 20 and time.monotonic() < end:
            time.sleep(5)
        before, after = source.heartbeats(VM), there.heartbeats(VM)[1:]  # the first may be a torn line
        assert before, "no heartbeat on the source"
        assert after, "no heartbeat on the destination"
        assert before[-1][0] < after[-1][0]
        assert after[0][0] - before[-1][0] <= 3, (before[-1], after[0])
        assert before[-1][1] <= after[0][1]
    figures.fact("last heartbeat on the source (counter, uptime in ms)", before[-1])
    figures.fact("first and newest heartbeat on the destination", f"{after[0]}, {after[-1]}")
    figures.fact(
        "longest time between two heartbeats around the move, by the guest's clock", f"{_gap(before, after)} ms"
    )


def _gap(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> int:
    times = [uptime for _, uptime in [*before[-5:], *after[:5]]]
    return max(late - early for early, late in pairwise(times))


def _see_revocation(source: Host, there: Host, figures: Figures) -> None:
    with figures.step("access is revoked: the copied key is refused; no key line, port rule, secret or unit is left"):
        code, said = source.ask(LOGIN.format(there=there.fqdn))
        figures.fact("login with the copied key after the move", f"exit {code}: {said.strip()}")
        assert code == 255
        assert "Permission denied" in said
        assert source.leftovers() + there.leftovers() == []


def _keep(what: str, answer: Answer, figures: Figures) -> None:
    """What the report says, into the figures; and it must be well."""
    report = answer.data.get("report", {}) if answer.out.startswith("{") else {}
    for outcome in report.get("outcomes", []):
        said = f"{outcome['status']}, {outcome['seconds']:.1f} s: {outcome['text']} {outcome['fix']}"
        kept = {
            key: value
            for key, value in outcome["facts"].items()
            if key in ("downtime_ms", "bytes", "iterations", "rate")
        }
        figures.fact(f"{what}: {outcome['action']}", f"{said} {kept or ''}")
    answer.must(0)
    assert report["verdict"] == "ok", report
