"""Leases: what is seen without a running move goes; every planned move gets its own and gives it back. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.kinds.lease.actions import ClosePort, GrantAccess, OpenPort, RevokeAccess
from reconciler.kinds.lease.state import Gate, LeaseState
from reconciler.model.action import Action, Passage, Refusal
from reconciler.model.change import Comparison, Difference
from reconciler.model.desired import View
from reconciler.model.ref import Place


def compare(view: View) -> Sequence[Comparison]:
    """Every piece of a lease that no running migration explains, as something that should not be."""
    return [
        Comparison(place, {"what": piece.what, "until": piece.until}, None)
        for place, piece in view.snapshot.of("lease")
        if not _in_use(piece, view)
    ]


def _in_use(piece: LeaseState, view: View) -> bool:
    """A running migration of that domain, or from that peer, or (where the piece names neither) any."""
    for migration in view.snapshot.migrations:
        gate: Gate | None = view.snapshot.get(Place("gate", migration.host, migration.host))
        if piece.domain == migration.domain or (gate and piece.peer == gate.address) or piece.what == "port-permanent":
            return True
    return False


def plan(difference: Difference, view: View) -> Sequence[Action | Refusal]:
    """The removal of one leftover piece."""
    piece: LeaseState = view.snapshot.get(difference.place)
    place, reason = difference.place, "a lease without a running move"
    match piece.what:
        case "port":
            return [ClosePort(place=place, zone=piece.zone, peer=piece.peer, port=piece.port, reason=reason)]
        case "port-permanent":
            why = "a temporary rule of ours was made permanent"
            return [ClosePort(place=place, zone=piece.zone, permanent=True, reason=why)]
        case "key":
            return [
                RevokeAccess(
                    place=place,
                    lease=piece.lease,
                    domain=piece.domain,
                    destination=place.host,
                    user=piece.user,
                    reason=reason,
                )
            ]
        case _:
            return [RevokeAccess(place=place, lease=piece.lease, domain=piece.domain, source=place.host, reason=reason)]


def weave(actions: Sequence[Action], view: View) -> tuple[Sequence[Action], Sequence[Refusal]]:
    """Each action that crosses hosts gets its grant and its port before it, and their end after it, come what may."""
    woven: list[Action] = []
    refusals: list[Refusal] = []
    taken: set[tuple[str, int]] = set()
    sweeps = [action for action in actions if action.place.kind == "lease"]
    for action in actions:
        if action.passage is None:
            woven.append(action)
            continue
        way = _way(action.passage, view, taken)
        if isinstance(way, str):
            refusals.append(_refuse(action, way, view))
            continue
        taken.add((way.destination, way.port))
        # The sweep of a zone knows our rules by their mark only: it must not meet those of this pass.
        before = tuple(s.id for s in sweeps if s.place.host in (way.source, way.destination))
        woven += _around(action, way, before, view)
    return woven, refusals


def _way(way: Passage, view: View, taken: Iterable[tuple[str, int]]) -> Passage | str:
    """The passage with addresses, zone and a free port; or why there is none."""
    source: Gate | None = view.snapshot.get(Place("gate", way.source, way.source))
    there: Gate | None = view.snapshot.get(Place("gate", way.destination, way.destination))
    if source is None or there is None or not source.address or not there.address:
        return "the migration address of one of the two hosts is unknown; declare spec.migration.address of both"
    first, last = view.fleet.hosts[way.destination].migration_ports
    used = {port for host, port in taken if host == way.destination} | set(there.listening)
    used |= {s.port for p, s in view.snapshot.of("lease") if p.host == way.destination}
    port = next((port for port in range(first, last + 1) if port not in used), 0)
    if not port:
        return f"no free port from {first} to {last} on {way.destination}; widen spec.migration.ports"
    standing = not there.firewall or any(low <= port <= high for low, high in there.allowed)
    return replace(way, peer=source.address, target=there.address, port=port, zone=there.zone, standing=standing)


def _around(action: Action, way: Passage, before: tuple[str, ...], view: View) -> list[Action]:
    """The way opened, the move, the way closed; `before` are removals that end first."""
    domain, fqdn = action.place.name, view.fleet.hosts[way.destination].fqdn
    place = Place("lease", way.destination, way.lease)
    # A grant waits for what the move waits for, so that access is open no longer than it must be.
    grant = GrantAccess(
        place=place,
        way=way,
        domain=domain,
        requires=action.requires,
        needs=action.needs,
        after=before,
        reason=f"for the move of {domain}",
    )
    opening: list[Action] = [grant]
    if not way.standing:
        opening.append(
            OpenPort(place=place, way=way, domain=domain, needs=(grant.id,), reason=f"for the move of {domain}")
        )
    move = replace(action.through(way), needs=tuple(dict.fromkeys((*action.needs, *(a.id for a in opening)))))
    closing: list[Action] = []
    if not way.standing:
        closing.append(
            ClosePort(
                place=place,
                zone=way.zone,
                peer=way.peer,
                port=way.port,
                after=(move.id,),
                reason="always, also after a failure",
            )
        )
    closing.append(
        RevokeAccess(
            place=place,
            lease=way.lease,
            domain=domain,
            source=way.source,
            destination=way.destination,
            user=way.user,
            fqdn=fqdn,
            after=(move.id,),
            reason="always, also after a failure",
        )
    )
    return [*opening, move, *closing]


def _refuse(action: Action, why: str, view: View) -> Refusal:
    item = view.at(action.place)
    where = (item.origin.file, item.origin.line) if item else ("", 0)
    return Refusal(action.place, f"cannot {action.explain()}: {why}", "", *where)
