"""The way between two hosts that one move needs, as the specs say it. Pure.

Opens nothing: its addresses, port and keys are the lease's business.
"""

import hashlib

from reconciler.kinds.vm.blockers import untunnelled
from reconciler.kinds.vm.state import VmDesired
from reconciler.model.action import Passage
from reconciler.model.desired import View


def passage(want: VmDesired, source: str, destination: str, view: View) -> Passage:
    """The way between two hosts that one move of that VM needs."""
    access, lease = view.fleet.access, lease_id(want.name, source, destination, view.now)
    return Passage(
        lease,
        source,
        destination,
        user=access.user,
        key_type=access.key_type,
        lifetime=access.lifetime,
        managed=access.mode == "none",
        authority=access.authority_file if access.authority else "",
        encrypt=want.moves.encrypt,
        untunnelled=untunnelled(want.moves),
    )


def lease_id(name: str, source: str, destination: str, now: int) -> str:
    """Names one move's access: the same for the same plan, another in each pass."""
    return hashlib.sha256(f"{name} {source} {destination} {now}".encode()).hexdigest()[:12]
