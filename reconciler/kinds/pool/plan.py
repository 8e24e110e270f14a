"""Pool: declared beside seen, what to do about a difference, and the proof that a shared pool is shared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.kinds.pool.actions import (
    BuildPool,
    DefinePool,
    ProveShared,
    SetPoolAutostart,
    StartPool,
    StopPool,
    SweepTokens,
)
from reconciler.kinds.pool.mount import FSTYPES, same_source, source_of
from reconciler.kinds.pool.state import Definition, PoolDesired, PoolState
from reconciler.kinds.pool.wire import write_pool
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Comparison, Difference
from reconciler.model.desired import Desired, View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place
from reconciler.model.units import show_size

Step = Action | Refusal


def compare(view: View) -> Sequence[Comparison]:
    """Declared pools of every host whose pools were seen."""
    sweepers = _sweepers(view)
    return [
        _compare(item, view.snapshot.get(item.place), item.value.shared and item.place in sweepers)
        for item in view.of("pool")
        if not view.snapshot.silence(item.place.host, "pool")
    ]


def _sweepers(view: View) -> Collection[Place]:
    """Of the hosts that see a shared pool's leftover tokens, the first takes them away."""
    first: dict[str, Place] = {}
    for place, state in view.snapshot.of("pool"):
        if state.tokens:
            first.setdefault(place.name, place)
    return first.values()


def _compare(item: Desired, seen: PoolState | None, sweeps: bool) -> Comparison:
    want: PoolDesired = item.value
    new: dict[str, Any] = {"definition": _as_fields(want.definition)}
    if want.active is not None:
        new["active"] = want.active
    if want.autostart is not None:
        new["autostart"] = want.autostart
    if seen is None:
        return Comparison(item.place, None, new, item.origin)
    new["definition"] = _as_fields(_wanted(want.definition, seen.definition))
    old: dict[str, Any] = {"definition": _as_fields(seen.definition)}
    old |= {"active": seen.active, "autostart": seen.autostart}
    old = {name: value for name, value in old.items() if name in new}
    if want.active and seen.active and want.definition.host:
        old["mounted"] = seen.mounted_source if not _mounted_well(want, seen) else source_of(want.definition)
        new["mounted"] = source_of(want.definition)
    if want.min_free and seen.active and seen.capacity:
        enough = seen.available >= want.min_free
        new["free"] = f"at least {show_size(want.min_free)}"
        old["free"] = new["free"] if enough else show_size(seen.available)
    if sweeps:
        old["tokens"], new["tokens"] = len(seen.tokens), 0
    return Comparison(item.place, old, new, item.origin)


def _as_fields(definition: Definition) -> dict[str, str]:
    return {name: getattr(definition, name) for name in Definition.__slots__}


def _wanted(want: Definition, seen: Definition) -> Definition:
    """The declared definition; an undeclared protocol version stays as it is."""
    same_server = (want.host, want.format) == (seen.host, seen.format)
    return replace(want, protocol=want.protocol or (seen.protocol if same_server else ""))


def _mounted_well(want: PoolDesired, seen: PoolState) -> bool:
    return same_source(seen.mounted_source, source_of(want.definition))


def plan(difference: Difference, view: View) -> Sequence[Step]:
    """Define and build, then start or stop, then autostart; what an active pool cannot become is a refusal."""
    item = view.at(difference.place)
    if item is None:
        return ()
    seen: PoolState | None = view.snapshot.get(item.place)
    refusal = _taken(item, view) or (_unfit(item, seen, difference.paths) if seen else None)
    if refusal:
        return [refusal]
    want: PoolDesired = item.value
    place = item.place
    active = seen is not None and seen.active
    steps: list[Action] = [_stop(item)] if active and want.active is False else []
    if seen is None or "definition" in difference.paths:
        steps += _define(item, seen, tuple(step.id for step in steps))
    ready = tuple(step.id for step in steps)
    if want.active and not active:
        steps.append(_start(item, ready))
    if want.autostart is not None and want.autostart != (seen.autostart if seen else False):
        reason = f"autostart is {'off' if want.autostart else 'on'}"
        steps.append(SetPoolAutostart(place=place, on=want.autostart, reason=reason, needs=ready))
    if seen is not None and "tokens" in difference.paths:
        steps.append(SweepTokens(place=place, tokens=seen.tokens, reason="left in a shared pool"))
    return [*steps, *_too_full(item, seen, difference.paths)]


def _define(item: Desired, seen: PoolState | None, needs: tuple[str, ...]) -> list[Action]:
    want: PoolDesired = item.value
    definition = _wanted(want.definition, seen.definition) if seen else want.definition
    xml = write_pool(item.place.name, seen.uuid if seen else "", definition)
    reason = "defined otherwise" if seen else "there is no such pool"
    define = DefinePool(place=item.place, xml=xml, reason=reason, needs=needs)
    build = BuildPool(place=item.place, target=definition.target, reason="a pool needs its target", needs=(define.id,))
    return [define, build]


def _start(item: Desired, needs: tuple[str, ...]) -> Action:
    definition: Definition = item.value.definition
    return StartPool(
        place=item.place,
        target=definition.target,
        fstype=FSTYPES.get(definition.format, ""),
        source=source_of(definition),
        reason="it is inactive",
        needs=needs,
    )


def _stop(item: Desired) -> Action:
    mounted = bool(item.value.definition.host)
    reason = "declared inactive; VMs with disks here lose them"
    return StopPool(place=item.place, mounted=mounted, reason=reason, disruption=Disruption.LIVE)


def _refusal(item: Desired, reason: str, fix: str) -> Refusal:
    return Refusal(item.place, reason, fix, item.origin.file, item.origin.line)


def _taken(item: Desired, view: View) -> Refusal | None:
    """Another pool of the host, declared or not, has this target or source: libvirt would say no."""
    want: Definition = item.value.definition
    for place, other in view.snapshot.of("pool"):
        if place.host != item.place.host or place.name == item.place.name:
            continue
        there: Definition = other.definition
        for what, same in (
            (f"target {want.target}", there.target == want.target),
            (f"source {want.host}:{want.dir}", bool(want.host) and (there.host, there.dir) == (want.host, want.dir)),
        ):
            if same:
                fix = f"declare it by the name {place.name!r}, or undefine that pool on {place.host}"
                return _refusal(item, f"{what} is pool {place.name!r}'s", fix)
    return None


def _unfit(item: Desired, seen: PoolState, paths: frozenset[str]) -> Refusal | None:
    """An active pool cannot be redefined, and something else at the target must not be covered or written to."""
    want: PoolDesired = item.value
    name, host = item.place.name, item.place.host
    if "definition" in paths and seen.active and want.active is not False:
        fix = f"declare `state: inactive`, apply, then declare it active; or `virsh pool-destroy {name}` on {host}"
        return _refusal(item, "it is active and defined otherwise; it can be redefined only while inactive", fix)
    if want.active and seen.mounted_source and want.definition.host and not _mounted_well(want, seen):
        fix = f"unmount {want.definition.target} on {host}, or declare what is mounted there"
        there = f"{seen.mounted_source} ({seen.mounted_type})"
        reason = f"{there} is mounted at {want.definition.target}, not {source_of(want.definition)}"
        return _refusal(item, reason, fix)
    if "mounted" in paths:
        fix = f"see which VMs use it, then `virsh pool-destroy {name} && virsh pool-start {name}` on {host}"
        return _refusal(item, f"it is active, but nothing is mounted at {want.definition.target}", fix)
    return None


def _too_full(item: Desired, seen: PoolState | None, paths: frozenset[str]) -> list[Refusal]:
    if seen is None or "free" not in paths:
        return []
    numbers = f"{show_size(seen.available)} of {show_size(seen.capacity)}"
    reason = f"{numbers} are free, at least {show_size(item.value.min_free)} are declared"
    return [_refusal(item, reason, "remove volumes nobody uses, make the storage larger, or declare a smaller minFree")]


def weave(actions: Sequence[Action], view: View) -> tuple[Sequence[Action], Sequence[Refusal]]:
    """Proofs that shared pools are shared: over all hosts after a start, over both ends before a move."""
    proofs: dict[str, Action] = {}
    starts = [action for action in actions if isinstance(action, StartPool)]
    for name in sorted({action.place.name for action in starts}):
        mine = [action for action in starts if action.place.name == name]
        started = {action.place for action in mine}
        up = [item for item in _shared(name, view) if item.place in started or _is_up(item, view)]
        if len(up) > 1:
            proof = _proof(up, view, "declared shared, and started just now", needs=tuple(action.id for action in mine))
            proofs[proof.id] = proof
    woven: list[Action] = []
    for action in actions:
        before = _before(action, view, proofs)
        fresh = [proof for proof in before if proof.id not in proofs]
        proofs.update({proof.id: proof for proof in fresh})
        woven += [*fresh, replace(action, needs=(*action.needs, *(proof.id for proof in before)))]
    placed = {action.id for action in woven}
    return [*woven, *(proof for proof in proofs.values() if proof.id not in placed)], ()


def _before(action: Action, view: View, known: Mapping[str, Action]) -> list[Action]:
    """The proofs an action that crosses hosts waits for; one that covers both its ends already serves."""
    found: list[Action] = []
    for name in action.shared_pools if action.between else ():
        known_there = (view.at(Place("pool", host, name)) for host in sorted(set(action.between)))
        ends = [item for item in known_there if item and item.value.shared]
        hosts = {item.place.host for item in ends}
        covering = [p for p in known.values() if p.place.name == name and hosts <= set(getattr(p, "hosts", ()))]
        found += covering[:1] or [_proof(ends, view, f"before {action.place.name} moves", for_move=True)]
    return found


def _shared(name: str, view: View) -> list[Desired]:
    return [item for item in view.of("pool") if item.place.name == name and item.value.shared]


def _proof(
    items: Sequence[Desired], view: View, reason: str, needs: tuple[str, ...] = (), for_move: bool = False
) -> ProveShared:
    definition = items[0].value.definition
    return ProveShared(
        place=items[0].place,
        hosts=tuple(item.place.host for item in items),
        target=definition.target,
        network=bool(definition.host),
        fleet=view.fleet.name,
        needs=needs,
        for_move=for_move,
        reason=reason,
    )


def _is_up(item: Desired, view: View) -> bool:
    seen: PoolState | None = view.snapshot.get(item.place)
    silent = view.snapshot.silence(item.place.host, "pool")
    if seen is None or not seen.active or silent:
        return False
    return not item.value.definition.host or _mounted_well(item.value, seen)
