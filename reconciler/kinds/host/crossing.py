"""What two hosts have against a move between them: names that do not resolve, clocks that differ. Pure."""

from collections.abc import Iterator, Sequence

from reconciler.kinds.host.state import HostState
from reconciler.kinds.host.trust import deaf
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle
from reconciler.model.desired import View
from reconciler.model.ref import Place

APART = 5
_MENDED = "apply writes it into /etc/hosts first"


def hurdles(crossing: Crossing, view: View) -> Sequence[Hurdle]:
    """The destination's FQDN as the source resolves it, where libvirt there opens the connection; and both clocks."""
    here: HostState | None = view.snapshot.get(Place("host", crossing.source, crossing.source))
    there: HostState | None = view.snapshot.get(Place("host", crossing.destination, crossing.destination))
    if here is None or there is None:
        return ()
    named = [] if view.fleet.access.mode == "none" else _name(crossing, here, there, view)
    return [*named, *_trust(crossing, there, view), *_clock(crossing, here, there, view)]


def _trust(crossing: Crossing, there: HostState, view: View) -> Iterator[Hurdle]:
    """Only the destination must accept a certificate, and apply tells it of the authority first."""
    why = deaf(there.trust) if view.fleet.access.authority else None
    if why:
        yield Blocker(f"{crossing.destination}: {why[0]}", why[1], "live")


def _name(crossing: Crossing, here: HostState, there: HostState, view: View) -> Iterator[Hurdle]:
    card = view.fleet.hosts[crossing.destination]
    found = here.resolves.get(card.fqdn, "")
    item = view.at(Place("host", crossing.source, crossing.source))
    promised = {fqdn: address for address, fqdn in item.value.entries}.get(card.fqdn, "") if item else ""
    if not found and promised:
        yield Caution(f"{crossing.source} does not resolve {card.fqdn} yet", _MENDED)
    elif not found:
        fix = f"declare spec.address of {crossing.destination} as an IP address, or add it to DNS"
        yield Blocker(f"{crossing.source} does not resolve {card.fqdn}", fix, "live")
    elif promised and found != promised:
        yield Caution(f"{crossing.source} resolves {card.fqdn} to {found}, not to {promised}", _MENDED)
    if there.fqdn != card.fqdn:
        fix = "apply sets the host name first"
        yield Caution(f"{crossing.destination} calls itself {there.fqdn or 'nothing'}, not {card.fqdn}", fix)


def _clock(crossing: Crossing, here: HostState, there: HostState, view: View) -> Iterator[Hurdle]:
    """A lease ends by the destination's own clock, so an offset does not shorten it; setting that clock right would."""
    if not here.clock or not there.clock:
        return
    apart, lifetime = abs(here.clock - there.clock), view.fleet.access.lifetime
    fix = "run chrony or systemd-timesyncd on both"
    if apart >= lifetime:
        yield Blocker(f"the clocks of the two hosts are {apart} s apart, and a lease lives {lifetime} s", fix, "live")
    elif apart > APART:
        yield Caution(f"the clocks of the two hosts are {apart} s apart", fix)
