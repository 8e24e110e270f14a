"""What a pass plans for a migration that broke in post-copy, or that ended without us. Pure.

It never plans to destroy, start or undefine a half; what cannot be put together again is refused, for a person.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.kinds.vm.actions import FinishMove, RecoverMove
from reconciler.kinds.vm.creation import refuse
from reconciler.kinds.vm.halves import Halves, Seen, broken, ended, lost
from reconciler.kinds.vm.state import VmDesired
from reconciler.model.action import Action, Passage, Refusal
from reconciler.model.desired import Desired, View
from reconciler.model.disruption import Disruption

Way = Callable[[str, str], Passage]
Proof = Callable[[RecoverMove | FinishMove], Action]


def mend(item: Desired, seen: Seen, view: View, way: Way, proof: Proof) -> Sequence[Action | Refusal]:
    """Empty where there is nothing to mend. `way` makes a passage between two hosts, `proof` what follows an action."""
    if lost(seen):
        return [_lost(item, seen)]
    halves = broken(seen)
    if halves:
        recover = _recover(item.value, halves, view, way)
        return [recover, proof(recover), *_first(item, halves)]
    halves = ended(seen)
    if halves:
        (source, _), (there, state) = halves.source, halves.there
        finish = FinishMove(
            place=there,
            uuid=state.uuid,
            origin=source.host,
            autostart=_autostart(item.value, halves),
            reason=f"it runs on {there.host}, and libvirt on {source.host} says that it migrated",
        )
        return [finish, proof(finish), *_first(item, halves)]
    return []


def _recover(want: VmDesired, halves: Halves, view: View, way: Way) -> RecoverMove:
    (source, state), (there, _) = halves.source, halves.there
    return RecoverMove(
        place=there,
        uuid=state.uuid,
        origin=source.host,
        address=view.fleet.hosts[there.host].fqdn,
        policy=replace(want.moves, post_copy=True, connections=0),
        way=way(source.host, there.host),
        autostart=_autostart(want, halves),
        disruption=Disruption.MOVE_LIVE,
        expected_bytes=state.memory,
        reason="each host has memory that the other has not",
    )


def _autostart(want: VmDesired, halves: Halves) -> bool:
    return halves.source[1].autostart if want.autostart is None else want.autostart


def _first(item: Desired, halves: Halves) -> list[Refusal]:
    """Whatever else is declared waits until it is one VM again."""
    host = halves.there[0].host
    if item.value.host == host:
        return []
    return [refuse(item, f"its last move is ended first, on {host}", "apply again when it has")]


def _lost(item: Desired, seen: Seen) -> Refusal:
    listed = ", ".join(f"{s.power} on {p.host}" + (f" ({s.reason})" if s.reason else "") for p, s in seen)
    fix = "nothing was touched; `virsh domstate --reason` on every host. Was a QEMU killed? Then only a reboot is left"
    return replace(refuse(item, f"its post-copy broke, and its other half is gone: {listed}", fix), human=True)
