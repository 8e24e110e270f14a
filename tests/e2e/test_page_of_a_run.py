"""`apply -o html` of a real move: the page tells its rate and how long the guest stood still, as libvirt counted."""

import json
import re
from html import unescape

from tests.e2e.hosts import LabHost
from tests.e2e.test_main_job import VM
from tests.e2e.user import User


def test_the_page_of_a_move_shows_rate_and_downtime(running: User, d26: LabHost) -> None:
    running.edit("vms.yaml", "placement: {host: lq-d25}", "placement: {host: lq-d26}")
    comment = running.run("plan", str(running.folder), "-o", "markdown")
    assert comment.code == 0, comment.text
    assert f"<b>move-live</b>: <code>vm/{VM.replace('_', '&#95;')}</code>" in comment.out
    said = running.apply("-o", "html")
    assert d26.out("virsh", "list", "--name").split() == [VM]

    words = " ".join(unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", said.out, flags=re.S)).split())
    journal = max((running.folder.parent / "state/reconciler/runs").glob("*.jsonl"))
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    (facts,) = [e["facts"] for e in events if e["event"] == "end" and e["action"].endswith(":move-live")]
    assert re.search(r"OK: done, and everything is as declared", words)
    shown = re.search(rf"{VM} lq-d25 to lq-d26 [\d.]+ m?s ([\d.]+) MiB ([\d.]+) ([KMG]iB)/s (\d+) ms done", words)
    assert shown, words[-1500:]
    assert abs(float(shown[1]) - facts["bytes"] / 2**20) < 1
    assert int(shown[4]) == facts["downtime_ms"] > 0
    assert abs(float(shown[2]) * {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[shown[3]] / facts["rate"] - 1) < 0.1
