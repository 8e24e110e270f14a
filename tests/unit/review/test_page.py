"""The page in a real browser: nothing fetched, nothing run, everything where it belongs, from a phone to 200 hosts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli.as_html.page import Pass, page, page_of_errors
from reconciler.engine.once import think
from reconciler.model.plan import Held
from reconciler.model.ref import Place
from reconciler.wiring import KINDS
from tests.laws.fleets import fleet
from tests.unit.review.browser import Browser, browser
from tests.unit.review.plans import HOSTILE, big
from tests.worlds import CASES, MOVE, world

GEOMETRY = (Path(__file__).parent / "geometry.js").read_text(encoding="utf-8")
FAULTS = (Path(__file__).parent / "faults.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


def _sound(window: Browser, text: str, width: int, dark: bool = False) -> None:
    window.open(text, width, dark)
    assert window.ask(FAULTS) == []
    assert window.complaints() == []
    assert window.asked_for() == []


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("case", [MOVE, "two_VMs_change_places", "a_copy_is_refused_for_every_reason_at_once"])
def test_a_page_is_sound_and_drawn_right(window: Browser, case: str, width: int) -> None:
    one = world(case)
    _sound(window, page(one.plan(), one.wanted, one.seen, Pass()), width, dark=width == 400)
    wrong, ways, rows, _ = window.ask(GEOMETRY)
    assert wrong == []
    assert set(rows) >= {str(place) for kind in ("vm", "pool") for place, _ in one.seen.of(kind)}
    assert ways == sum(action.disruption == "move-live" for action in one.plan().actions)


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_random_fleets_are_drawn_right(window: Browser, seed: int) -> None:
    made = fleet(seed)
    for width in (400, 1400):
        _sound(window, page(think(made.wanted, made.seen, KINDS), made.wanted, made.seen, Pass()), width)
        assert window.ask(GEOMETRY)[0] == []


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isprintable() and name.strip() and len(name) < 200])
def test_hostile_names_do_no_harm(window: Browser, name: str) -> None:
    plan, wanted, seen = big(4, 2, 2, name)
    _sound(window, page(plan, wanted, seen, Pass()), 1400)
    wrong, ways, rows, _ = window.ask(GEOMETRY)
    assert (wrong, ways) == ([], 2)
    assert f"vm/{name}-host-000-0@host-000" in rows, "shown as it is"


def test_two_hundred_hosts_stay_readable(window: Browser) -> None:
    plan, wanted, seen = big(200, 30, 12)
    text = page(plan, wanted, seen, Pass())
    assert len(text) < 1_500_000
    for width in (400, 1400):
        _sound(window, text, width)
        wrong, ways, rows, hosts = window.ask(GEOMETRY)
        assert (wrong, ways) == ([], 12)
        assert hosts < 30
        assert len(rows) <= 9 * hosts
        named = window.ask("return [...document.querySelectorAll('.quiet details')].map(d => d.dataset.host)")
        assert len(named) == 200 - hosts
        listed = "l => l.dataset.place.endsWith('@' + l.closest('details').dataset.host)"
        assert window.ask(f"return [...document.querySelectorAll('.quiet li')].every({listed})")


def test_many_moves_between_few_hosts_do_not_cross_boxes(window: Browser) -> None:
    plan, wanted, seen = big(9, 6, 40)
    for width in (400, 1400):
        _sound(window, page(plan, wanted, seen, Pass()), width)
        assert window.ask(GEOMETRY)[:2] == [[], sum(hasattr(a, "origin") for a in plan.actions)]


def test_what_is_held_back_says_why_and_until_when(window: Browser) -> None:
    plan, wanted, seen = big(4, 1, 1)
    held = Held(Place("vm", "host-001", "web"), "x", "<b>move</b>", "outside its window", 1_795_445_941, "move-live")
    _sound(window, page(replace(plan, held=(held,)), wanted, seen, Pass()), 400)
    said = window.ask("return document.querySelector('[aria-labelledby=h-held]').innerText")
    assert "vm/web@host-001: <b>move</b>" in said
    assert "outside its window" in said


@pytest.mark.parametrize("line", HOSTILE)
def test_mistakes_make_a_page_too(window: Browser, line: str) -> None:
    _sound(window, page_of_errors("vpd", [line]), 400)


@pytest.mark.parametrize("case", sorted(path.parent.name for path in CASES.glob("*/snapshot.json")))
def test_every_case_makes_a_page_that_names_everything(case: str) -> None:
    one = world(case)
    text = page(one.plan(), one.wanted, one.seen, Pass())
    assert all(str(action.place.ref) in text for action in one.plan().actions)
    assert all(str(refusal.place) in text for refusal in one.plan().refusals)
    assert "<script" not in text
