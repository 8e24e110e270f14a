"""`-o html` of plan and apply over the fleet in memory: what was done, how long it took, and the last moves.

How the page looks is tests/unit/review's business.
"""

import re
import shutil
from html import unescape
from pathlib import Path

from reconciler.adapters.journal import state_folder
from reconciler.errors import Refused
from tests.fakes.fleets import Fleet
from tests.origin import Origin
from tests.unit.commands.conftest import Run


def _words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.S)).split())


def test_a_run_is_shown_with_rate_and_downtime(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    result = run("apply", "specs", "--yes", "-o", "html")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("<!DOCTYPE html>")
    said = _words(result.stdout)
    assert "OK: done, and everything is as declared." in said
    assert "web : lq-d25 to lq-d26 move-live" in said
    assert re.search(r"The last moves of this fleet .* web lq-d25 to lq-d26 .* GiB/s \d+ ms done", said)
    assert re.search(r"This run in time .* vm/web@lq-d26 move live lq-d25 -> lq-d26", said)
    later = _words(run("plan", "specs", "-o", "html").stdout)
    assert "Nothing to do: everything is as declared." in later
    assert "web lq-d25 to lq-d26" in later, "the last moves are shown with the next plan too"


def test_moves_of_the_loop_are_read_from_its_database(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin")
    fleet.place(web="lq-d26")
    origin.commit({"specs/fleet.yaml": fleet.specs.text})
    database = ("--database", f"sqlite:///{tmp_path}/shared.sqlite")
    assert run("run", "--repo", str(origin.bare), "--path", "specs", "--once", *database).exit_code == 0
    row = re.compile(r"web lq-d25 to lq-d26 .*? GiB/s \d+ ms done")
    both = _words(run("plan", "specs", "-o", "html", *database).stdout)
    assert len(row.findall(both)) == 1, "the journal and the database tell of one move"
    shutil.rmtree(state_folder() / "runs")  # as on another machine
    assert not row.search(_words(run("plan", "specs", "-o", "html").stdout))
    assert row.search(_words(run("plan", "specs", "-o", "html", *database).stdout))
    assert row.search(_words(run("apply", "specs", "--yes", "-o", "html", *database).stdout))


def test_a_page_is_made_without_the_database_too(run: Run, fleet: Fleet) -> None:
    made = run("plan", "specs", "-o", "html", "--database", "postgresql://reconciler@127.0.0.1:1/none")
    assert made.exit_code == 0
    assert made.stdout.startswith("<!DOCTYPE html>")
    assert "note: the loop's moves are not shown: the database of the loop does not answer" in made.stderr


def test_a_failed_run_says_so(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    fleet.world.fault = ("move.ready", Refused("lq-d25", "<b>no</b>", "ask why"))
    result = run("apply", "specs", "--yes", "-o", "html")
    said = _words(result.stdout)
    assert result.exit_code == 1
    assert "FAILED: not everything is as declared." in said
    assert "<b>no</b>" in said


def test_a_page_is_not_asked_about(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    result = run("apply", "specs", "-o", "html")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nobody is here to confirm; nothing was done" in result.stderr


def test_mistakes_are_a_page_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "more.yaml").write_text("kind: <b>\n", encoding="utf-8")
    result = run("plan", "specs", "-o", "html")
    assert result.exit_code == 1
    assert "No plan for fleet vpd" in _words(result.stdout)
    assert "unknown kind '<b>'" in _words(result.stdout)
