"""A guest is asked to shut down and waited for, on a real host; its power is never cut.

Shared by all that need a VM off; what for is theirs to know.
"""

from reconciler.errors import Refused
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import DomainReading


def stop(card: HostCard, uuid: str, wait: float, hands: Hands) -> Done:
    """`wait` is seconds; raises Refused where the guest does not."""
    here = present(card, uuid, hands)
    if here.state == "shutoff":
        return Done("is off already", changed=False)
    hands.hypervisor.shutdown_domain(card, uuid)
    end = hands.clock.now() + wait
    while hands.clock.now() < end:
        hands.tell("waiting for the guest to shut down", 0, 0, {})
        hands.clock.sleep(1.0)
        if present(card, uuid, hands).state == "shutoff":
            return Done("shut down by the guest")
    fix = "look at its console; the reconciler never cuts the power"
    raise Refused(card.name, f"{here.name} did not shut down within {wait:.0f} s", fix)


def present(card: HostCard, uuid: str, hands: Hands) -> DomainReading:
    """The domain on that host; raises Refused where it is gone."""
    reading = hands.hypervisor.domain(card, uuid)
    if reading is None:
        raise Refused(card.name, f"has no domain {uuid} any more", "plan again")
    return reading
