"""Whom a cool-down keeps where it is: rules wait for it, a person's word and a host that is too full do not."""

from dataclasses import replace

import pytest

from reconciler.engine.placing.asking import MIB, question
from reconciler.model.fleet import Fleet, HostCard, Limits
from reconciler.model.placing import Home, Policy, Tenancy, Tenant

NOW = 1_800_000_000
GIB = 2**30
FLEET = Fleet(limits=Limits(cool_down=3600.0), hosts={name: HostCard(name, name, name) for name in ("a", "b")})
WEB = Tenant("web", "a", GIB, 1, policy=Policy(("a", "b")), fixed=False, moved=NOW - 60)


def asked(web: Tenant, fleet: Fleet = FLEET, room: int = 8 * GIB) -> tuple[bool, bool]:
    """Does it cool, is it sticky?"""
    tenancy = Tenancy((Home("a", room), Home("b", 8 * GIB)), (web, Tenant("db", "a", GIB, 1)))
    (guest,) = question(tenancy, fleet, frozenset(), frozenset(), NOW).problem.guests
    return guest.cooling, guest.sticky


@pytest.mark.parametrize("ago", [0, 60, 3599, -60])
def test_rules_leave_it_alone_for_so_long(ago: int) -> None:
    assert asked(replace(WEB, moved=NOW - ago)) == (True, False)


@pytest.mark.parametrize("moved", [0, NOW - 3600, NOW + 10**6])
def test_who_never_moved_or_long_ago_is_free_and_so_is_who_came_by_a_clock_that_is_wrong(moved: int) -> None:
    assert asked(replace(WEB, moved=moved)) == (False, False)


def test_without_a_cool_down_nobody_rests() -> None:
    assert asked(WEB, replace(FLEET, limits=Limits())) == (False, False)


def test_a_declared_host_goes_before() -> None:
    assert asked(replace(WEB, policy=None, wants="b")) == (False, False)


def test_a_drain_goes_before() -> None:
    drained = replace(FLEET.hosts["a"], maintenance=True)
    assert asked(WEB, replace(FLEET, hosts={**FLEET.hosts, "a": drained})) == (False, False)


def test_a_policy_that_names_its_host_no_more_goes_before() -> None:
    assert asked(replace(WEB, policy=Policy(("b",)))) == (False, False)


def test_on_a_host_that_is_too_full_it_is_the_last_to_leave() -> None:
    assert asked(WEB, room=2 * GIB - MIB) == (False, True)
