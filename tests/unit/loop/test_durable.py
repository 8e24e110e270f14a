"""The queue of passes over processes that live, die and come back, on SQLite and on PostgreSQL.

The passes only write down when they began and ended; real ones are in test_passing and tests/e2e/test_loop.
"""

import time
from pathlib import Path

from reconciler.loop.ledger import Ledger
from tests.unit.loop.crew import crew, overlaps, wait_for


def test_passes_come_at_the_interval_and_at_once_when_asked(database: str, tmp_path: Path) -> None:
    with crew(database, tmp_path, interval=2.0) as controllers:
        controllers.start()
        first = controllers.until(1, "begin")[0]
        assert first.trigger == "schedule"
        lines = controllers.until(3, "begin", 15)
        assert 1.0 < lines[2].when - lines[1].when < 4.0
        controllers.stop()
        controllers.interval = 3600.0
        controllers.start()
        ledger = Ledger(database)
        controllers.until(4, "end")
        wait_for(lambda: [row.status for row in ledger.waiting()] == ["DELAYED"])
        asked, before = time.time(), len(controllers.lines())
        ledger.result(ledger.ask("a", "trigger", "me"))
        assert time.time() - asked < 3.0
        assert [line.trigger for line in controllers.lines()[before:]] == ["trigger", "trigger"]
        newest = ledger.rows("a", status=["SUCCESS"], limit=1, full=True)[0]
        assert (newest.trigger, newest.by, newest.record["count"]) == ("trigger", "me", ledger.last("a")["count"])
        ledger.close()


def test_a_fleet_has_one_pass_at_a_time_over_processes(database: str, tmp_path: Path) -> None:
    with crew(database, tmp_path, fleets=("a", "b"), seconds=0.6) as controllers:
        controllers.start()
        controllers.start()
        controllers.until(2)
        ledger = Ledger(database)
        for _ in range(3):
            ledger._enqueue(f"a/{time.time_ns()}", "a", "trigger", "me")  # not `ask`, which would see those that wait
            ledger._enqueue(f"b/{time.time_ns()}", "b", "trigger", "me")
        lines = controllers.until(8)
        ledger.close()
        assert overlaps(controllers.lines()) == []
        together = [line for line in controllers.lines("begin", "a") if line.trigger == "trigger"]
        assert max(line.when for line in lines) - together[0].when < 8.0, "two fleets do not wait for each other"


def test_asked_while_one_waits_is_one(sqlite: str, tmp_path: Path) -> None:
    with crew(sqlite, tmp_path, seconds=2.0) as controllers:
        controllers.start()
        controllers.until(1, "begin")
        ledger = Ledger(sqlite)
        assert len({ledger.ask("a", "trigger", "me") for _ in range(5)}) == 1
        controllers.until(2)
        ledger.close()
        assert len(controllers.lines("begin")) == 2


def test_killed_in_a_pass_it_goes_on_at_the_next_start(database: str, tmp_path: Path) -> None:
    with crew(database, tmp_path, seconds=30.0) as controllers:
        first = controllers.start()
        controllers.until(1, "begin")
        controllers.kill(first)
        controllers.start(seconds=0.1)
        lines = controllers.until(1, "end", 10)
        assert len(controllers.lines("begin")) == 2
        assert lines[0].pid != first.pid
        ledger = Ledger(database)
        ended = wait_for(lambda: ledger.rows("a", status=["SUCCESS"]))
        assert [row.attempts for row in ended] == [2]
        ledger.close()


def test_survivors_take_over_what_a_dead_controller_left(database: str, tmp_path: Path) -> None:
    fleets = ("a", "b", "c")
    with crew(database, tmp_path, fleets=fleets, seconds=30.0) as controllers:
        first = controllers.start()
        controllers.until(3, "begin")
        second = controllers.start(seconds=0.1)
        time.sleep(2.0)
        assert not controllers.lines("end"), "nobody takes a pass from one that lives"
        killed = time.time()
        controllers.kill(first)
        lines = controllers.until(3)
        assert {line.pid for line in lines} == {second.pid}
        assert max(line.when for line in lines) - killed < 3 * 0.3 + 4.0
        assert overlaps(controllers.lines(), {first.pid}) == []


def test_stopped_gently_it_ends_its_pass_and_leaves_the_rest(sqlite: str, tmp_path: Path) -> None:
    with crew(sqlite, tmp_path, seconds=1.5) as controllers:
        controllers.start()
        controllers.until(1, "begin")
        controllers.stop()
        assert len(controllers.lines("end")) == 1
        ledger = Ledger(sqlite)
        assert [row.status for row in ledger.waiting()] == ["DELAYED"]
        ledger.close()


def test_old_passes_are_forgotten_but_for_the_newest(sqlite: str, tmp_path: Path) -> None:
    with crew(sqlite, tmp_path, fleets=("a", "b"), seconds=0.0) as controllers:
        controllers.start()
        controllers.until(2)
        ledger = Ledger(sqlite)
        wait_for(lambda: len(ledger.rows(status=["SUCCESS"])) == 2 or None)
        ledger.result(ledger.ask("a", "trigger", "me"))
    assert ledger.forget(time.time() + 60) == 1
    assert len(ledger.rows("b", status=["SUCCESS"])) == 1
    assert ledger.last("a")["count"] == 2
    ledger.close()
