"""Moves of guests that do not converge, over the fleet in memory: rungs, last rungs, and what is left of it.

The ladder's own arithmetic is in tests/unit; a broken post-copy is in test_postcopy.
"""

import pytest

from reconciler.model.outcome import Outcome, Report
from tests.fakes.fleets import Fleet, settled


def busy(moves: str, needs: int = 10_000) -> Fleet:
    """A fleet whose `web` dirties memory as fast as it is copied; it would fit into `needs` ms of downtime."""
    fleet = settled(web="lq-d25")
    fleet.world.busy["web"] = needs
    fleet.moves = moves
    return fleet.place(web="lq-d26")


def moved(report: Report) -> Outcome:
    return next(outcome for outcome in report.outcomes if "move-live" in outcome.action)


def at_rest(fleet: Fleet, host: str) -> None:
    assert fleet.world.where("web") == [(host, "running")]
    assert fleet.world.residue() == fleet.world.violations == []


def test_it_arrives_as_soon_as_the_allowed_downtime_suffices() -> None:
    fleet = busy("maxDowntime: 2s", needs=1000)
    outcome = moved(fleet.apply())
    assert outcome.text.endswith("after downtime 300 -> 450 ms, downtime 450 -> 675 ms, downtime 675 -> 1012 ms")
    assert outcome.facts["allowed_downtime_ms"] == 1012
    assert outcome.facts["post_copy"] is False
    at_rest(fleet, "lq-d26")


@pytest.mark.parametrize("moves", ["timeout: 30s", "timeout: 30s, onTimeout: abort, autoConverge: true"])
def test_aborted_at_the_timeout_it_goes_on_where_it_was(moves: str) -> None:
    fleet = busy(moves)
    report = fleet.apply()
    assert report.verdict == "failed"
    assert "not there after 30 s: dirtied 64 MiB/s" in moved(report).text
    assert "aborted: it goes on where it was" in moved(report).text
    at_rest(fleet, "lq-d25")


def test_suspended_at_the_timeout_it_arrives_running() -> None:
    fleet = busy("timeout: 30s, onTimeout: suspend")
    report = fleet.apply()
    assert report.verdict == "ok"
    assert moved(report).facts["rungs"][-1] == "suspended"
    at_rest(fleet, "lq-d26")


@pytest.mark.parametrize("moves", ["postCopy: true", "postCopy: true, timeout: 1s, onTimeout: post-copy"])
def test_post_copy_where_it_is_allowed(moves: str) -> None:
    fleet = busy(moves)
    report = fleet.apply()
    assert report.verdict == "ok"
    assert moved(report).facts["rungs"][-1] == "post-copy"
    assert moved(report).facts["post_copy"] is True
    at_rest(fleet, "lq-d26")


def test_a_move_longer_than_its_lease_leaves_nothing() -> None:
    fleet = busy("timeout: 20m, onTimeout: suspend")
    assert fleet.apply().verdict == "ok"
    at_rest(fleet, "lq-d26")
