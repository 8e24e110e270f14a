"""How a VM writes, for its next forecast: as a move showed, noted on the domain with when it came, or measured now.

Never makes a move that has ended well a failure: a note that cannot be written is not there.
"""

from contextlib import suppress
from dataclasses import replace

from reconciler.errors import HostError
from reconciler.kinds.vm.move_mark import noted
from reconciler.kinds.vm.state import DomainState
from reconciler.kinds.vm.wire import MARK
from reconciler.model.fleet import HostCard
from reconciler.model.ref import Place
from reconciler.ports import Hands
from reconciler.readings import JobNumbers

SECONDS = 1


def measured(place: Place, state: DomainState, hands: Hands, deadline: float) -> DomainState:
    """With what its host measures of it for a second, if it can; a guest that writes nothing is known too."""
    card = hands.hosts[place.host]
    rate = hands.hypervisor.dirty_rate(card, state.uuid, SECONDS, deadline=deadline + SECONDS)
    return replace(state, measured=rate)


def remember(uuid: str, there: HostCard, job: JobNumbers, hands: Hands) -> None:
    """`dirty` is the most that was seen while it moved; a move that ended within its first copy shows none."""
    notes = {"downtime": str(job.downtime_ms)} if job.downtime_ms else {}
    if job.dirty_rate:
        notes["dirty"] = str(job.dirty_rate)
    with suppress(HostError):
        arrived = hands.hypervisor.domain(there, uuid) if notes else None
        if arrived is not None and arrived.config:
            hands.hypervisor.set_metadata(there, uuid, MARK, noted(arrived.config, **notes))


def arrive(uuid: str, there: HostCard, xml: str, hands: Hands) -> None:
    """The second at which it came; only on a domain that has our mark."""
    if MARK in xml:
        with suppress(HostError):
            hands.hypervisor.set_metadata(there, uuid, MARK, noted(xml, moved=str(int(hands.clock.now()))))
