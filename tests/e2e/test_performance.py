"""Row 15 of the practice: what a busy guest could do before a move and can after it, beside `virsh domstats`.

Asserts structure and plausible sizes, never tight numbers: the lab's guests are emulated, on two cores.
"""

import json
import time

from tests.e2e.hosts import LabHost, lab
from tests.e2e.test_main_job import VM, address_of
from tests.e2e.user import User

LOAD = "while :; do dd if=/dev/zero of=/mnt/load bs=16k count=256 conv=notrunc oflag=direct 2>/dev/null; done"


def by_virsh(host: LabHost, seconds: float = 1.5) -> dict[str, float]:
    """Nanoseconds on the vCPU and bytes written per second, and nanoseconds per write."""

    def counted() -> tuple[float, dict[str, int]]:
        lines = host.out("virsh", "domstats", VM, "--vcpu", "--block").split()
        found = dict(line.split("=", 1) for line in lines if "=" in line)
        names = ("vcpu.0.time", "block.0.wr.bytes", "block.0.wr.times", "block.0.wr.reqs")
        return time.monotonic(), {name: int(found[name]) for name in names}

    began, first = counted()
    time.sleep(seconds)
    ended, then = counted()
    grown = {name: then[name] - first[name] for name in then}
    assert grown["block.0.wr.reqs"] > 0, "the load writes"
    return {
        "vCPU": grown["vcpu.0.time"] / (ended - began),
        "disk write": grown["block.0.wr.bytes"] / (ended - began),
        "disk write latency": grown["block.0.wr.times"] / grown["block.0.wr.reqs"],
    }


def near(one: float, other: float) -> bool:
    """The same thing measured at other moments on a busy machine: within a factor of six."""
    return one / 6 < other < one * 6


def test_a_busy_guest_is_measured_on_both_sides_of_its_move(running: User, d25: LabHost, d26: LabHost) -> None:
    lab("guest-ssh", address_of(), f"setsid sh -c '{LOAD}' >/dev/null 2>&1 </dev/null &")
    time.sleep(1)
    there = by_virsh(d25)
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    assert "? measure again and compare with before the move, 2.0 s" in running.plan().out
    (forecast,) = running.plan("--measure", "-o", "json").data["forecast"]["moves"]
    assert forecast["basis"] == "measured"
    assert "dirtyrate.calc_status=2" in d25.out("virsh", "domstats", VM, "--dirtyrate"), "QEMU measured it"
    said = running.apply("-o", "json").data
    here = by_virsh(d26)

    ended = {outcome["action"]: outcome for outcome in said["report"]["outcomes"]}
    before, after = ended[f"vm/{VM}@lq-d25:measure"], ended[f"vm/{VM}@lq-d26:measure-again"]
    assert (before["facts"]["host"], after["facts"]["host"]) == ("lq-d25", "lq-d26")
    assert 4 <= len(before["facts"]["windows"]) <= len(after["facts"]["windows"]) == 8
    assert after["facts"]["seconds"] >= 2
    assert after["facts"]["verdict"] in ("same", "better", "worse"), "a busy disk is judged"
    assert "disk write " in after["text"]
    assert " (bound " in after["text"]
    for name, value in there.items():
        found = after["facts"]["measures"][name]
        assert found["verdict"] != "idle", name
        assert found["bound_percent"] >= 10
        assert near(found["before"], value), (name, found, value)
        assert near(found["after"], here[name]), (name, found, here[name])

    journal = running.folder.parent / "state" / "reconciler" / "runs" / f"{said['report']['run']}.jsonl"
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    ends = {event["action"]: event for event in events if event["event"] == "end"}
    moved = ends[f"vm/{VM}@lq-d26:move-live"]["facts"]
    assert all(moved[name] > 0 for name in ("bytes", "rate", "iterations", "milliseconds", "downtime_ms"))
    assert ends[after["action"]]["facts"] == after["facts"], "what was found is kept"

    running.edit("vms.yaml", "placement: {host: lq-d26}", "placement: {host: lq-d25}\n  migration: {measure: 0s}")
    back = running.apply()
    assert "move live lq-d26 -> lq-d25" in back.out
    assert "measure vCPU" not in back.text
    assert "? measure" not in back.out
