"""`--target`: only the named objects of a plan. Pure; what they need on their hosts is the user's to name."""

from collections.abc import Sequence

from reconciler.errors import PlanError
from reconciler.model.change import Difference


def narrow(differences: tuple[Difference, ...], targets: Sequence[str]) -> tuple[Difference, ...]:
    """Differences at `kind/name` or `kind/name@host`; all of them without targets. Raises PlanError on other words."""
    for target in targets:
        if "/" not in target:
            raise PlanError(f"--target {target!r}: write KIND/NAME, as in vm/web or pool/shared@host-a")
    if not targets:
        return differences
    return tuple(d for d in differences if str(d.place) in targets or str(d.place.ref) in targets)
