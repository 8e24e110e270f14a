"""VM: declared beside seen, wherever it was seen.

Pure; says what differs and nothing of what to do about it.
"""

from collections.abc import Sequence

from reconciler.kinds.vm.copy_plan import differences
from reconciler.kinds.vm.halves import failed
from reconciler.kinds.vm.homing import HOME, home_of
from reconciler.kinds.vm.moves import Unfinished, apart
from reconciler.kinds.vm.pruning import undeclared
from reconciler.kinds.vm.state import DomainState, VmDesired, WantedNic
from reconciler.kinds.vm.underway import leaving, way
from reconciler.model.change import Comparison
from reconciler.model.desired import Desired, View
from reconciler.model.ref import Place


def sightings(name: str, view: View) -> Sequence[tuple[Place, DomainState]]:
    """Every domain of that name, on any host."""
    return view.snapshot.named("vm", name)


def compare(view: View) -> Sequence[Comparison]:
    """Declared fields only, against the domain wherever it is."""
    known = [compared(item, *apart(sightings(item.place.name, view)), view) for item in view.of("vm")]
    return [*known, *undeclared(view)]


def compared(
    item: Desired, seen: Sequence[tuple[Place, DomainState]], cut: Unfinished | None, view: View
) -> Comparison:
    """What is declared of one VM beside its domain on any host; `cut` is what an offline move left of it."""
    want: VmDesired = item.value
    new: dict[str, object] = {"host": want.host, "managed by": view.fleet.name}
    if not seen:
        return Comparison(item.place, None, {**new, "from": want.base or "domain XML"}, item.origin)
    place, state = leaving(seen) or seen[0]
    old: dict[str, object] = {"host": place.host, "managed by": state.fleet or "nobody"}
    if state.migrating:
        old["migration"], new["migration"] = way(seen), ""
    elif len(seen) > 1:
        old["host"] = " and ".join(p.host for p, _ in seen)
    for name in ("power", "autostart", "vcpus", "memory"):
        if getattr(want, name) is not None:
            old[name], new[name] = getattr(state, name), getattr(want, name)
    if any(failed(state) for _, state in seen):
        old["migration"], new["migration"] = "broken in post-copy", ""
    if want.digest:
        old["domain XML"], new["domain XML"] = state.digest, want.digest
    if cut:
        old["unfinished move"], new["unfinished move"] = f"{cut.state.coming} -> {cut.place.host}", ""
    if state.prune or want.prune:
        old["prune"], new["prune"] = state.prune, want.prune
    if state.home and want.host == place.host:
        old[HOME], new[HOME] = state.home, home_of(want, place.host, state, view)
    if state.resume:
        old["shut down for a move"], new["shut down for a move"] = True, False
    if state.making:
        old["unfinished"], new["unfinished"] = " ".join(state.making), ""
    for name, text in differences(want, state, place.host).items():
        old[name], new[name] = text, ""
    if want.nics is not None:
        old["interfaces"], new["interfaces"] = _nics(state, want.nics)
    if _as_found(want, state) and all(old[name] == new[name] for name in old if name != "managed by"):
        new["managed by"] = old["managed by"]
    return Comparison(item.place, old, new, item.origin)


def _as_found(want: VmDesired, state: DomainState) -> bool:
    """A VM that is only described, and nobody's: our mark waits for the first change that is made to it."""
    return not (state.fleet or want.base or want.xml)


def _nics(state: DomainState, wanted: Sequence[WantedNic]) -> tuple[object, object]:
    """Only what is declared of each NIC, in order."""
    old = [
        {
            k: getattr(nic, k)
            for k in ("mac", "network", "bridge")
            if number >= len(wanted) or getattr(wanted[number], k)
        }
        for number, nic in enumerate(state.nics)
    ]
    new = [{k: getattr(w, k) for k in ("mac", "network", "bridge") if getattr(w, k)} for w in wanted]
    return old, new
