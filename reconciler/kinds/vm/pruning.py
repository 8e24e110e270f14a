"""VM: what is declared nowhere any more, and carries our mark that it may be deleted then. Pure; unknown means refuse.

An emptied set of specs deletes nothing, and neither does a fleet of which a host is silent.
"""

from collections.abc import Iterator, Sequence

from reconciler.kinds.vm.prune_actions import AllowPrune, DeleteDomain
from reconciler.kinds.vm.state import DomainState, VmDesired
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Comparison
from reconciler.model.desired import View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place


def undeclared(view: View) -> Sequence[Comparison]:
    """Domains of this fleet's mark, allowed to be pruned, that no document names."""
    declared = {item.place.name for item in view.of("vm")}
    return [
        Comparison(place, {"managed by": state.fleet, "prune": "allowed"}, None)
        for place, state in view.snapshot.of("vm")
        if state.prune and state.fleet == view.fleet.name and place.name not in declared
    ]


def remove(place: Place, view: View) -> Sequence[Action | Refusal]:
    """Its deletion, or the first reason against it."""
    state: DomainState = view.snapshot.get(place)
    for why, fix in _against(place, state, view):
        return [Refusal(place, f"is declared nowhere any more and not deleted: {why}", fix)]
    kept = tuple(path for path in (*(disk.path for disk in state.disks if not disk.readonly), state.nvram) if path)
    reason = "declared nowhere any more, and prune was allowed"
    return [
        DeleteDomain(
            place=place,
            uuid=state.uuid,
            fleet=state.fleet,
            disks=kept,
            disruption=Disruption.DELETE,
            reason=reason,
        )
    ]


def allow(place: Place, state: DomainState, want: VmDesired, needs: tuple[str, ...]) -> AllowPrune:
    """The mark as it is declared now."""
    reason = f"prune is {'allowed' if want.prune else 'never'}"
    return AllowPrune(place=place, uuid=state.uuid, allowed=want.prune, needs=needs, reason=reason)


def _against(place: Place, state: DomainState, view: View) -> Iterator[tuple[str, str]]:
    fix = "declare a Fleet and its VMs again; was the folder emptied by mistake?"
    if not view.fleet.declared or not any(view.of("vm")):
        yield "the specs declare no VM at all", fix
    silent = sorted({s.host for s in view.snapshot.silences if "vm" in s.kinds})
    if silent:
        yield f"{', '.join(silent)} did not answer", f"bring {', '.join(silent)} back and plan again"
    others = [
        p.host for p, s in view.snapshot.of("vm") if p != place and (p.name == place.name or s.uuid == state.uuid)
    ]
    if others:
        yield f"it is on {', '.join(others)} too", "find out which one is right"
    if state.migrating or state.coming or state.resume or state.making or state.copying:
        yield "it is half moved or half made", "declare it again until that is finished"
    if state.power not in ("running", "stopped"):
        yield f"it is {state.power}", f"resume or stop it on {place.host} by hand"
    if state.keeps or not state.persistent:
        kept = ", ".join(state.keeps) or "no definition"
        yield f"libvirt keeps {kept} of it", f"delete that on {place.host} by hand"
    clones = sorted(item.place.name for item in view.of("vm") if item.value.base == place.name)
    if clones:
        yield f"{', '.join(clones)} is cloned from it", "declare it again, or change source.clone.from"
