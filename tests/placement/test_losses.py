"""What the loss of a host would mean, by hand: refuges, what is started or placed elsewhere, and the replay of it."""

from dataclasses import replace

import pytest

from reconciler.placement.problem import Guest, Host, Problem
from reconciler.placement.replay import replay
from reconciler.placement.solution import Exposed, Solution
from reconciler.placement.solve import solve
from reconciler.placement.spare import spare

HOSTS = tuple(Host(name, 100, 100) for name in "abc")
KEPT = Problem(HOSTS, (Guest("x", 60, 1, "a"), Guest("y", 40, 1, "b"), Guest("off", 0, 0, "c")), survive=1)


def test_each_guest_that_runs_has_a_refuge() -> None:
    plan = solve(KEPT)
    assert plan.moves == ()
    assert plan.refuges == (("x", "b"), ("y", "a"))
    assert plan.exposed == ()


def test_room_that_serves_one_guest_does_not_serve_another_of_the_same_host() -> None:
    guests = (Guest("x", 60, 1, "a"), Guest("y", 40, 1, "a"), Guest("z", 50, 1, "b"), Guest("w", 50, 1, "c"))
    found = spare(Problem(HOSTS, guests), {guest.name: guest.at for guest in guests})
    assert found.short["a"] == ("x",)
    assert found.refuges["y"] == "b"


def test_vcpus_are_room_too() -> None:
    hosts = (Host("a", 100, 100), Host("b", 100, 1))
    found = spare(Problem(hosts, (Guest("x", 10, 2, "a"),)), {"x": "a"})
    assert found.short == {"a": ("x",)}


def test_a_host_that_drains_or_is_closed_and_one_out_of_reach_are_no_refuge() -> None:
    hosts = (Host("a", 100, 9), Host("b", 100, 9, drain=True), Host("c", 100, 9, closed=True), Host("d", 100, 9))
    asked = Problem(hosts, (Guest("x", 10, 1, "a", reach="r"),), {"r": ("a", "b", "c")})
    assert spare(asked, {"x": "a"}).short == {"a": ("x",)}
    assert spare(replace(asked, reaches={"r": ("a", "d")}), {"x": "a"}).refuges == {"x": "d"}


def test_the_narrowest_go_first_where_the_largest_first_leaves_somebody() -> None:
    hosts = (*HOSTS, Host("d", 50, 100))
    guests = (Guest("p", 45, 1, "a"), Guest("q", 40, 1, "a", reach="r"), Guest("z", 55, 1, "b"), Guest("w", 60, 1, "c"))
    found = spare(Problem(hosts, guests, {"r": ("a", "b")}), {guest.name: guest.at for guest in guests})
    assert "a" not in found.short
    assert (found.refuges["q"], found.refuges["p"]) == ("b", "d")


def test_who_is_new_takes_no_room_that_a_loss_needs() -> None:
    asked = replace(KEPT, guests=(*KEPT.guests, Guest("large", 90, 1), Guest("small", 30, 1)))
    plan = solve(asked)
    assert dict(plan.goal)["large"] == ""
    assert dict(plan.goal)["small"] != ""
    assert plan.exposed == ()
    (knot,) = plan.knots
    assert knot.guests == ("large",)
    assert "large is not started: if" in knot.reason
    assert [move.guest for move in plan.moves] == ["small"]


def test_priority_says_who_is_started_where_not_all_can_be() -> None:
    new = (Guest("one", 60, 1, priority=1), Guest("two", 60, 1))
    plan = solve(replace(KEPT, guests=(*KEPT.guests, *new)))
    assert dict(plan.goal)["one"]
    assert [knot.guests for knot in plan.knots] == [("two",)]


def test_who_can_be_on_one_host_only_is_started_and_named() -> None:
    tied = Guest("t", 20, 1, to="a", reach="only")
    asked = replace(KEPT, guests=(*KEPT.guests, tied), reaches={"only": ("a",)})
    plan = solve(asked)
    assert plan.knots == ()
    assert dict(plan.goal)["t"] == "a"
    assert plan.exposed == (Exposed("a", ("t",), True),)
    assert replay(asked, plan) == []


def test_a_drain_is_not_stopped_and_what_it_costs_is_said() -> None:
    hosts = (replace(HOSTS[0], drain=True), *HOSTS[1:])
    plan = solve(replace(KEPT, hosts=hosts, guests=(*KEPT.guests[:2], Guest("z", 50, 1, "c"))))
    assert dict(plan.goal)["x"] == "b"
    assert plan.exposed == (Exposed("b", ("x",), new=True), Exposed("c", ("z",), new=True))
    assert plan.knots == ()


def test_a_move_goes_where_the_fleet_still_survives_a_loss() -> None:
    """Best fit alone would fill b, and what is on b then finds no room elsewhere."""
    hosts = (Host("a", 100, 100, drain=True), *(Host(name, 100, 100) for name in "bcde"))
    there = (("b1", 30, "b"), ("c2", 50, "c"), ("c3", 30, "c"), ("d4", 40, "d"), ("d5", 50, "d"), ("e6", 20, "e"))
    guests = (Guest("x", 40, 1, "a"), *(Guest(name, memory, 1, at) for name, memory, at in there))
    asked = Problem(hosts, guests, survive=1)
    alone, plan = solve(replace(asked, survive=0)), solve(asked)
    assert [move.target for move in alone.moves] == ["b"]
    assert spare(asked, dict(alone.goal)).short
    assert [move.target for move in plan.moves] == ["e"]
    assert plan.exposed == ()
    assert (plan.moved, plan.bound) == (40, 40)


def _moved(guest: str, host: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, host if name == guest else refuge) for name, refuge in solve(KEPT).refuges)


BROKEN = {
    "none": (lambda plan: replace(plan, refuges=plan.refuges[1:]), "x has no refuge, and nobody says so"),
    "its own": (lambda plan: replace(plan, refuges=_moved("x", "a")), "x has its own host as a refuge"),
    "not there": (lambda plan: replace(plan, refuges=_moved("x", "z")), "x has z as a refuge, where it cannot go"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_replay_finds_what_is_no_refuge(name: str) -> None:
    change, said = BROKEN[name]
    assert any(said in wrong for wrong in replay(KEPT, change(solve(KEPT))))


def test_the_replay_finds_a_refuge_that_is_too_full() -> None:
    asked = Problem(HOSTS, (Guest("x", 60, 1, "a"), Guest("y", 60, 1, "b")), survive=1)
    plan: Solution = replace(solve(asked), refuges=(("x", "b"), ("y", "c")))
    assert replay(asked, plan) == ["if a were lost, b would be too full"]
