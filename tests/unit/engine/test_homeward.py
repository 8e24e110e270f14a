"""Who goes home when a maintenance ends, by which way, and what is said of those who do not."""

from dataclasses import replace

import pytest

from reconciler.engine.placing.answer import answer
from reconciler.engine.placing.asking import question
from reconciler.engine.placing.homeward import homeward
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.placing import Home, Policy, Seat, Tenancy, Tenant
from reconciler.model.ref import Ref
from reconciler.placement.solve import solve

GIB = 2**30
FLEET = Fleet(hosts={name: HostCard(name, name, name) for name in ("a", "b", "c")})
POLICY = Policy(("a", "b", "c"))
WEB = Tenant("web", "b", GIB, 1, policy=POLICY, fixed=False, drain="cold", reach=("a", "b", "c"), home="a")
BACK = "it comes home to a after the maintenance"


def placed(*tenants: Tenant, fleet: Fleet = FLEET, room: int = 8 * GIB) -> tuple[dict[str, Seat], dict[str, str]]:
    """The seat of each, and why who stays away does; `room` is a's."""
    homes = (Home("a", room), Home("b", 8 * GIB), Home("c", 8 * GIB))
    found = homeward(question(Tenancy(homes, tenants), fleet, frozenset(), frozenset()), fleet, solve)
    seats = answer(found.asked, found.solution, fleet, "vm").seats
    return {tenant.name: seats[Ref("vm", tenant.name)] for tenant in tenants}, dict(found.away)


def maintained(*names: str) -> Fleet:
    return replace(FLEET, hosts={n: replace(card, maintenance=n in names) for n, card in FLEET.hosts.items()})


@pytest.mark.parametrize(("drain", "how"), [("cold", "cold"), ("live", "live"), ("stop", "live")])
def test_it_comes_home_by_the_way_it_may_leave_by(drain: str, how: str) -> None:
    assert placed(replace(WEB, drain=drain)) == ({"web": Seat("a", how, BACK)}, {})


@pytest.mark.parametrize("drain", ["cold", "live"])
def test_it_leaves_by_the_same_way(drain: str) -> None:
    seats, away = placed(replace(WEB, at="a", home="", drain=drain), fleet=maintained("a"))
    assert (seats["web"].host in "bc", seats["web"].how, seats["web"].why) == (True, drain, "a is in maintenance")
    assert away == {}


def test_while_its_home_is_in_maintenance_it_stays_and_nothing_is_said() -> None:
    assert placed(WEB, fleet=maintained("a")) == ({"web": Seat("b", why="its policy puts it on b")}, {})


def test_drained_again_meanwhile_it_goes_home_at_once_where_that_serves() -> None:
    assert placed(WEB, fleet=maintained("b"))[0]["web"].host == "a"


def test_drained_again_meanwhile_it_goes_on_by_the_same_way() -> None:
    assert placed(WEB, fleet=maintained("a", "b")) == ({"web": Seat("c", "cold", "b is in maintenance")}, {})


def test_nobody_moves_for_it() -> None:
    other = Tenant("db", "a", GIB, 1, policy=POLICY, fixed=False, reach=("a", "b", "c"))
    seats, away = placed(WEB, other, room=GIB)
    assert (seats["web"].host, seats["db"].host) == ("b", "a")
    assert away == {"web": "a has no room for it"}


def test_a_home_that_cannot_run_it_any_more_is_told() -> None:
    seats, away = placed(replace(WEB, reach=("b", "c")))
    assert seats["web"].host == "b"
    assert away == {"web": "a cannot run it now (`reconciler explain vm/web`)"}


def test_who_may_be_shut_down_and_who_may_not_come_home_together() -> None:
    seats, away = placed(WEB, replace(WEB, name="db", at="c", drain="live"))
    assert seats == {"web": Seat("a", "cold", BACK), "db": Seat("a", "live", BACK)}
    assert away == {}


def test_without_a_policy_no_home_is_looked_at() -> None:
    seats, _ = placed(replace(WEB, policy=None, wants="b"))
    assert seats["web"].host == "b"
