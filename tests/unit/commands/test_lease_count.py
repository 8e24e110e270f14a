"""What a pass's record tells of its leases: opened, closed, swept, pending; in text and in JSON.

Over the fleet in memory with its real actions, and over ends of actions as a killed or disturbed pass leaves them.
"""

import json

import pytest

from reconciler.cli.lease_count import CLOSES, Leases, lease_line, leases_of
from reconciler.kinds.lease.actions import ClosePort, GrantAccess, OpenPort, RevokeAccess
from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed
from tests.fakes.fleets import Fleet, settled
from tests.fakes.world import Killed
from tests.unit.commands.conftest import Run

GRANT, OPEN = "lease/8c1f@b:grant", "lease/8c1f@b:open-port:49152"
CLOSE, REVOKE = "lease/8c1f@b:close-port:49152", "lease/8c1f@b:revoke"
OTHER = ("lease/77aa@b:grant", "lease/77aa@b:revoke")
PENDING = {"pending": "revocation"}


def ends(*actions: str, **others: str) -> list[Outcome]:
    """Done, but those named `failed` or `skipped`."""
    words = {action: status for status, action in others.items()}
    return [Outcome(action, words.get(action, "done")) for action in actions]  # type: ignore[arg-type]


def test_the_verbs_are_those_of_the_actions() -> None:
    assert {GrantAccess.verb: RevokeAccess.verb, OpenPort.verb: ClosePort.verb} == CLOSES


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([], Leases()),
        (ends("vm/web@b:move-live", "firewall/b:open-port"), Leases()),
        (ends(GRANT, OPEN, "vm/web@b:move-live", CLOSE, REVOKE), Leases(1, 1)),
        (ends(GRANT, OPEN, CLOSE, REVOKE, *OTHER), Leases(2, 2)),
        (ends(OPEN, CLOSE), Leases(1, 1)),  # access: {mode: none}
        (ends(GRANT, OPEN), Leases(1, 0)),  # killed in the move
        (ends(GRANT, OPEN, CLOSE), Leases(1, 0)),  # killed between the two
        (ends(GRANT, OPEN, CLOSE, REVOKE, failed=GRANT), Leases(1, 1)),  # perhaps it let somebody in before it failed
        (ends(GRANT, REVOKE, skipped=GRANT), Leases()),
        (ends(GRANT, REVOKE, skipped=REVOKE), Leases(1, 0)),  # the lock was lost
        ([*ends(GRANT), Outcome(REVOKE, "failed", facts=PENDING)], Leases(1, 0, 0, 1)),
        ([*ends(GRANT, OPEN, REVOKE), Outcome(CLOSE, "nothing-to-do")], Leases(1, 1)),  # the host's timer was sooner
        (ends("lease/key-8c1f@b:revoke", "lease/secret-8c1f@a:revoke"), Leases(swept=2)),
        (ends("lease/port-x-10.0.0.1-4915@b:close-port:4915", "lease/port-permanent-x@b:close-port"), Leases(0, 0, 2)),
        ([Outcome("lease/key-8c1f@b:revoke", "nothing-to-do")], Leases()),  # left alone: its migration still runs
        ([Outcome("lease/key-8c1f@b:revoke", "failed", facts=PENDING)], Leases(pending=1)),
    ],
)  # fmt: skip
def test_what_is_counted(outcomes: list[Outcome], told: Leases) -> None:
    assert leases_of(outcomes) == told


def test_a_line_for_people() -> None:
    left = Outcome("lease/secret-8c1f@a:revoke", "failed", facts=PENDING)
    swept = ends("lease/key-8c1f@b:revoke", *OTHER)
    whole = Passed("r", "f", outcomes=(*swept, left), leases_open=1)
    assert lease_line(whole) == "1 opened, 1 closed; 1 piece of earlier leases swept; 1 revocation pending"
    assert lease_line(Passed("r", "f", leases_open=2)) == "2 pieces seen open"
    assert lease_line(Passed("r", "f", outcomes=tuple(ends("vm/web@b:verify")))) == ""


def test_history_tells_of_a_move_and_of_what_a_killed_one_left(run: Run, fleet: Fleet) -> None:
    fleet.place(web="lq-d26")
    assert run("apply", "specs", "--yes").exit_code == 0
    assert "  leases     1 opened, 1 closed\n" in run("history", "show").stdout
    fleet.place(web="lq-d25")
    fleet.world.fault = ("move.ready", Killed())
    with pytest.raises(Killed):
        run("apply", "specs", "--yes")
    assert fleet.world.fault is None, "the failpoint was not reached"
    assert fleet.world.residue() != []
    fleet.revive()
    assert run("apply", "specs", "--yes").exit_code == 0
    assert fleet.world.residue() == []
    told = {one["verdict"]: one["leases"] for one in json.loads(run("history", "-o", "json").stdout)["passes"][:2]}
    assert told["unfinished"] == {"opened": 1, "closed": 0, "swept": 0, "pending": 0}
    assert told["ok"] == {"opened": 1, "closed": 1, "swept": 3, "pending": 0}, "a key line, a private key, a rule"


def test_access_that_could_not_be_taken_back_is_pending_and_swept_later() -> None:
    fleet = settled(web="lq-d25")
    fleet.world.pass_time(60)
    fleet.place(web="lq-d26")

    def die() -> None:
        fleet.host("lq-d26").up = False

    fleet.world.happens = ("move.ready", die)
    told = leases_of(fleet.apply().outcomes)
    assert (told.opened, told.closed) == (1, 0)
    assert told.pending > 0
    fleet.host("lq-d26").up = True
    assert leases_of(fleet.apply().outcomes).swept > 0
    assert fleet.world.residue() == []
