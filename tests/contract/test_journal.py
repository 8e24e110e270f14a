"""What every Journal keeps to: events in order, kept across a crash, a name for the run.

The file journal and the one in memory that tests use.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.journal import FileJournal, NoJournal, state_folder
from tests.fakes.fleets import MemoryJournal

Events = list[tuple[str, dict[str, Any]]]
Made = tuple[Any, Callable[[], Events]]


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    if request.param == "memory":
        memory = MemoryJournal()
        return memory, lambda: memory.events
    file = FileJournal(tmp_path)

    def read() -> Events:
        lines = [json.loads(line) for line in file.path.read_text(encoding="utf-8").splitlines()]
        return [(line.pop("event"), {k: v for k, v in line.items() if k != "time"}) for line in lines]

    return file, read


def test_events_are_kept_in_order(journal: Made) -> None:
    written, read = journal
    written.write("begin", action="vm/web@a:start", explain="start")
    written.write("end", action="vm/web@a:start", status="done", facts={"bytes": 3})
    assert read() == [
        ("begin", {"action": "vm/web@a:start", "explain": "start"}),
        ("end", {"action": "vm/web@a:start", "status": "done", "facts": {"bytes": 3}}),
    ]
    assert written.run


def test_many_threads_do_not_mix_lines(journal: Made) -> None:
    written, read = journal
    threads = [threading.Thread(target=lambda n=n: written.write("x", n=n, text="y" * 5000)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fields["n"] for _, fields in read()) == list(range(20))


def test_what_json_cannot_say_is_written_as_text(journal: Made) -> None:
    written, read = journal
    written.write("odd", path=Path("/tmp/x"), control="\x1b[2J\n")
    ((_, fields),) = read()
    assert str(fields["path"]) == "/tmp/x"
    assert fields["control"] == "\x1b[2J\n"


def test_each_run_has_its_own_file_for_its_owner_only(tmp_path: Path) -> None:
    one, two = FileJournal(tmp_path), FileJournal(tmp_path)
    assert one.run != two.run
    assert one.path != two.path
    assert (tmp_path / "runs").stat().st_mode & 0o077 == 0


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "reconciler"


def test_a_journal_that_cannot_be_written_stops_the_pass(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(OSError, match="runs"):
        FileJournal(tmp_path)


def test_no_journal_keeps_nothing() -> None:
    NoJournal().write("begin", action="x")
    assert NoJournal.run == "none"
