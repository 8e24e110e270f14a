"""Why an object cannot go where: one VM and every host with all that stands in its way; and one reference explained.

Pure but for `asked`, which puts the kinds' questions to live hosts. Decides nothing: the plan does.
"""

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from reconciler.engine.once import Tools, Wanted, placed, think
from reconciler.errors import PlanError
from reconciler.kind import Kind
from reconciler.model.crossing import Hurdle, Way
from reconciler.model.desired import Desired, View
from reconciler.model.plan import Plan, Source
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from reconciler.ports import Hands

WIDEST = 32


@dataclass(frozen=True, slots=True)
class Explained:
    """One reference: where it is declared, where it was seen, what would be done, and where it could go.

    `why` says why it is placed where it is, where no person declared that host.
    """

    ref: str
    declared: tuple[Desired, ...]
    seen: tuple[Place, ...]
    plan: Plan
    ways: tuple[Way, ...]
    why: str = ""


def view_of(wanted: Wanted, snapshot: Snapshot) -> View:
    return View(wanted.fleet, wanted.desired, snapshot, snapshot.taken)


def explain(ref: str, wanted: Wanted, snapshot: Snapshot, kinds: Sequence[Kind], source: Source) -> Explained:
    """Raises PlanError for what is neither declared nor seen."""
    view = placed(wanted, snapshot, kinds)
    declared, seen = _declared(ref, view.desired, snapshot), _seen(ref, snapshot)
    if not seen:
        seen = tuple(own for item in declared if (own := _of_host(item.place)) in snapshot.objects)
    if not declared and not seen:
        fix = "write KIND/NAME, as in vm/web, host/host-a or pool/shared; `reconciler status` lists them"
        raise PlanError(f"{ref}: nothing of that name is declared or seen", fix)
    if declared:
        made = _about(think(wanted, snapshot, kinds, source), {item.place for item in declared})
    else:
        made = Plan(wanted.fleet.name, snapshot.taken, source)
    kind, _, name = ref.partition("/")
    found = ways(kind, name.partition("@")[0], view, kinds)
    seats = [view.placing.seats[item.place.ref] for item in declared if item.place.ref in view.placing.seats]
    return Explained(ref, declared, seen, made, found, seats[0].why if seats else "")


def _about(plan: Plan, places: Set[Place]) -> Plan:
    """What the whole plan has of these objects: their own actions, all that these need, and what closes after them."""
    refs = {place.ref for place in places if place.kind == "vm"}
    mine = {a.id for a in plan.actions if a.place in places or a.place.ref in refs}
    by_id = {action.id: action for action in plan.actions}
    waiting = list(mine)
    while waiting:
        more = {need for need in by_id[waiting.pop()].needs if need in by_id} - mine
        mine |= more
        waiting += more
    actions = tuple(a for a in plan.actions if a.id in mine or (a.closes and not mine.isdisjoint(a.after)))
    differences = tuple(d for d in plan.differences if d.place in places)
    refusals = tuple(r for r in plan.refusals if r.place in places or r.place.ref in refs)
    moves = replace(plan.forecast, moves=(), later=(), reasons=())
    return replace(plan, actions=actions, differences=differences, refusals=refusals, held=(), forecast=moves)


def _seen(ref: str, snapshot: Snapshot) -> tuple[Place, ...]:
    return tuple(place for place in sorted(snapshot.objects) if ref in (str(place), str(place.ref)))


def _declared(ref: str, desired: Sequence[Desired], snapshot: Snapshot) -> tuple[Desired, ...]:
    """What has that name; else what is declared of a kind that a host has one of (firewall/HOST)."""
    named = tuple(item for item in desired if ref in (str(item.place), str(item.place.ref)))
    return named or tuple(
        item for item in desired if str(_of_host(item.place)) == ref and _of_host(item.place) in snapshot.objects
    )


def _of_host(place: Place) -> Place:
    return Place(place.kind, place.host, place.host)


def ways(kind: str, name: str, view: View, kinds: Sequence[Kind]) -> tuple[Way, ...]:
    """Every host for one object, with what its own kind and all others have against the crossing."""
    own = next((k for k in kinds if k.name == kind), None)
    return tuple(_joined(way, view, kinds) for way in own.ways(name, view)) if own else ()


def matrix(view: View, kinds: Sequence[Kind]) -> Mapping[str, tuple[Way, ...]]:
    """Every declared object that can move, by reference."""
    names = sorted({item.place.ref for item in view.desired})
    return {str(ref): found for ref in names if (found := ways(ref.kind, ref.name, view, kinds))}


def _joined(way: Way, view: View, kinds: Sequence[Kind]) -> Way:
    if way.here or way.host in {s.host for s in view.snapshot.silences}:
        return way
    more = [hurdle for kind in kinds for hurdle in kind.hurdles(way.crossing, view)]
    return replace(way, hurdles=(*way.hurdles, *more))


def asked(found: Sequence[Way], wanted: Wanted, snapshot: Snapshot, kinds: Sequence[Kind], tools: Tools) -> list[Way]:
    """The same ways after live hosts answered the kinds' questions; silent hosts are not asked."""
    silent = frozenset(s.host for s in snapshot.silences)
    hands = Hands(wanted.fleet.hosts, tools.hypervisor, tools.shell, tools.clock, silent=silent)

    def answered(way: Way) -> Way:
        if way.here or way.host in silent:
            return way
        said: list[Hurdle] = [hurdle for kind in kinds for hurdle in kind.ask(way.crossing, hands)]
        return replace(way, hurdles=(*way.hurdles, *said))

    with ThreadPoolExecutor(max_workers=WIDEST, thread_name_prefix="ask") as threads:
        return list(threads.map(answered, found))
