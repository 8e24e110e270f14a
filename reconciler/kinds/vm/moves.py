"""How a VM gets to its declared host: live, shut down for it, or as it is when it is off. Pure.

What is against a move is for blockers to say; the live move's own steps are planned beside the rest in plan.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.kinds.vm.actions import StopDomain
from reconciler.kinds.vm.blockers import blockers
from reconciler.kinds.vm.copying import local
from reconciler.kinds.vm.offline_actions import DropArrival, FinishArrival, ForgetStop, MoveOffline, ShutToMove
from reconciler.kinds.vm.state import DomainState, VmDesired
from reconciler.model.action import Action
from reconciler.model.crossing import Blocker
from reconciler.model.desired import View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place

Sighting = tuple[Place, DomainState]


@dataclass(frozen=True, slots=True)
class Choice:
    """The method of one move, why it is not the gentlest one, and what is against it."""

    method: str
    why: str = ""
    blockers: tuple[Blocker, ...] = ()


def choose(want: VmDesired, state: DomainState, origin: str, view: View) -> Choice:
    """Offline where it is off or shall be; else by policy, where `auto` is cold if only that is in its way."""
    found = blockers(want, state, origin, view)
    cold = tuple(b for b in found if b.against != "live")
    live = tuple(b for b in found if b.against != "cold")
    if state.power != "running" or want.power == "stopped":
        return Choice("offline", blockers=cold)
    match want.moves.method:
        case "cold":
            return Choice("cold", blockers=cold)
        case "auto" if live and not cold:
            return Choice("cold", f"not live: {'; '.join(b.reason for b in live)}")
        case "auto" if live:
            return Choice("live", blockers=found)
        case _:
            return Choice("live", blockers=live)


def carry(
    want: VmDesired, seen: Sighting, choice: Choice, before: Sequence[str], grounds: tuple[Place, ...]
) -> list[Action]:
    """Stop where it runs, and move; `grounds` are all that must be ready on both hosts before."""
    (place, state), there = seen, Place("vm", want.host, want.name)
    paths = [disk.path for disk in state.disks if not local(disk.path, want)]
    pools = tuple(name for name, target in want.shared if any(path.startswith(target + "/") for path in paths))
    files = tuple(dict.fromkeys((*(d.path for d in state.disks if d.path.startswith("/")), *state.files)))
    steps: list[Action] = []
    if choice.method == "cold":
        stop = ShutToMove(
            place=place,
            uuid=state.uuid,
            destination=want.host,
            why=choice.why,
            files=files,
            pools=pools,
            disruption=Disruption.MOVE_COLD,
            needs=tuple(before),
            requires=grounds,
            reason=f"{want.placed}, runs on {place.host}",
        )
        steps = [stop]
    elif state.power == "running":
        why = "declared stopped, is running"
        stop_here = StopDomain(place=place, uuid=state.uuid, disruption=Disruption.RESTART, reason=why)
        steps = [replace(stop_here, needs=tuple(before))]
    move = MoveOffline(
        place=there,
        uuid=state.uuid,
        origin=place.host,
        files=files,
        pools=pools,
        autostart=state.autostart if want.autostart is None else want.autostart,
        needs=(*before, *(step.id for step in steps)),
        requires=grounds,
        reason=f"{want.placed}, is {'shut down' if steps else 'off'} on {place.host}",
    )
    return [*steps, move]


def forget(place: Place, state: DomainState, needs: tuple[str, ...] = ()) -> ForgetStop:
    """The mark of a cold move goes, since there is nothing to start again."""
    return ForgetStop(place=place, uuid=state.uuid, needs=needs, reason="it need not be started again")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An offline move that was cut off: the marked definition, and whether its origin still has the VM."""

    place: Place
    state: DomainState
    gone: bool


def apart(seen: Sequence[Sighting]) -> tuple[Sequence[Sighting], Unfinished | None]:
    """The sightings without what a cut-off move left, and that; a contradiction is left as it was seen.

    One marked definition alone has arrived. Beside the one VM it came from, it is off and of the same UUID.
    """
    if len(seen) == 1 and seen[0][1].coming:
        place, state = seen[0]
        settled = replace(state, autostart=state.boots, boots=False, coming="")
        return [(place, settled)], Unfinished(place, state, gone=True)
    pairs = [Unfinished(p, s, gone=False) for p, s in seen if s.coming and s.power == "stopped"]
    rest = [(p, s) for p, s in seen if not s.coming]
    if len(seen) == 2 and len(pairs) == len(rest) == 1:
        (origin, source), (cut,) = rest[0], pairs
        if origin.host == cut.state.coming and source.uuid == cut.state.uuid:
            return rest, cut
    return seen, None


def first(cut: Unfinished, want: VmDesired, seen: Sighting) -> Iterator[Action]:
    """What must be done about a cut-off move before anything else; nothing where the same move simply goes on."""
    place, uuid, origin = cut.place, cut.state.uuid, cut.state.coming
    if cut.gone:
        yield FinishArrival(place=place, uuid=uuid, origin=origin, reason=f"{origin} has it no longer")
    elif seen[1].power != "stopped" or want.host != place.host:
        why = f"it is {seen[1].power} on {origin} and placed on {want.host}"
        yield DropArrival(place=place, uuid=uuid, origin=origin, reason=why)
