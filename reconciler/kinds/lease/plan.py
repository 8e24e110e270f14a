"""Leases: what is seen without a running move goes; every planned move gets its own and gives it back. Pure."""

from collections.abc import Sequence

from reconciler.kinds.lease.actions import ClosePort, RevokeAccess
from reconciler.kinds.lease.state import Gate, LeaseState
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Comparison, Difference
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration


def compare(view: View) -> Sequence[Comparison]:
    """Every piece of a lease that no running migration explains, as something that should not be."""
    return [
        Comparison(place, {"what": piece.what, "until": piece.until}, None)
        for place, piece in view.snapshot.of("lease")
        if not _in_use(piece, view)
    ]


def _in_use(piece: LeaseState, view: View) -> bool:
    return any(uses(migration, piece, view) for migration in view.snapshot.migrations)


def uses(migration: Migration, piece: LeaseState, view: View) -> bool:
    """Is it for that domain, or from that peer, or (where the piece names neither) perhaps for any?"""
    gate: Gate | None = view.snapshot.get(Place("gate", migration.host, migration.host))
    from_there = gate is not None and piece.peer == gate.address
    return piece.domain == migration.domain or from_there or piece.what == "port-permanent"


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
