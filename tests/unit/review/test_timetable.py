"""The moves of a plan in time: in text, as a comment, as a page and as data; silent where nothing moves."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli.as_html.page import Pass, page
from reconciler.cli.as_markdown import LEAST, Whole, comment
from reconciler.cli.as_text import show_plan
from reconciler.cli.as_timetable import BAR, as_lines, bar, lines
from reconciler.engine import planfile
from reconciler.model.forecast import Forecast, PlannedMove
from reconciler.model.plan import Plan
from reconciler.wiring import KINDS
from tests.unit.review.browser import Browser, browser
from tests.unit.review.plans import HOSTILE
from tests.worlds import MOVE, world

FAULTS = (Path(__file__).parent / "faults.js").read_text(encoding="utf-8")
GIB = 2**30
MOVES = (
    PlannedMove("web", "a", "c", 0, 30, 2 * GIB, 10_000, 300, bypass=True),
    PlannedMove("db", "b", "a", 30, 90, 4 * GIB, 10_000, 250, after=("web",)),
    PlannedMove("web", "c", "b", 90, 120, 2 * GIB, 10_000, 300, after=("db",)),
)
FORECAST = Forecast(MOVES, 8 * GIB, 6 * GIB, 2 * GIB, 120, 100, ("mail",), (("mail", "no room before b is empty"),))


def _plan(forecast: Forecast = FORECAST) -> Plan:
    return replace(world(MOVE).plan(), forecast=forecast)


def test_the_timetable_in_plain_characters() -> None:
    assert list(as_lines(FORECAST)) == [
        "Timetable: 3 moves in 2:00, 20.0 % above the bound of 1:40; "
        "to send: 8 GiB, 33.3 % above the bound of 6 GiB; 2 GiB of it in 1 move only to make room.",
        "  from  to    VM   hosts   memory  downtime",
        "  0:00  0:30  web  a -> c  2 GiB   300 ms    [oooooo..................]  only to make room",
        "  0:30  1:30  db   b -> a  4 GiB   250 ms    [......############......]  after web",
        "  1:30  2:00  web  c -> b  2 GiB   300 ms    [..................######]  after db",
        "Later, in another pass: 1 VM.",
        "  mail: no room before b is empty",
    ]


def test_at_the_bound_no_plan_needs_less() -> None:
    first = next(as_lines(replace(FORECAST, moved=6 * GIB, seconds=100)))
    assert first.count("and no plan needs less") == 2
    assert "no bound is known" in next(as_lines(replace(FORECAST, bound=0)))


def test_a_bar_is_always_seen_and_always_inside() -> None:
    for start, end in ((0, 0), (10**6, 10**6), (999_999, 10**6), (0, 10**6)):
        move = replace(MOVES[0], start=start, end=end)
        for line in lines(Forecast((move,), seconds=10**6)):
            assert len(bar(line)) == BAR + 2
            assert "o" in bar(line)
            assert 0 <= line.x <= line.x + line.width <= 1000


def test_nothing_is_said_where_nothing_moves(capsys: pytest.CaptureFixture[str]) -> None:
    still = _plan(Forecast())
    show_plan(still, 2)
    said = (
        capsys.readouterr().out + comment(still, 2, Whole()) + page(still, world(MOVE).wanted, world(MOVE).seen, Pass())
    )
    assert "imetable" not in said.replace('id="h-timetable"', "")
    assert "expected to take" not in said


def test_the_plan_says_it_in_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(_plan(), 2)
    assert "\n".join(as_lines(FORECAST)) in capsys.readouterr().out


def test_the_comment_has_a_table_and_counts_what_it_leaves_out() -> None:
    text = comment(_plan(), 2, Whole())
    assert "### Timetable" in text
    assert "| 0:30 to 1:30 | <code>db</code> | b -&gt; a | 4 GiB | 250 ms | after web |" in text
    many = replace(FORECAST, moves=tuple(replace(MOVES[1], vm=f"vm{n}") for n in range(2000)))
    for most in (LEAST, 60_000):
        text = comment(_plan(many), 2, Whole(), most)
        assert len(text.encode()) <= most
        assert "lines of the timetable are not shown" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_letters_in_the_comment(name: str) -> None:
    moves = (replace(MOVES[0], vm=name, source=name, after=(name,)),)
    text = comment(_plan(Forecast(moves, later=(name,), reasons=((name, name),))), 2, Whole())
    assert "<script" not in text
    assert len(text.encode()) <= 60_000


def test_it_is_in_the_data_and_comes_back_from_a_plan_file() -> None:
    made = _plan()
    assert planfile.as_data(made)["forecast"]["moves"][1]["after"] == ["web"]
    read, _, _ = planfile.read(planfile.write(made, (), {}), KINDS)
    assert read.forecast == FORECAST


def test_a_plan_file_of_before_there_were_forecasts_is_still_read() -> None:
    data = json.loads(planfile.write(_plan(), (), {}))
    del data["forecast"], data["seal"]
    read, _, _ = planfile.read(json.dumps({**data, "seal": planfile._seal(data)}), KINDS)
    assert read.forecast == Forecast()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_draws_each_move_where_it_is_in_time(window: Browser, width: int) -> None:
    one = world(MOVE)
    window.open(page(_plan(), one.wanted, one.seen, Pass()), width, width == 400)
    assert window.ask(FAULTS) == []
    assert window.complaints() == []
    spans = window.ask(
        "return [...document.querySelectorAll('.gantt .span')].map(s => [s.x.baseVal.value, s.width.baseVal.value])"
    )
    assert spans == [[0, 250], [250, 500], [750, 250]]
