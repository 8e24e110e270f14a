"""A migration that is under way when a pass looks: who is moving, and the action that follows it. Pure.

Nothing is planned that could disturb it; what else differs waits for its end, in this pass or the next.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kinds.vm.actions import FollowMove
from reconciler.kinds.vm.creation import refuse
from reconciler.kinds.vm.state import LEFT, DomainState, VmDesired
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import Desired, View
from reconciler.model.ref import Place

Seen = Sequence[tuple[Place, DomainState]]
AGAIN = "apply again when it has ended: the next pass plans from what is true then"


def leaving(seen: Seen) -> tuple[Place, DomainState] | None:
    """Where a migration job of it runs; libvirt tells that on the source only."""
    found = [(place, state) for place, state in seen if state.migrating]
    return next((pair for pair in found if pair[1].power == "running"), found[0] if found else None)


def towards(seen: Seen) -> str:
    """The other host that has it meanwhile, empty where none was seen (yet)."""
    here = leaving(seen)
    return next((place.host for place, _ in seen if here and place != here[0]), "")


def way(seen: Seen) -> str:
    """In words, for a comparison; empty without a migration."""
    here = leaving(seen)
    return f"{here[0].host} -> {towards(seen) or 'elsewhere'}" if here else ""


def left_paused(item: Desired, state: DomainState, view: View) -> bool:
    """Ours, declared running, and paused by nothing but a migration that is over; every host was heard."""
    ours = state.fleet == view.fleet.name and item.value.power == "running"
    heard = not any("vm" in s.kinds for s in view.snapshot.silences)
    return ours and heard and state.power == "paused" and state.reason in LEFT and not state.migrating


def follow(item: Desired, seen: Seen, view: View) -> list[Action | Refusal]:
    """The one action, or why it is not even followed; a refusal beside it where it does not go where it is declared."""
    here = leaving(seen)
    if here is None:
        return []
    (origin, state), want = here, item.value
    wrong = _strange(item, seen, view)
    if wrong:
        return [wrong]
    known = towards(seen)
    goes = known or want.host
    action = FollowMove(
        place=Place("vm", goes, want.name),
        uuid=state.uuid,
        origin=origin.host,
        towards=known or (want.host if want.host != origin.host else ""),
        autostart=_autostart(want, state),
        patience=want.moves.timeout,
        reason="it was begun before this pass; it is never begun twice",
    )
    if goes == want.host != origin.host:
        return [action]
    where = f"to {known}" if known else f"away from {origin.host}"
    return [action, refuse(item, f"is being migrated {where}, declared on {want.host}", AGAIN)]


def _autostart(want: VmDesired, state: DomainState) -> bool:
    return state.autostart if want.autostart is None else want.autostart


def _strange(item: Desired, seen: Seen, view: View) -> Refusal | None:
    """What keeps even from following: another fleet, three hosts, two domains, a silent host that may be the end."""
    listed = ", ".join(f"{s.power} on {p.host} (uuid {s.uuid})" for p, s in seen)
    owner = seen[0][1].fleet
    if owner and owner != view.fleet.name:
        return refuse(item, f"belongs to fleet {owner!r}", "remove the VM from one of the two fleets")
    if len(seen) > 2 or len({s.uuid for _, s in seen}) > 1:
        fix = "find out which one is right before anything ends"
        return replace(
            refuse(item, f"is being migrated and is on more hosts than a move needs: {listed}", fix), human=True
        )
    silent = [s.host for s in view.snapshot.silences if "vm" in s.kinds]
    if silent and len(seen) == 1:
        where = ", ".join(silent)
        fix = f"bring {where} back and plan again"
        return replace(refuse(item, f"is being migrated, perhaps to {where}, which did not answer", fix), human=True)
    return None
