"""Small fleets whose only right answer a person can see."""

from dataclasses import replace

import pytest

from reconciler.placement.causes import causes
from reconciler.placement.durations import seconds
from reconciler.placement.problem import Avoid, Dirty, Gather, Guest, Host, Limits, Link, Problem, Spread
from reconciler.placement.solve import solve


def host(name: str, memory: int = 100, **more: object) -> Host:
    return Host(name, memory, 100, **more)  # type: ignore[arg-type]


def guest(name: str, memory: int, at: str = "", **more: object) -> Guest:
    return Guest(name, memory, 1, at, **more)  # type: ignore[arg-type]


def test_a_fleet_inside_its_rules_does_not_move() -> None:
    plan = solve(Problem((host("a"), host("b")), (guest("x", 90, "a"), guest("y", 5, "a"), guest("z", 1, "b"))))
    assert (plan.moves, plan.knots, plan.moved, plan.bound) == ((), (), 0, 0)


def test_moves_over_a_link_that_hosts_share_go_one_by_one_and_no_faster_than_it_lets_them() -> None:
    """b and c share one; into d both may go at once, and as fast as the hosts' own links let them."""
    hosts = (host("a", drain=True), host("b", links=(0,)), host("c", links=(0,)), host("e", drain=True), host("d"))
    guests = (guest("x", 50, "a", to="b"), guest("y", 50, "e", to="c"), guest("z", 50, "a", to="d"))
    limits = Limits(moves_in=2, moves_out=2, links=(Link(1, 450),))
    plan = solve(Problem(hosts, guests, limits=limits))
    times = {move.guest: (move.start, move.end, move.bandwidth) for move in plan.moves}
    assert times["x"][2] == times["y"][2] == 450
    assert times["z"][2] == 10_000
    assert times["x"][1] <= times["y"][0] or times["y"][1] <= times["x"][0]
    assert plan.seconds == plan.seconds_bound == times["x"][1] - times["x"][0] + times["y"][1] - times["y"][0]


def test_a_move_below_an_uplink_is_not_over_it() -> None:
    hosts = (host("a", drain=True, links=(0,)), host("b", links=(0,)), host("c", links=(1,)))
    asked = Problem(hosts, (guest("x", 50, "a", to="b"), guest("y", 50, "a", to="c")))
    limits = Limits(moves_out=2, links=(Link(1, 450, uplink=True), Link(1, 900, uplink=True)))
    plan = solve(replace(asked, limits=limits))
    assert {move.guest: move.bandwidth for move in plan.moves} == {"x": 10_000, "y": 450}


def test_a_swap_goes_over_a_third_host() -> None:
    guests = (guest("x", 80, "a", to="b"), guest("y", 70, "b", to="a"))
    plan = solve(Problem((host("a"), host("b"), host("c", 75)), guests))
    assert plan.knots == ()
    assert [(move.guest, move.target, move.bypass) for move in plan.moves] == [
        ("y", "c", True),
        ("x", "b", False),
        ("y", "a", False),
    ]
    assert (plan.moved, plan.bypassed) == (150, 70)


def test_a_swap_without_room_is_refused_with_both_names() -> None:
    guests = (guest("x", 80, "a", to="b"), guest("y", 70, "b", to="a"))
    plan = solve(Problem((host("a"), host("b"), host("c", 60)), guests))
    assert plan.moves == ()
    (knot,) = plan.knots
    assert (knot.guests, knot.hosts) == (("x", "y"), ("a", "b"))
    assert knot.fix == "50 MiB more free on one of a, b"


def test_a_bypass_runs_only_where_the_guest_can_run() -> None:
    guests = (guest("x", 80, "a", to="b", reach="ab"), guest("y", 80, "b", to="a", reach="ab"))
    plan = solve(Problem((host("a"), host("b"), host("c")), guests, {"ab": ("a", "b")}))
    assert plan.moves == ()
    assert plan.knots[0].guests == ("x", "y")


def test_a_chain_is_walked_from_its_end() -> None:
    hosts = (host("a"), host("b"), host("c"))
    guests = (guest("x", 80, "a", to="b"), guest("y", 80, "b", to="c"))
    plan = solve(Problem(hosts, guests))
    first, second = plan.moves
    assert (first.guest, second.guest, second.start, plan.bypassed) == ("y", "x", first.end, 0)


def test_a_drained_host_is_empty_at_the_end() -> None:
    guests = tuple(guest(f"v{n}", 20, "a") for n in range(4))
    plan = solve(Problem((host("a", drain=True), host("b"), host("c")), guests))
    assert all(place != "a" for _, place in plan.goal)
    assert (plan.moved, plan.bound, plan.knots) == (80, 80, ())
    assert plan.seconds == plan.seconds_bound == 4


def test_who_is_pinned_to_a_drained_host_is_named_and_the_rest_goes() -> None:
    guests = (guest("x", 20, "a", pinned=True), guest("y", 20, "a"), guest("z", 20, "a", cooling=True))
    plan = solve(Problem((host("a", drain=True), host("b")), guests))
    assert plan.goal == (("x", "a"), ("y", "b"), ("z", "a"))
    assert [knot.reason for knot in plan.knots] == [
        "x is on a, which drains, and is pinned",
        "z is on a, which drains, and moved a short while ago",
    ]


def test_the_least_leaves_a_host_that_is_too_full() -> None:
    guests = (guest("x", 50, "a"), guest("y", 30, "a"), guest("z", 25, "a"), guest("w", 20, "a"))
    plan = solve(Problem((host("a"), host("b")), guests))
    assert [move.guest for move in plan.moves] == ["z"]


def test_a_sticky_guest_stays_where_another_can_go() -> None:
    guests = (guest("x", 70, "a"), guest("y", 40, "a", sticky=True))
    plan = solve(Problem((host("a"), host("b")), guests))
    assert ([move.guest for move in plan.moves], plan.bound) == (["x"], 40)


def test_room_is_made_by_moving_another_on() -> None:
    guests = (guest("big", 90, "a"), guest("small", 20, "b"), guest("full", 60, "c"))
    plan = solve(Problem((host("a", drain=True), host("b"), host("c")), guests))
    assert dict(plan.goal) == {"big": "b", "small": "c", "full": "c"}
    assert [move.guest for move in plan.moves] == ["small", "big"]
    assert (plan.moved, plan.bound) == (110, 110), "20 or all of the 60 must make way"


def test_racks_are_kept_apart() -> None:
    hosts = tuple(host(f"h{n}", labels={"rack": f"r{n // 2}"}) for n in range(4))
    guests = (guest("x", 10, "h0"), guest("y", 10, "h1"))
    plan = solve(Problem(hosts, guests, rules=(Spread(("x", "y"), "rack"),)))
    (move,) = plan.moves
    assert move.target in ("h2", "h3")


def test_near_and_avoid_of_the_same_two_is_told() -> None:
    rules = (Gather(("x", "y")), Avoid("x", ("y",)))
    plan = solve(Problem((host("a"), host("b")), (guest("x", 10, "a"), guest("y", 10, "b")), rules=rules))
    assert plan.moves == ()
    assert "must share a host with guests it must not share one with" in plan.knots[0].reason


def test_near_brings_the_smaller_to_the_larger() -> None:
    guests = (guest("x", 10, "a"), guest("y", 30, "b"))
    plan = solve(Problem((host("a"), host("b")), guests, rules=(Gather(("x", "y")),)))
    assert plan.goal == (("x", "b"), ("y", "b"))
    assert plan.moved == plan.bound == 10


def test_who_was_to_be_together_with_one_that_finds_no_room_does_not_move() -> None:
    """The rack of b and c has more room in all, so both were to go there; y is too large for each of its hosts."""
    hosts = (host("a", labels={"rack": "1"}), host("b", labels={"rack": "2"}), host("c", labels={"rack": "2"}))
    guests = (guest("x", 10, "a"), guest("y", 150))
    plan = solve(Problem(hosts, guests, rules=(Gather(("x", "y"), "rack"),)))
    assert plan.moves == ()
    assert [knot.guests for knot in plan.knots] == [("y",)]


def test_whose_place_in_a_rack_is_taken_makes_way_though_nobody_comes_to_its_host() -> None:
    hosts = (host("a", labels={"rack": "1"}), host("b", labels={"rack": "1"}), host("c", labels={"rack": "2"}))
    asked = Problem(hosts, (guest("x", 10, "a"), guest("y", 20)), rules=(Spread(("x", "y"), "rack"),))
    assert causes(asked, {"x": "c", "y": "b"}) == {"x": "it makes way for y"}
    assert causes(asked, {"x": "c", "y": "c"}) == {"x": ""}


def test_others_that_are_avoided_may_share() -> None:
    guests = (guest("x", 10, "a"), guest("y", 20, "a"), guest("z", 20, "a"))
    plan = solve(Problem((host("a"), host("b")), guests, rules=(Avoid("x", ("y", "z")),)))
    assert plan.goal == (("x", "b"), ("y", "a"), ("z", "a"))


def test_a_rule_at_every_instant_waits_and_one_at_the_end_does_not() -> None:
    guests = (guest("x", 50, "a", to="b"), guest("y", 20, "b", to="c"))
    hosts = (host("a"), host("b"), host("c"))
    held = solve(Problem(hosts, guests, rules=(Spread(("x", "y")),)))
    assert [(move.guest, move.start) for move in held.moves] == [("y", 0), ("x", 1)]
    ends = solve(Problem(hosts, guests, rules=(Spread(("x", "y"), always=False),)))
    assert [move.start for move in ends.moves] == [0, 0]


def test_the_higher_priority_is_placed_where_not_all_fit() -> None:
    guests = (guest("x", 60), guest("y", 60, priority=5))
    plan = solve(Problem((host("a"),), guests))
    assert dict(plan.goal) == {"x": "", "y": "a"}
    assert plan.knots[0].guests == ("x",)
    assert plan.knots[0].fix == "20 MiB more free on a"


def test_a_window_leaves_the_rest_for_later() -> None:
    guests = tuple(guest(f"v{n}", 20, "a") for n in range(4))
    asked = Problem((host("a", drain=True), host("b")), guests, limits=Limits(window_moves=3))
    plan = solve(asked)
    assert (len(plan.moves), len(plan.later)) == (3, 1)
    assert len(solve(replace(asked, limits=Limits(window_mib=45))).moves) == 2


@pytest.mark.parametrize(
    ("limits", "seconds"), [(Limits(0, 0), 8), (Limits(1, 1), 8), (Limits(0, 0, bandwidth=500), 8)]
)
def test_a_link_is_shared_by_bandwidth(limits: Limits, seconds: int) -> None:
    """Two moves of half the link each take as long as one after the other at full speed, about."""
    still = Dirty(0, 1, 0)
    guests = tuple(guest(f"v{n}", 400, "a", dirty=still) for n in range(2))
    hosts = (host("a", 1000, drain=True, link=1000), host("b", 1000, link=1000))
    assert solve(Problem(hosts, guests, limits=limits)).seconds == seconds


def test_reserve_and_ratios_make_the_room() -> None:
    assert Host("a", 100, 10, reserve=20, memory_ratio=150, vcpu_ratio=400).room() == (120, 40)


def test_a_name_that_is_not_there_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(LookupError):
        solve(Problem((host("a"),), (guest("x", 1, "nowhere"),)))


def test_who_fits_nowhere_keeps_nobody_else_from_going() -> None:
    """Both drained hosts have one guest that is too large for what is left, and one that is not."""
    hosts = tuple(host(name, 32, drain=name < "c") for name in ("a", "b", "c", "d"))
    large = tuple(guest(f"large-{at}", 24, at) for at in ("a", "b"))
    small = tuple(guest(f"small-{at}", 8, at) for at in ("a", "b"))
    there = tuple(guest(f"there-{at}", 16, at, pinned=True) for at in ("c", "d"))
    plan = solve(Problem(hosts, large + small + there))
    assert {name for knot in plan.knots for name in knot.guests} == {"large-a", "large-b"}
    assert {move.guest for move in plan.moves} == {"small-a", "small-b"}
    assert plan.moved == plan.bound == 16


def test_who_writes_more_takes_longer_and_disks_come_on_top() -> None:
    assert Dirty.at(34) == Dirty()
    at = {rate: seconds(guest("x", 10_000, "a", dirty=Dirty.at(rate)), 1800) for rate in (0, 34, 100, 190)}
    assert at == {0: 50, 34: 51, 100: 54, 190: 70}
    assert seconds(guest("x", 10_000, "a", dirty=Dirty.at(0), disks=2000), 1800) == 60


def test_disks_use_up_the_window_too() -> None:
    hosts = (host("a", 1000, drain=True), host("b", 1000))
    guests = tuple(guest(f"v{n}", 100, "a", disks=100) for n in range(2))
    assert len(solve(Problem(hosts, guests, limits=Limits(window_mib=399))).moves) == 1
    assert len(solve(Problem(hosts, guests, limits=Limits(window_mib=400))).moves) == 2
