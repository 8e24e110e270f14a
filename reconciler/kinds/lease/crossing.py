"""What the gates of two hosts have against a move between them. Pure; picking the port is the plan's."""

from collections.abc import Sequence

from reconciler.kinds.lease.state import Gate
from reconciler.model.crossing import Blocker, Crossing, Hurdle
from reconciler.model.desired import View
from reconciler.model.ref import Place


def hurdles(crossing: Crossing, view: View) -> Sequence[Hurdle]:
    """Both hosts need a migration address, and the destination as many free ports as the move uses."""
    found: list[Hurdle] = []
    for host in (crossing.source, crossing.destination):
        gate: Gate | None = view.snapshot.get(Place("gate", host, host))
        if gate is None or not gate.address:
            found.append(Blocker(f"the migration address of {host} is unknown", "declare its spec.migration.address"))
    there: Gate | None = view.snapshot.get(Place("gate", crossing.destination, crossing.destination))
    first, last = view.fleet.hosts[crossing.destination].migration_ports
    used = set(there.listening) if there else set()
    used |= {s.port for p, s in view.snapshot.of("lease") if p.host == crossing.destination}
    if len(set(range(first, last + 1)) - used) < crossing.ports:
        fix = "widen its spec.migration.ports"
        found.append(Blocker(f"no free port from {first} to {last} on {crossing.destination}", fix))
    return found
