"""After everything ended well: does a new look at the hosts agree? Pure; compares two plans of the same specs."""

from reconciler.model.plan import Plan
from reconciler.model.ref import Place, Ref
from reconciler.model.snapshot import Snapshot


def left_over(made: Plan, again: Plan, after: Snapshot) -> tuple[str, ...]:
    """What still differs at the places this plan changed, and leases of ours that remain; refusals are known."""
    changed = {_object(a.place) for a in made.actions}
    refused = {r.place for r in made.refusals}
    left = [
        f"{c.place} {c.path or c.verb}: {c.old!r} instead of {c.new!r}"
        for d in again.differences
        for c in d.changes
        if _object(c.place) in changed and c.place not in refused
    ]
    leases = {a.passage.lease for a in made.actions if a.passage}
    left += [f"{p} is still there" for p, s in after.of("lease") if getattr(s, "lease", "") in leases]
    return tuple(left)


def _object(place: Place) -> Ref | Place:
    """A VM is the same one on any host; everything else is a thing of its host."""
    return place.ref if place.kind == "vm" else place
