"""Access mode none: the reconciler drives a move itself, nobody logs in anywhere, and a move dies with its driver."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.engine.once import see
from reconciler.kinds.host.crossing import hurdles
from reconciler.kinds.lease.actions import GrantAccess, RevokeAccess
from reconciler.model.crossing import Crossing
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet
from tests.fakes.world import Killed


def _moving() -> Fleet:
    fleet = Fleet().place(web="lq-d25")
    fleet.access = "none"
    assert fleet.apply().verdict == "ok"
    fleet.world.pass_time(60)
    fleet.world.calls.clear()
    return fleet.place(web="lq-d26")


def _untouched(fleet: Fleet) -> bool:
    """No key line, host key or private key of ours on any host."""
    hosts = fleet.world.hosts.values()
    return all(h.keys == {"root": ["ssh-ed25519 AAAAadmin admin@laptop"]} and not h.leases for h in hosts) and not any(
        h.known_hosts for h in hosts
    )


def _watched(fleet: Fleet) -> Callable[[], bool]:
    """Looks at every call of the reconciler whether anything of a login was there; the answer is the function's."""
    begin, seen = fleet.world.call, [True]

    def call(name: str, life: int) -> None:
        seen.append(_untouched(fleet))
        begin(name, life)

    fleet.world.call = call  # type: ignore[method-assign]
    return lambda: all(seen)


def _arrived(fleet: Fleet) -> None:
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == fleet.world.violations == []
    assert fleet.plan().empty


def test_a_vm_moves_and_no_host_ever_gets_a_key() -> None:
    fleet = _moving()
    assert not any(isinstance(a, GrantAccess | RevokeAccess) for a in fleet.plan().actions)
    untouched = _watched(fleet)
    report = fleet.apply()
    assert report.verdict == "ok", [(o.action, o.text) for o in report.failed]
    assert untouched()
    _arrived(fleet)


def test_the_source_need_not_know_the_destination_by_name() -> None:
    fleet = _moving()
    wanted = fleet.wanted
    seen = see(wanted, KINDS, fleet.tools)
    place = Place("host", "lq-d25", "lq-d25")
    seen = seen.changing(place, resolves={})
    for mode, said in (("none", []), ("key", ["lq-d25 does not resolve lq-d26.vpd.com yet"])):
        named = replace(wanted.fleet, access=replace(wanted.fleet.access, mode=mode))
        view = View(named, wanted.desired, seen, seen.taken)
        found = hurdles(Crossing("web", "lq-d25", "lq-d26"), view)
        assert [h.reason for h in found if "resolve" in h.reason] == said


def _until_the_copy(fleet: Fleet) -> None:
    begin = fleet.world.call

    def call(name: str, life: int) -> None:
        if name.endswith("job_stats"):
            fleet.world.ended.add(life)
        begin(name, life)

    fleet.world.call = call  # type: ignore[method-assign]
    with pytest.raises(Killed):
        fleet.apply()
    fleet.world.call = begin  # type: ignore[method-assign]


@pytest.mark.parametrize(("orphans", "left"), [("refused", "running"), ("paused", "paused")])
def test_a_driver_killed_in_the_copy_is_followed_by_one_pass_that_ends_it(orphans: str, left: str) -> None:
    fleet = _moving()
    fleet.world.orphans = orphans
    _until_the_copy(fleet)
    fleet.revive()
    assert fleet.world.where("web") == [("lq-d25", left)]
    fleet.converge(1)
    _arrived(fleet)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("orphans", ["refused", "paused"])
def test_a_driver_killed_at_every_call(orphans: str, after: bool) -> None:
    counted = _moving()
    counted.apply()
    for number in range(1, len(counted.world.calls) + 1):
        fleet = _moving()
        fleet.world.orphans = orphans
        fleet.world.kill_at, fleet.world.kill_after_effect = number, after
        with pytest.raises(Killed):
            fleet.apply()
        fleet.revive()
        fleet.converge(1)
        _arrived(fleet)


def test_what_somebody_paused_is_never_resumed() -> None:
    fleet = _moving()
    (domain,) = [d for d in fleet.host("lq-d25").domains.values() if d.name == "web"]
    domain.state, domain.reason = "paused", "user"
    assert "is paused (user) on lq-d25" in fleet.apply().refusals[0].reason
    assert fleet.world.where("web") == [("lq-d25", "paused")]


def test_a_vm_left_paused_is_not_resumed_while_a_host_is_silent_or_has_it_too() -> None:
    fleet = _moving()
    fleet.world.orphans = "paused"
    _until_the_copy(fleet)
    fleet.revive()
    fleet.host("lq-d26").up = False
    fleet.apply()
    assert fleet.world.where("web") == [("lq-d25", "paused")]
    fleet.host("lq-d26").up = True
    (domain,) = [d for d in fleet.host("lq-d25").domains.values() if d.name == "web"]
    fleet.host("lq-d26").domains[domain.uuid] = type(domain)(domain.uuid, "web", domain.config, "running", domain.live)
    assert fleet.apply().verdict == "needs-human"
    assert fleet.world.where("web") == [("lq-d25", "paused"), ("lq-d26", "running")]
    assert fleet.world.violations == []
