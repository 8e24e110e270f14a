"""PostgreSQL goes away under controllers at work and comes back: passes go on by themselves, nothing is lost.

Also never two of a fleet at a time, although the locks of everybody's sessions went with the server.
"""

import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.loop.ledger import Ledger
from tests.postgres import Server, made, server
from tests.unit.loop.crew import Crew, Line, crew, overlaps, wait_for

SHORT, LONG = ("a", "b", "c"), ("d", "e")
"""Fleets whose passes take a fraction of a second, and those whose passes outlast the time without a database."""
AWAY, ON = 6.0, 40.0
"""Seconds without the database, and until every fleet passes again after it is back; the guide says how they belong."""


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_database_goes_away_and_comes_back(mode: str, tmp_path: Path) -> None:
    with server() as postgres:
        database = made(postgres.url)
        with crew(database, tmp_path, every=1.0, interval=2.0) as team:
            for _ in range(2):
                team.start(*SHORT, seconds=0.3)
                team.start(*LONG, seconds=AWAY + 4.0)
            team.until(6, fleet="a", seconds=60)
            wait_for(lambda: {line.fleet for line in _running(team)} >= set(LONG) or None, 60)
            running, left, back = _away(postgres, mode, team)
            fleets = SHORT + LONG
            wait_for(lambda: all(_after(team, "begin", fleet, back) for fleet in fleets) or None, ON)
            longest = max(_after(team, "begin", fleet, back)[0].when - back for fleet in fleets)
            wait_for(lambda: all(_after(team, "end", fleet, back) for fleet in fleets) or None, 60)
            team.stop()
        pauses = max(b.when - a.when for fleet in SHORT for a, b in pairwise(team.lines("end", fleet)))
        print(f"{mode}: away {back - left:.1f} s; all again {longest:.1f} s after; longest pause {pauses:.1f} s")
        assert overlaps(team.lines()) == []
        assert {line.fleet for line in running} >= set(LONG)
        for line in running:
            ends = [end for end in team.lines("end", line.fleet) if end.pid == line.pid and end.when > line.when]
            assert ends, f"the pass of {line.fleet} went on to its end"
        _all_recorded(database, team)


def test_told_to_stop_while_the_database_is_away(tmp_path: Path) -> None:
    with server() as postgres, crew(made(postgres.url), tmp_path) as team:
        member = team.start()
        ledger = Ledger(team.database)
        wait_for(lambda: [row.status for row in ledger.waiting()] == ["DELAYED"])
        ledger.close()
        postgres.stop()
        time.sleep(2.0)
        member.send_signal(signal.SIGTERM)
        assert member.wait(40) == 0, "no pass runs, so nothing has to be recorded first"
        team.members.clear()


def _away(postgres: Server, mode: str, team: Crew) -> tuple[list[Line], float, float]:
    """The passes that ran when it went, when that was, and when it was back."""
    left, running = time.time(), _running(team)
    postgres.stop(mode)
    time.sleep(AWAY)
    postgres.start()
    return running, left, time.time()


def _running(team: Crew) -> list[Line]:
    open_: dict[str, Line] = {}
    for line in team.lines():
        if line.word == "begin":
            open_[line.fleet] = line
        else:
            open_.pop(line.fleet, None)
    return list(open_.values())


def _after(team: Crew, word: str, fleet: str, when: float) -> list[Line]:
    return [line for line in team.lines(word, fleet) if line.when > when]


def _all_recorded(database: str, team: Crew) -> None:
    """Each pass that ended is a row that says so, none was made twice, and each fleet's next one waits."""
    ledger = Ledger(database)
    rows = ledger.rows(full=True)
    assert {row.status for row in rows} <= {"SUCCESS", "DELAYED", "ENQUEUED"}
    done = [row for row in rows if row.status == "SUCCESS"]
    assert len(done) == len(team.lines("end")) == len(team.lines("begin"))
    assert {row.attempts for row in done} == {1}, "nobody took a pass from one that lives"
    for fleet in SHORT + LONG:
        assert max(row.record["count"] for row in done if row.fleet == fleet) == len(team.lines("end", fleet))
    assert {row.fleet for row in rows if row.status != "SUCCESS"} == set(SHORT + LONG)
    ledger.close()
