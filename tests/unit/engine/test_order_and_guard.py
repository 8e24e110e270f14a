"""Order and guard on tiny actions: cycles are told, names are unique, what is forbidden takes its dependants along.

Pure; the walk is tested beside it.
"""

from dataclasses import replace

import pytest

from reconciler.engine.guard import guard
from reconciler.engine.order import order
from reconciler.errors import PlanError
from reconciler.model.desired import View
from reconciler.model.disruption import Disruption
from reconciler.model.fleet import Fleet, Limits
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from tests.unit.engine.walking import step, travel, undo


def _view(**limits: object) -> View:
    return View(Fleet(limits=replace(Limits(), **limits)), (), Snapshot(), 0)


def test_a_cycle_is_named() -> None:
    with pytest.raises(PlanError, match=r"waits for itself: .*vm/one@a:do.*vm/two@a:do"):
        order([step("one", needs=("vm/two@a:do",)), step("two", after=("vm/one@a:do",))])


def test_two_actions_of_one_name_are_a_bug() -> None:
    with pytest.raises(PlanError, match="one name"):
        order([step("one"), step("one")])


def test_what_happens_at_a_required_place_comes_first() -> None:
    ordered = order([step("web", requires=(Place("vm", "b", "pool"),)), step("pool", "b")])
    assert [action.place.name for action in ordered] == ["pool", "web"]
    assert ordered[1].needs == ("vm/pool@b:do",)


def test_actions_of_one_place_stay_together() -> None:
    first = step("first")
    ordered = order([first, step("other", "b"), undo("first", after=(first.id,))])
    assert [a.place.name for a in ordered] == ["first", "other", "first"]


@pytest.mark.parametrize("cap", list(Disruption))
@pytest.mark.parametrize("disruption", [d for d in Disruption if d is not Disruption.DELETE])
def test_nothing_above_the_cap_goes_through(cap: Disruption, disruption: Disruption) -> None:
    action = step("web", disruption=disruption)
    permitted, forbidden = guard([action], _view(disruption=cap.value))
    assert bool(permitted) == (list(Disruption).index(disruption) <= list(Disruption).index(cap))
    assert bool(forbidden) != bool(permitted)


def test_deletions_are_counted() -> None:
    deletions = [step(f"v{n}", disruption=Disruption.DELETE) for n in range(3)]
    permitted, forbidden = guard(deletions, _view(deletes_per_pass=1, disruption="none"))
    assert permitted == (), "which of them would be meant?"
    assert [r.place.name for r in forbidden] == ["v0", "v1", "v2"]
    assert "3 deletions, 1 allowed per pass" in forbidden[0].reason
    assert len(guard(deletions, _view(deletes_per_pass=3, disruption="none"))[0]) == 3


def test_a_forbidden_move_takes_its_lease_and_its_proof_along() -> None:
    grant = step("grant", kind="lease")
    move = travel("web", "a", "b", needs=(grant.id,))
    revoke, proof = undo("revoke", after=(move.id,)), step("proof", needs=(move.id,))
    permitted, forbidden = guard([grant, move, revoke, proof, step("other")], _view(disruption="live"))
    assert [a.place.name for a in permitted] == ["other"]
    assert [r.place.name for r in forbidden] == ["web"]


def test_a_sweep_stays_when_the_move_after_it_is_forbidden() -> None:
    sweep = undo("leftover")
    grant = step("grant", kind="lease", after=(sweep.id,))
    move = travel("web", "a", "b", needs=(grant.id,))
    permitted, _ = guard([sweep, grant, move], _view(disruption="live"))
    assert [a.place.name for a in permitted] == ["leftover"]
