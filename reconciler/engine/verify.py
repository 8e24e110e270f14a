"""After everything ended well: does a new look at the hosts agree? Pure; compares two plans of the same specs."""

from reconciler.model.plan import Plan
from reconciler.model.ref import Place, Ref
from reconciler.model.snapshot import Snapshot


def left_over(made: Plan, again: Plan, after: Snapshot) -> tuple[str, ...]:
    """What still differs at the places this plan changed, and leases of ours that remain.

    What was refused is known, and so is what the plan left for another pass.
    """
    changed = {_object(a.place) for a in made.actions}
    refused = {r.place for r in made.refusals}
    later = set(made.forecast.later)
    left = [
        f"{c.place} {c.path or c.verb}: {c.old!r} instead of {c.new!r}"
        for d in again.differences
        for c in d.changes
        if _object(c.place) in changed and c.place not in refused and c.place.name not in later
    ]
    return (*left, *(f"{place} is still there" for place in _leases(made, again, after)))


def _leases(made: Plan, again: Plan, after: Snapshot) -> list[Place]:
    """This plan's own, and whatever of any lease is drift at the ends of its moves: a rule names no lease."""
    ways = [a.passage for a in made.actions if a.passage]
    names, ends = {way.lease for way in ways}, {host for way in ways for host in (way.source, way.destination)}
    ends |= {host for a in made.actions if a.followed for host in (a.followed.host, a.place.host)}
    mine = {place for place, state in after.of("lease") if getattr(state, "lease", "") in names}
    drift = {d.place for d in again.differences if d.place.kind == "lease" and d.place.host in ends}
    return sorted(mine | drift)


def _object(place: Place) -> Ref | Place:
    """A VM is the same one on any host; everything else is a thing of its host."""
    return place.ref if place.kind == "vm" else place
