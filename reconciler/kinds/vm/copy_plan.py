"""What is to do about copies of a VM's disks that moves made and left: the next pass's part of it. Pure.

The deleting is live's, which asks every host first; here it is only planned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.kinds.vm.copy_actions import ClearCopy, DeleteOldCopy
from reconciler.kinds.vm.creation import refuse
from reconciler.kinds.vm.state import CopyDisk, DomainState, VmDesired, VolumeAt
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import Desired, View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place

UNFINISHED, OLD = "unfinished copy", "old copy"
Step = Action | Refusal


def differences(want: VmDesired, state: DomainState, host: str) -> Mapping[str, str]:
    """What should not be, by name of the difference: the note of an ended copy; old copies where they are to go."""
    found = {UNFINISHED: " ".join(str(volume) for volume in state.copying)}
    if want.moves.old_copy == "delete":
        found[OLD] = " ".join(str(volume) for volume in elsewhere(state.left, host))
    return {name: text for name, text in found.items() if text}


def elsewhere(volumes: Sequence[VolumeAt], host: str) -> tuple[VolumeAt, ...]:
    """On its own host a volume of that name is the disk it runs from."""
    return tuple(volume for volume in volumes if volume.host != host)


def after_clearing(item: Desired, place: Place, state: DomainState, view: View, steps: Sequence[Step]) -> list[Step]:
    """The steps planned for a VM, after what an ended copy left is gone."""
    if not state.copying:
        return list(steps)
    halves = elsewhere(state.copying, place.host)
    silent = sorted({volume.host for volume in halves if view.snapshot.silence(volume.host, "vm")})
    if silent:
        where = " and ".join(silent)
        fix = f"bring {where} back and plan again"
        return [refuse(item, f"half-made copies of its disks are on {where}, which did not answer", fix)]
    gone = sorted({volume.host for volume in halves} - set(view.fleet.hosts))
    if gone:
        named = ", ".join(str(volume) for volume in halves if volume.host in gone)
        fix = "declare that host again, or delete them there and `virsh metadata` the note away"
        return [refuse(item, f"half-made copies of its disks are on a host that is not declared: {named}", fix)]
    reason = "a copy of its disks ended without us" if halves else "a move with its disks ended without us"
    clear = ClearCopy(place=place, uuid=state.uuid, volumes=state.copying, reason=reason)
    return [clear, *(replace(s, needs=(clear.id, *s.needs)) if isinstance(s, Action) else s for s in steps)]


def old_copies(
    want: VmDesired, place: Place, uuid: str, left: Sequence[VolumeAt], view: View, needs: Sequence[str] = ()
) -> list[Action]:
    """Their deletion, where it is declared; the VM is at `place`, and what is there is its own."""
    old = elsewhere(left, place.host)
    if not old or want.moves.old_copy != "delete" or any(volume.host not in view.fleet.hosts for volume in old):
        return []
    delete = DeleteOldCopy(
        place=place,
        uuid=uuid,
        volumes=old,
        needs=tuple(needs),
        disruption=Disruption.DELETE,
        reason="migration.oldCopy is delete",
    )
    return [delete]


def left_by(disks: Sequence[CopyDisk], origin: str, state: DomainState, host: str) -> tuple[VolumeAt, ...]:
    """All that lies elsewhere once a move with these disks has arrived at `host`."""
    here = {VolumeAt(origin, disk.pool, disk.volume) for disk in disks}
    return tuple(sorted({*elsewhere(state.left, host), *here}))
