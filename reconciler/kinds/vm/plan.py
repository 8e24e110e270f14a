"""VM: what to do about what differs, in order: what was cut off, what it is, where it is, whether it runs.

Pure; unknown means refuse.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kinds.vm.actions import (
    AdoptDomain,
    MoveLive,
    ProveDomain,
    ResumeDomain,
    StartDomain,
    StopDomain,
)
from reconciler.kinds.vm.blockers import runs_after
from reconciler.kinds.vm.compare import compared, sightings
from reconciler.kinds.vm.copy_plan import after_clearing, left_by, old_copies
from reconciler.kinds.vm.copying import copied
from reconciler.kinds.vm.creation import create, refuse
from reconciler.kinds.vm.crossing import shared_in_use
from reconciler.kinds.vm.definition import define
from reconciler.kinds.vm.homing import noting
from reconciler.kinds.vm.measure import measured
from reconciler.kinds.vm.mending import mend
from reconciler.kinds.vm.moves import Choice, Unfinished, apart, carry, choose, first, forget
from reconciler.kinds.vm.passages import passage
from reconciler.kinds.vm.pruning import allow, remove
from reconciler.kinds.vm.state import DomainState, Room, VmDesired
from reconciler.kinds.vm.underway import follow, leaving, left_paused
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Change, Difference
from reconciler.model.desired import Desired, View
from reconciler.model.disruption import Disruption
from reconciler.model.ref import Place


def plan(difference: Difference, view: View) -> Sequence[Action | Refusal]:
    """Create, or bring the existing one to what is declared; a contradiction is for a person."""
    item = view.at(difference.place)
    if item is None:
        return remove(difference.place, view)
    want: VmDesired = item.value
    found = sightings(want.name, view)
    mended = mend(
        item, found, view, lambda a, b: passage(want, a, b, view), lambda a: prove(want, a.place, a.uuid, (a.id,))
    )
    if mended:
        return mended
    if leaving(found):
        return _followed(item, found, view)
    seen, cut = apart(found)
    if len(seen) > 1:
        return [_twice(item, seen)]
    frozen = _frozen(item, seen, view, off=cut is not None)
    if frozen:
        return [frozen]
    if seen and seen[0][1].making and seen[0][0].host != want.host:
        there = seen[0][0].host
        return [refuse(item, f"an unfinished clone of it is on {there}", f"place it on {there} until it is made")]
    if not seen or seen[0][1].making:
        return create(item, view)
    if cut:
        return _continue(item, seen[0], cut, difference, view)
    return _update(item, seen[0], difference, view)


def _followed(item: Desired, seen: Sequence[tuple[Place, DomainState]], view: View) -> Sequence[Action | Refusal]:
    """The migration is followed; where it goes where it is declared, the rest is planned as if it were there."""
    want, steps = item.value, follow(item, seen, view)
    if len(steps) > 1 or not isinstance(steps[0], Action):
        return steps
    more = _then(steps[0], item, view)
    if want.power == "stopped":
        return [*steps, *more]
    done = tuple(s.id for s in (*steps, *more) if isinstance(s, Action))
    return [*steps, *more, prove(want, item.place, seen[0][1].uuid, done)]


def _then(first: Action, item: Desired, view: View) -> list[Action | Refusal]:
    """What differs after that action, planned as if it had ended well, and waiting for it."""
    after = replace(view, snapshot=first.effect(view.snapshot))
    there = sightings(item.place.name, after)
    known = compared(item, *apart(there), after)
    changes = [Change(item.place, "update", key, known.old.get(key), new) for key, new in known.new.items()]
    differs = Difference(known, tuple(change for change in changes if change.old != change.new))
    more = _update(item, there[0], differs, after) if differs.changes else []
    return [replace(s, needs=(*s.needs, first.id)) if isinstance(s, Action) else s for s in more]


def _continue(
    item: Desired, seen: tuple[Place, DomainState], cut: Unfinished, difference: Difference, view: View
) -> list[Action | Refusal]:
    """What a cut-off move left is settled first; then all is planned as if it had never been cut off."""
    origin = cut.state.coming
    if origin not in view.fleet.hosts:
        fix = f"declare the Host {origin} again until it is finished"
        return [refuse(item, f"its offline move from {origin} was cut off, and {origin} is not declared", fix)]
    others = view if cut.gone else replace(view, snapshot=view.snapshot.lacking(cut.place))
    before = list(first(cut, item.value, seen))
    needs = tuple(step.id for step in before)
    rest = _update(item, seen, difference, others)
    return [*before, *(replace(s, needs=(*needs, *s.needs)) if isinstance(s, Action) else s for s in rest)]


def _twice(item: Desired, seen: Sequence[tuple[Place, DomainState]]) -> Refusal:
    listed = ", ".join(f"{s.power} on {p.host} (uuid {s.uuid})" for p, s in seen)
    fix = f"find out which one is right, then `virsh undefine {item.place.name}` on the other host"
    return replace(refuse(item, f"is on more than one host: {listed}", fix), human=True)


def _frozen(item: Desired, seen: Sequence[tuple[Place, DomainState]], view: View, off: bool = False) -> Refusal | None:
    """A VM that may live on a silent host is not touched; one seen running lives where it runs, unless it goes off."""
    silent = [s.host for s in view.snapshot.silences if "vm" in s.kinds]
    if not silent:
        return None
    if seen and seen[0][1].power == "running" and not off and item.value.host not in silent:
        return None
    where = ", ".join(silent)
    return refuse(item, f"frozen: it may live on {where}, which did not answer", f"bring {where} back and plan again")


def _update(
    item: Desired, seen: tuple[Place, DomainState], difference: Difference, view: View
) -> list[Action | Refusal]:
    (place, state), want = seen, item.value
    if left_paused(item, state, view):
        why = f"a migration left it {state.power} ({state.reason}), and no job of it runs"
        resume = ResumeDomain(place=place, uuid=state.uuid, disruption=Disruption.LIVE, reason=why)
        more = _then(resume, item, view)
        return [resume, *more, *([] if more else [prove(want, place, state.uuid, (resume.id,))])]
    if state.power not in ("running", "stopped") and (want.power is not None or state.resume):
        fix = f"look at `virsh domstate --reason {want.name}` on {place.host} and resume or stop it by hand"
        why = f" ({state.reason})" if state.reason else ""
        return [refuse(item, f"is {state.power}{why} on {place.host}", fix)]
    paths = difference.paths
    if "interfaces" in paths:
        fix = f"`virsh edit {want.name}` on {place.host}, or change spec.interfaces to what is there"
        return [refuse(item, "its interfaces are not as declared, and existing NICs are not changed", fix)]
    steps: list[Action | Refusal] = []
    if "managed by" in paths:
        if state.fleet:
            fix = "remove the VM from one of the two fleets"
            return [refuse(item, f"belongs to fleet {state.fleet!r}", fix)]
        reason = f"exists on {place.host} without our mark"
        steps.append(AdoptDomain(place=place, uuid=state.uuid, fleet=view.fleet.name, reason=reason))
    steps += define(item, place, state, paths, view)
    if "prune" in paths:
        steps.append(allow(place, state, want, tuple(s.id for s in steps if isinstance(s, Action))))
    before = [step.id for step in steps if isinstance(step, Action)]
    if "host" in paths:
        steps += noting(want, seen, view, before, lambda ids: _move(item, place, state, view, ids))
    else:
        rest = [*_power(want, place, state, paths), *old_copies(want, place, state.uuid, state.left, view)]
        steps += noting(want, seen, view, before, lambda _: rest)
    return after_clearing(item, place, state, view, steps)


def _power(want: VmDesired, place: Place, state: DomainState, paths: frozenset[str]) -> list[Action | Refusal]:
    steps: list[Action | Refusal] = []
    if state.resume and (state.power == "running" or not runs_after(want, state)):
        steps.append(forget(place, state))
    if "power" in paths and want.power == "stopped":
        why = "declared stopped, is running"
        return [*steps, StopDomain(place=place, uuid=state.uuid, disruption=Disruption.RESTART, reason=why)]
    if state.power == "stopped" and runs_after(want, state):
        steps += _start(want, place, state, ())
    return steps


def _start(want: VmDesired, place: Place, state: DomainState, needs: tuple[str, ...]) -> list[Action]:
    moved = state.resume or state.power == "running"
    reason = "it ran before its move" if moved else "declared running, is stopped"
    start = StartDomain(place=place, uuid=state.uuid, reason=reason, needs=needs)
    return [start, prove(want, place, state.uuid, (start.id,))]


def prove(want: VmDesired, place: Place, uuid: str, needs: tuple[str, ...]) -> ProveDomain:
    """The proof that follows a start or a move."""
    return ProveDomain(
        place=place,
        uuid=uuid,
        checks=want.checks,
        vcpus=want.vcpus,
        memory=want.memory,
        autostart=want.autostart,
        needs=needs,
        reason="what was done must be true",
    )


def _move(item: Desired, place: Place, state: DomainState, view: View, before: list[str]) -> list[Action | Refusal]:
    want: VmDesired = item.value
    if state.power not in ("running", "stopped"):
        fix = f"resume or stop it on {place.host} by hand, or place it there"
        return [refuse(item, f"is {state.power} on {place.host}; only a VM that runs or is off is moved", fix)]
    choice = choose(want, state, place.host, view)
    if choice.blockers:
        return [refuse(item, f"cannot move to {want.host}: {b.reason}", b.fix) for b in choice.blockers]
    if choice.method != "live":
        return _move_off(item, (place, state), choice, view, before)
    stale = [forget(place, state)] if state.resume else []
    before = [*before, *(step.id for step in stale)]
    there = Place("vm", want.host, want.name)
    rate = view.fleet.limits.rate(place.host, want.host, want.moves.bandwidth)
    disks = copied(want, state, place.host, view)
    left = left_by(disks, place.host, state, want.host)
    move = MoveLive(
        place=there,
        uuid=state.uuid,
        origin=place.host,
        address=view.fleet.hosts[want.host].fqdn,
        policy=replace(want.moves, bandwidth=rate),
        way=replace(passage(want, place.host, want.host, view), disks=bool(disks)),
        pools=shared_in_use(want, state),
        copies=disks,
        left=left,
        memory=state.memory,
        room=_room(want.host, view),
        autostart=state.autostart if want.autostart is None else want.autostart,
        needs=tuple(before),
        requires=_grounds(place.host, want.host, view),
        disruption=Disruption.MOVE_LIVE,
        expected_bytes=state.memory + sum(disk.data for disk in disks),
        reason=f"{want.placed}, runs on {place.host}",
    )
    proof = replace(prove(want, there, state.uuid, (move.id,)), copies=disks)
    return [*stale, *measured(move), proof, *old_copies(want, there, state.uuid, left, view, (proof.id,))]


def _move_off(
    item: Desired, seen: tuple[Place, DomainState], choice: Choice, view: View, before: list[str]
) -> list[Action | Refusal]:
    """Shut down if it runs, moved, and started again if it shall run; no silent host may have it too."""
    (place, state), want = seen, item.value
    frozen = _frozen(item, [seen], view, off=True)
    if frozen:
        return [frozen]
    steps = carry(want, seen, choice, before, _grounds(place.host, want.host, view))
    there, last = steps[-1].place, (steps[-1].id,)
    if choice.method == "cold" or (state.power == "stopped" and runs_after(want, state)):
        return [*steps, *_start(want, there, state, last)]
    return [*steps, *([forget(there, state, last)] if state.resume else [])]


def _room(host: str, view: View) -> int | None:
    there: Room | None = view.snapshot.get(Place("room", host, host))
    return view.fleet.room(host, there.memory) if there and there.memory else None


def _grounds(source: str, destination: str, view: View) -> tuple[Place, ...]:
    """All else that is declared on the two hosts; a move waits for whatever is done there."""
    return tuple(item.place for host in (source, destination) for item in view.on(host) if item.place.kind != "vm")
