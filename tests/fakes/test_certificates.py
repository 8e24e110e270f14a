"""Access mode certificate: nothing enters authorized_keys, hosts trust first, and a killed pass leaves nothing."""

from reconciler.kinds.lease.actions import RevokeAccess
from tests.fakes.fleets import AUTHORITY, Fleet
from tests.fakes.world import Killed

ADMIN = {"root": ["ssh-ed25519 AAAAadmin admin@laptop"]}


def _moving() -> Fleet:
    fleet = Fleet().place(web="lq-d25")
    assert fleet.apply().verdict == "ok"
    fleet.access = "certificate"
    fleet.world.calls.clear()
    return fleet.place(web="lq-d26")


def _watch(fleet: Fleet) -> list[bool]:
    """At each call: are the key lines of all hosts as they were?"""
    begin, seen = fleet.world.call, [True]

    def call(name: str, life: int) -> None:
        seen.append(all(host.keys == ADMIN for host in fleet.world.hosts.values()))
        begin(name, life)

    fleet.world.call = call  # type: ignore[method-assign]
    return seen


def _arrived(fleet: Fleet) -> None:
    assert fleet.world.where("web") == [("lq-d26", "running")]
    assert fleet.world.residue() == fleet.world.violations == []
    assert fleet.plan().empty


def test_hosts_trust_the_authority_and_a_vm_moves_without_a_key_line() -> None:
    fleet = _moving()
    seen = _watch(fleet)
    report = fleet.apply()
    assert report.verdict == "ok", [(o.action, o.text) for o in report.failed]
    assert all(seen)
    assert {host.trusts for host in fleet.world.hosts.values()} == {AUTHORITY}
    (said,) = [o.text for o in report.outcomes if o.action.endswith(":revoke")]
    assert "key and certificate are gone on lq-d25, no key line on lq-d26" in said
    assert "cannot be unissued and ends at " in said
    _arrived(fleet)
    fleet.host("lq-d26").trusts = ""
    assert [action.id for action in fleet.plan().actions] == ["host/lq-d26:trust-authority"]


def test_killed_before_any_call_one_more_pass_ends_it() -> None:
    whole = _moving()
    whole.apply()
    for number in range(1, len(whole.world.calls) + 1, 3):
        fleet = _moving()
        seen = _watch(fleet)
        fleet.world.kill_at = number
        try:
            fleet.apply()
        except Killed:
            fleet.revive()
            fleet.world.pass_time(600)
        fleet.converge()
        assert all(seen), number
        _arrived(fleet)


def test_killed_after_signing_the_leftover_is_swept() -> None:
    fleet = _moving()
    fleet.world.fault = ("lease.granted", Killed())
    try:
        fleet.apply()
    except Killed:
        fleet.revive()
    assert [a for a in fleet.plan().actions if isinstance(a, RevokeAccess) and not a.certified]
    fleet.converge()
    _arrived(fleet)


def test_an_authority_that_is_not_there_and_one_that_is_another() -> None:
    fleet = _moving()
    kept = fleet.world.authorities.pop("~/authority")
    report = fleet.apply()
    said = [o.text for o in report.failed]
    assert any("no certificate was signed with ~/authority" in text for text in said), said
    fleet.world.authorities["~/authority"] = "ssh-ed25519 AAAAanother"
    report = fleet.apply()
    said = [o.text for o in report.failed]
    assert any("the leased login does not work" in text for text in said), said
    assert fleet.world.where("web") == [("lq-d25", "running")]
    assert fleet.world.residue() == []
    fleet.world.authorities["~/authority"] = kept
    fleet.converge()
    _arrived(fleet)
