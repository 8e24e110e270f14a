"""What the gates of two hosts have against a move between them. Pure; picking the port is the plan's."""

from collections.abc import Iterator, Sequence

from reconciler.kinds.lease.channel import choose
from reconciler.kinds.lease.state import Gate
from reconciler.model.action import Passage
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle, Note
from reconciler.model.desired import View
from reconciler.model.ref import Place

_CHANNELS = {"tls": "its memory goes by QEMU's TLS", "tunnel": "its memory goes in a tunnel through the leased login"}


def hurdles(crossing: Crossing, view: View) -> Sequence[Hurdle]:
    """Both hosts need a migration address, the memory a way, and outside a tunnel as many free ports as it uses."""
    found: list[Hurdle] = []
    for host in (crossing.source, crossing.destination):
        gate: Gate | None = view.snapshot.get(Place("gate", host, host))
        if gate is None or not gate.address:
            found.append(
                Blocker(f"the migration address of {host} is unknown", "declare its spec.migration.address", "live")
            )
    return [*found, *_channel(crossing, view)]


def _channel(crossing: Crossing, view: View) -> Iterator[Hurdle]:
    there: Gate | None = view.snapshot.get(Place("gate", crossing.destination, crossing.destination))
    way = Passage(
        "",
        crossing.source,
        crossing.destination,
        target=there.address if there else "",
        lifetime=view.fleet.access.lifetime,
        encrypt=crossing.encrypt,
        untunnelled=crossing.untunnelled,
        disks=crossing.ports > 1,
        managed=view.fleet.access.mode == "none",
    )
    chosen = choose(way, view)
    if isinstance(chosen, Blocker):
        yield chosen
        return
    if crossing.encrypt == "off":
        yield Note("its memory goes unencrypted, as declared")
    elif chosen.way.channel == "plain":
        yield Caution(f"its memory goes unencrypted: {chosen.missing}", chosen.fix)
    else:
        yield Note(_CHANNELS[chosen.way.channel] + (f" (no TLS: {chosen.missing})" if chosen.missing else ""))
    if chosen.way.channel != "tunnel":
        yield from _port(crossing, there, view)


def _port(crossing: Crossing, there: Gate | None, view: View) -> Iterator[Hurdle]:
    first, last = view.fleet.hosts[crossing.destination].migration_ports
    used = set(there.listening) if there else set()
    used |= {s.port for p, s in view.snapshot.of("lease") if p.host == crossing.destination}
    if len(set(range(first, last + 1)) - used) < crossing.ports:
        fix = "widen its spec.migration.ports"
        yield Blocker(f"no free port from {first} to {last} on {crossing.destination}", fix, "live")
