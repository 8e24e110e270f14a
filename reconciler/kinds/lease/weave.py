"""The way of every planned move: opened before it, closed right after it, come what may. Pure.

Bounds how many ways are open at once by the limits on moves, and lets nothing else wait between a move and its closing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.kinds.lease.actions import ClosePort, GrantAccess, OpenPort, RevokeAccess
from reconciler.kinds.lease.channel import choose
from reconciler.kinds.lease.ending import endings
from reconciler.kinds.lease.state import Gate
from reconciler.model.action import Action, Passage, Refusal
from reconciler.model.crossing import Blocker
from reconciler.model.desired import View
from reconciler.model.fleet import Limits
from reconciler.model.ref import Place

_ALWAYS = "always, also after a failure"


@dataclass
class _Turns:
    """The closings of the ways woven so far, to bound how many are open at once."""

    limits: Limits
    closed: list[tuple[frozenset[str], str]] = field(default_factory=list)

    def wait(self, way: Passage) -> tuple[str, ...]:
        """What must be closed before this way may open: the move that makes room on each host, and in the fleet."""
        waits = []
        for host in (way.source, way.destination):
            here = [closing for hosts, closing in self.closed if host in hosts]
            waits += here[-self.limits.moves_per_host :][:1] if len(here) >= self.limits.moves_per_host else []
        everywhere = [closing for _, closing in self.closed]
        waits += everywhere[-self.limits.moves :][:1] if len(everywhere) >= self.limits.moves else []
        return tuple(dict.fromkeys(waits))

    def note(self, way: Passage, closing: str) -> None:
        self.closed.append((frozenset((way.source, way.destination)), closing))


def weave(actions: Sequence[Action], view: View) -> tuple[Sequence[Action], Sequence[Refusal]]:
    """Grant and port before each action that crosses hosts, their end after it; removals of leftovers come first."""
    woven: list[Action] = []
    refusals: list[Refusal] = []
    taken: set[tuple[str, int]] = set()
    turns, looks = _Turns(view.fleet.limits), dict[str, int]()
    sweeps = [action for action in actions if action.closes and not action.after]
    closings = endings(actions, view)
    proofs = _after(actions, closings)
    for action in actions:
        if action.passage is None:
            later = tuple(closing for need in action.needs for closing in proofs.get(need, ()))
            waits = later and not action.looks
            if action.looks:
                looks[action.id] = len(woven)
            woven += [replace(action, after=(*action.after, *later)) if waits else action, *closings.get(action.id, ())]
            continue
        way = _way(action.passage, view, taken)
        if isinstance(way, Blocker):
            refusals.append(_refuse(action, way, view))
            continue
        taken.update((way.destination, port) for port in way.ports)
        ends = (way.source, way.destination)
        before = tuple(sweep.id for sweep in sweeps if sweep.place.host in ends)
        around = _around(action, way, (*before, *turns.wait(way)))
        for number in (looks[before] for before in action.after if before in looks):
            woven[number] = _with(woven[number], around[0])
        turns.note(way, around[-1].id)
        proofs[action.id] = tuple(closing.id for closing in around if closing.closes)
        woven += around
    return woven, refusals


def _after(actions: Sequence[Action], ends: Mapping[str, Sequence[Action]]) -> dict[str, tuple[str, ...]]:
    """For each follower the closings that wait for it."""
    closings = [closing for some in ends.values() for closing in some]
    return {a.id: tuple(c.id for c in closings if a.id in c.after) for a in actions if a.followed}


def _way(way: Passage, view: View, taken: Iterable[tuple[str, int]]) -> Passage | Blocker:
    """The passage with addresses, channel, zone and free ports; or why there is none."""
    source: Gate | None = view.snapshot.get(Place("gate", way.source, way.source))
    there: Gate | None = view.snapshot.get(Place("gate", way.destination, way.destination))
    if source is None or there is None or not source.address or not there.address:
        why = "the migration address of one of the two hosts is unknown; declare spec.migration.address of both"
        return Blocker(why, "")
    apart = abs(source.clock - there.clock) if source.clock and there.clock else 0
    if apart >= way.lifetime:
        return Blocker(
            f"the clocks of the two hosts are {apart} s apart, and a lease lives {way.lifetime} s", "set both right"
        )
    chosen = choose(replace(way, peer=source.address, target=there.address), view)
    if isinstance(chosen, Blocker):
        return chosen
    way = chosen.way
    if way.channel == "tunnel":
        return way
    first, last = view.fleet.hosts[way.destination].migration_ports
    used = {port for host, port in taken if host == way.destination} | set(there.listening)
    used |= {s.port for p, s in view.snapshot.of("lease") if p.host == way.destination}
    free = [port for port in range(first, last + 1) if port not in used]
    if len(free) < (2 if way.disks else 1):
        return Blocker(f"no free port from {first} to {last} on {way.destination}", "widen spec.migration.ports")
    port, disks_port = free[0], _second(free[1:], way)
    return replace(
        way,
        port=port,
        zone=there.zone,
        standing=_standing(there, port),
        disks_port=disks_port,
        disks_standing=_standing(there, disks_port),
    )


def _second(free: Sequence[int], way: Passage) -> int:
    """Another one in each pass: a libvirtd whose copy failed keeps that port for itself for a while."""
    return free[sum(way.lease.encode()) % len(free)] if way.disks else 0


def _standing(there: Gate, port: int) -> bool:
    return not there.firewall or any(low <= port <= high for low, high in there.allowed)


def _around(action: Action, way: Passage, before: tuple[str, ...]) -> list[Action]:
    """The way opened, the move, the way closed; `before` ends first.

    What opens waits for what the move waits for, so that access is open no longer than it must be. A managed move needs
    no login between the hosts: its lease is its ports alone.
    """
    domain, place = action.place.name, Place("lease", way.destination, way.lease)
    reason = f"for the move of {domain}"
    opening: list[Action] = []
    if not way.managed:
        opening.append(GrantAccess(place=place, way=way, domain=domain, reason=reason))
    for port in way.shut:
        granted = tuple(grant.id for grant in opening[:1]) if not way.managed else ()
        opening.append(OpenPort(place=place, way=way, domain=domain, port=port, needs=granted, reason=reason))
    opening = [
        a if a.needs else replace(a, requires=action.requires, needs=action.needs, after=before) for a in opening
    ]
    move = replace(action.through(way), needs=tuple(dict.fromkeys((*action.needs, *(a.id for a in opening)))))
    if not opening:
        move = replace(move, after=tuple(dict.fromkeys((*move.after, *before))))
    return [*opening, move, *_closing(way, domain, place, move.id)]


def _with(look: Action, grant: Action) -> Action:
    """A look before a move begins when its way is opened, not long before."""
    before = (i for i in grant.after if i not in (look.id, *look.after))
    return replace(look, after=(*look.after, *before))


def _closing(way: Passage, domain: str, place: Place, move: str) -> list[Action]:
    close: list[Action] = [
        ClosePort(place=place, zone=way.zone, peer=way.peer, port=port, after=(move,), reason=_ALWAYS)
        for port in way.shut
    ]
    if way.managed:
        return close
    revoke = RevokeAccess(
        place=place,
        lease=way.lease,
        domain=domain,
        source=way.source,
        destination=way.destination,
        user=way.user,
        certified=way.lifetime if way.authority else 0,
        after=(move,),
        reason=_ALWAYS,
    )
    return [*close, revoke]


def _refuse(action: Action, why: Blocker, view: View) -> Refusal:
    item = view.at(action.place)
    where = (item.origin.file, item.origin.line) if item else ("", 0)
    return Refusal(action.place, f"cannot {action.explain()}: {why.reason}", why.fix, *where)
