"""Whether a host gets through to another, as `explain` and `doctor` tell it: over the fleet in memory."""

from dataclasses import dataclass

import pytest

from reconciler.kinds.lease.reach import ask
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle, Note
from reconciler.model.fleet import HostCard
from reconciler.ports import Hands
from reconciler.readings import Reply
from tests.fakes.fleets import Fleet

MOVE = Crossing("web", "lq-d25", "lq-d26", guest="<domain/>")


@pytest.fixture
def fleet() -> Fleet:
    """After one pass: firewalld runs on both hosts, open to ssh and not to memory."""
    made = Fleet()
    made.converge()
    return made


def told(fleet: Fleet, crossing: Crossing = MOVE) -> list[Hurdle]:
    tools = fleet.tools
    return list(ask(crossing, Hands(fleet.wanted.fleet.hosts, tools.hypervisor, tools.shell, tools.clock)))


def test_what_a_lease_will_open_is_only_noted(fleet: Fleet) -> None:
    assert told(fleet) == [Note("10.77.0.12 is closed to lq-d25 at port 49152; a lease opens one for the move")]


def test_an_open_way_is_noted(fleet: Fleet) -> None:
    fleet.world.hosts["lq-d26"].firewall.stop()
    assert told(fleet) == [Note("lq-d25 gets through to 10.77.0.12, port 49152")]


def test_a_login_that_cannot_get_through_is_a_blocker_of_live_moves(fleet: Fleet) -> None:
    for zone in fleet.world.hosts["lq-d26"].firewall.runtime.values():
        zone.services.discard("ssh")
    blocker, note = told(fleet)
    assert isinstance(blocker, Blocker)
    assert blocker.against == "live"
    assert blocker.reason == "lq-d25 does not reach sshd of lq-d26 at 10.77.0.12:22: No route to host"
    assert isinstance(note, Note)
    without = Crossing("web", "lq-d25", "lq-d26", guest="<domain/>", login=False)
    assert told(fleet, without) == [note], "no host logs in on another"


def test_a_VM_that_is_off_opens_nothing(fleet: Fleet) -> None:
    assert told(fleet, Crossing("web", "lq-d25", "lq-d26")) == []


@dataclass
class _Mute:
    """A shell on whose host every connection is dropped."""

    code: int = 124

    def run(self, host: HostCard, argv: list[str], *, stdin: str = "", deadline: float = 30.0) -> Reply:
        return Reply(0 if argv[-1] == "22" else self.code, "", "")


def test_no_answer_at_all_is_a_caution(fleet: Fleet) -> None:
    hands = Hands(fleet.wanted.fleet.hosts, fleet.tools.hypervisor, _Mute(), fleet.tools.clock)  # type: ignore[arg-type]
    (caution,) = ask(MOVE, hands)
    assert isinstance(caution, Caution)
    assert caution.reason == "lq-d25 gets no answer from 10.77.0.12, port 49152"
