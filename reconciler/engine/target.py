"""`--target`: only the named objects of a plan. Pure; what they need on their hosts is the user's to name."""

from collections.abc import Sequence
from difflib import get_close_matches

from reconciler.errors import PlanError
from reconciler.model.change import Difference
from reconciler.model.desired import View


def narrow(differences: tuple[Difference, ...], targets: Sequence[str], view: View) -> tuple[Difference, ...]:
    """Differences at `kind/name` or `kind/name@host`; all of them without targets.

    Raises PlanError for a target that names nothing, declared or different, so that a slip is not read as "in sync".
    """
    known = {word for item in view.desired for word in (str(item.place), str(item.place.ref))}
    known |= {word for d in differences for word in (str(d.place), str(d.place.ref))}
    for target in targets:
        if target not in known:
            close = get_close_matches(target, sorted(known), n=3, cutoff=0.5)
            fix = (
                f"did you mean {' or '.join(close)}?"
                if close
                else "write KIND/NAME, as in vm/web or pool/shared@host-a"
            )
            raise PlanError(f"--target {target}: nothing of that name is declared", fix)
    if not targets:
        return differences
    return tuple(d for d in differences if str(d.place) in targets or str(d.place.ref) in targets)
