"""The last moves of a page: of what a run's journal says, what is kept in the loop's database draws the same moves."""

from typing import Any

from reconciler.cli.as_html.moments import moves
from reconciler.loop.history import Memory, moving, recorded
from reconciler.model.passed import Passed

MOVE, PROVE = "vm/web@b:move-live", "vm/web@b:prove"
JOURNAL: list[dict[str, Any]] = [
    {"time": 1.0, "event": "pass", "fleet": "as-its-controllers-name-it"},
    {"time": 2.0, "event": "plan", "fleet": "vpd", "commit": "abc", "actions": [MOVE, PROVE]},
    {"time": 3.0, "event": "begin", "action": MOVE, "explain": "move live a -> b", "between": ["a", "b"]},
    {"time": 4.0, "event": "progress", "action": MOVE, "phase": "copying"},
    {
        "time": 9.0,
        "event": "end",
        "action": MOVE,
        "status": "done",
        "text": "",
        "facts": {"bytes": 2**30, "rate": 2**28},
    },
    {"time": 9.5, "event": "begin", "action": PROVE, "explain": "prove", "between": []},
    {"time": 9.9, "event": "end", "action": PROVE, "status": "done", "text": "", "facts": {}},
]


def test_what_is_kept_draws_the_same_moves() -> None:
    kept = recorded(Passed("r1", "vpd"), Memory(), JOURNAL)["moves"]
    assert [event["event"] for event in kept] == ["plan", "begin", "end"], "and nothing else of the journal"
    (drawn,) = moves([("r1", kept)], "vpd")
    assert [drawn] == moves([("r1", JOURNAL)], "vpd")
    assert (drawn.between, drawn.seconds, drawn.rate) == (("a", "b"), 6.0, "256 MiB/s")
    assert moves([("r1", kept)], "other") == []


def test_a_run_without_a_move_keeps_nothing() -> None:
    assert moving([event for event in JOURNAL if event.get("action") != MOVE]) == []
    assert moving([]) == []
