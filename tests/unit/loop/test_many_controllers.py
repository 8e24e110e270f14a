"""Three controllers, six fleets, one PostgreSQL, kills at random: each fleet goes on, one pass at a time, nothing lost.

The passes are real ones from a real repository over fleets in memory; seeded, so that a failure can be had again.
"""

import random
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from reconciler.loop.ledger import Ledger
from tests.fakes.fleets import settled
from tests.origin import Origin
from tests.postgres import made
from tests.unit.loop.crew import Crew, crew, overlaps, wait_for

FLEETS = tuple("abcdef")
INTERVAL, EVERY, LONGEST = 3.0, 0.3, 15.0
"""Seconds. A fleet's longest pause: interval and jitter, three looks, a start; the rest is for a busy machine."""


def test_controllers_die_and_the_fleets_go_on(postgres: str, tmp_path: Path) -> None:
    Origin(tmp_path / "origin").commit({"specs/fleet.yaml": settled(web="lq-d25").specs.text})
    chance, killed = random.Random(7), set()  # noqa: S311
    database = made(postgres)
    with crew(
        database, tmp_path, fleets=FLEETS, every=EVERY, interval=INTERVAL, module="tests.unit.loop.simulated"
    ) as team:
        for _ in range(3):
            team.start(seconds=0.5)
        team.until(len(FLEETS))
        for _ in range(4):
            time.sleep(chance.uniform(0.5, 3.0))
            victim = wait_for(lambda: _at_work(team))
            killed.add(victim.pid)
            team.kill(victim)
            team.start(seconds=0.5)
        last = time.time()
        wait_for(lambda: all([1 for line in team.lines("end", f) if line.when > last][1:] for f in FLEETS) or None, 40)
        team.stop()
        ended, began = team.lines("end"), team.lines("begin")
    assert overlaps(team.lines(), killed) == []
    for fleet in FLEETS:
        times = sorted(line.when for line in ended if line.fleet == fleet)
        assert max(b - a for a, b in pairwise(times)) < LONGEST, f"{fleet} waited too long"
    assert len({line.pid for line in ended}) >= 2, "the work was shared"
    lost = [line for line in began if line.pid not in killed and not any(_same(line, end) for end in ended)]
    assert lost == []
    ledger = Ledger(database)
    rows = ledger.rows(full=True)
    assert {row.status for row in rows} <= {"SUCCESS", "DELAYED", "ENQUEUED"}, "none is left behind with the dead"
    again = [row for row in rows if row.attempts > 1]
    print(f"{len(ended)} passes, {len(killed)} controllers killed, {len(again)} passes begun again")
    assert again, "at least one pass was cut off, or the kills prove nothing: choose another seed"
    assert all(row.record["passed"]["verdict"] == "in-sync" for row in rows if row.status == "SUCCESS")
    ledger.close()


def _at_work(team: Crew) -> Any:
    """A controller in the middle of a pass."""
    lines = team.lines()
    for begin in reversed([line for line in lines if line.word == "begin"]):
        over = any(end.word == "end" and end.when >= begin.when and _same(begin, end) for end in lines)
        if not over:
            return next((member for member in team.members if member.pid == begin.pid), None)
    return None


def _same(begin: object, end: object) -> bool:
    return all(getattr(begin, name) == getattr(end, name) for name in ("fleet", "pid", "trigger"))
