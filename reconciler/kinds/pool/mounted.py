"""Is something mounted at a pool's target: yes, no, or it cannot be told, which is not no.

A network file system whose client connects again answers with an error for a while; it is asked a few times.
"""

from reconciler.errors import Refused
from reconciler.model.fleet import HostCard
from reconciler.ports import Hands

_NO, _ABSENT = 32, "No such file or directory"
_TIMES, _PAUSE = 4, 2.0


def mounted(card: HostCard, target: str, hands: Hands) -> bool:
    """Raises Refused where the host cannot tell, after four questions within six seconds."""
    for left in reversed(range(_TIMES)):
        reply = hands.shell.run(card, ["env", "LC_ALL=C", "mountpoint", target])
        if reply.code in (0, _NO) or _ABSENT in reply.err:
            return reply.code == 0
        if left:
            hands.clock.sleep(_PAUSE)
    said = (reply.err or reply.out).strip()[:200] or f"mountpoint ended with {reply.code}"
    fix = f"`mountpoint {target}` on {card.name}; is its server there?"
    raise Refused(card.name, f"cannot tell whether something is mounted at {target}: {said}", fix)
