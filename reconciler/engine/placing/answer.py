"""The answer: the planner's Solution as seats, waits and refusals of declared objects, and as a forecast. Pure.

Decides nothing that the planner did not; says in its words what it could not do.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from reconciler.engine.placing.asking import MIB, Question, names_of
from reconciler.engine.placing.resting import rests
from reconciler.engine.placing.waits import waits
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View
from reconciler.model.fleet import Fleet
from reconciler.model.forecast import Exposed, Forecast, PlannedMove
from reconciler.model.placing import Placing, Seat, Tenant, Verdict, Wait
from reconciler.model.plan import Plan
from reconciler.model.ref import Ref
from reconciler.placement.solution import Knot, Move, Solution

Later = tuple[tuple[str, str], ...]
_USED_UP = "this pass's moves or bytes are used up (Fleet.limits)"
_SETTLING = "what was begun is ended first; the next pass places it"
_BESIDE = "a move of one that its rules name is ended first; the next pass looks at it again"


def answer(asked: Question, solution: Solution, fleet: Fleet, kind: str) -> Placing:
    """What was decided about every object of that kind."""
    later = _later(asked, solution, fleet)
    refused = dict(_knotted(asked, solution))
    goal = dict(solution.goal)
    stuck = {name for name in refused if goal[name] == asked.tenants[name].at}
    resting = _Resting(asked, fleet, solution, stuck)
    seats = {name: resting.seat(tenant) for name, tenant in asked.tenants.items() if tenant.wants or tenant.policy}
    stopped = {name for name, seat in seats.items() if seat.how == "stop"}
    refused = {**{n: v for n, v in refused.items() if n not in stopped}, **dict(_held(asked, fleet))}
    order = _waits(asked, solution, kind)
    moved = {move.guest for move in solution.moves} - stuck
    first = {move.guest: move.target for move in reversed(solution.moves) if move.bypass}
    return Placing(
        seats={Ref(kind, name): seat for name, seat in seats.items()},
        roomy=frozenset(Ref(kind, name) for name in moved),
        via={Ref(kind, name): host for name, host in first.items() if goal[name] != host},
        waits=order,
        refused={Ref(kind, name): verdict for name, verdict in sorted(refused.items())},
        later=tuple(Ref(kind, name) for name in sorted(later)),
        forecast=replace(
            _forecast(asked, solution, order, tuple(sorted(later.items()))),
            staying=tuple(_staying(asked, fleet)),
            host_failures=asked.problem.survive,
            exposed=tuple(Exposed(one.host, one.guests, one.new) for one in solution.exposed),
        ),
    )


def _later(asked: Question, solution: Solution, fleet: Fleet) -> dict[str, str]:
    """Who waits for another pass, and why."""
    rested = {n: rests(n, asked.resting, fleet) for knot in solution.knots for n in _resting(asked, knot)}
    return {**dict.fromkeys(solution.later, _USED_UP), **rested, **dict(_unsettled(asked))}


def _resting(asked: Question, knot: Knot) -> list[str]:
    """Those of it in their cool-down: what they could mend is no refusal yet."""
    return [name for name in knot.guests if name in asked.cooling]


def _knotted(asked: Question, solution: Solution) -> Iterator[tuple[str, Verdict]]:
    """Only of what was asked for: who is where a person declared it is not to blame for a rule of others."""
    for knot in solution.knots:
        for name in () if _resting(asked, knot) else knot.guests:
            if name in asked.asked:
                why = asked.tenants[name].why
                reason = f"{knot.reason}: {why}" if why and len(knot.guests) == 1 else knot.reason
                yield name, Verdict(reason, knot.fix, len(knot.guests) > 1)


class _Resting:
    """Where each object ends or stays."""

    def __init__(self, asked: Question, fleet: Fleet, solution: Solution, stuck: Set[str]) -> None:
        self._asked, self._hosts, self._stuck = asked.asked, fleet.hosts, stuck
        self._goal, self._causes = dict(solution.goal), dict(solution.causes)

    def seat(self, tenant: Tenant) -> Seat:
        """Its own host's, where the planner was not asked: then it is fixed, at home, or had to leave home before."""
        here = tenant.at or (tenant.policy.hosts[0] if tenant.policy else tenant.wants)
        drains = self._maintained(tenant.at)
        if tenant.name not in self._asked:
            if tenant.fixed and tenant.policy and here not in tenant.policy.hosts:
                return Seat(tenant.policy.hosts[0], why=f"its policy does not allow {here}")
            away = bool(tenant.at) and self._maintained(tenant.wants)
            return Seat(here if tenant.policy or away else tenant.wants)
        if tenant.name in self._stuck:
            if drains and tenant.drain == "stop":
                return Seat(tenant.at, "stop")
            return Seat(here if tenant.policy or self._maintained(tenant.wants) else tenant.wants)
        goal = self._goal[tenant.name] or here
        if drains and goal not in (tenant.at, tenant.wants):
            return Seat(goal, "cold" if tenant.drain == "cold" else "live", f"{tenant.at} is in maintenance")
        if goal == tenant.home != tenant.at:
            cold = "cold" if tenant.drain == "cold" else "live"
            return Seat(goal, cold, f"it comes home to {goal} after the maintenance")
        why = f"its policy puts it on {goal}" if tenant.policy else ""
        cause = self._causes.get(tenant.name) if tenant.policy else ""
        return Seat(goal, why=f"{why}: {cause}" if cause else why)

    def _maintained(self, host: str) -> bool:
        return host in self._hosts and self._hosts[host].maintenance


def _held(asked: Question, fleet: Fleet) -> Iterator[tuple[str, Verdict]]:
    """What the planner was not even asked about, though maintenance asks for it."""
    for name, tenant in asked.tenants.items():
        if name in asked.asked or not (tenant.wants or tenant.policy) or (asked.named and name not in asked.named):
            continue
        card = fleet.hosts.get(tenant.at or tenant.wants)
        if card is None or not card.maintenance or tenant.drain == "stay":
            continue
        if not tenant.at:
            yield name, Verdict(f"is not made on {card.name}, which is in maintenance", "place it elsewhere, or wait")
        elif tenant.fixed:
            fix = f"`reconciler explain vm/{name}` says how it is; what is paused or unfinished is not moved"
            yield name, Verdict(f"stays on {card.name}, which is in maintenance: it cannot move as it is now", fix)


def _unsettled(asked: Question) -> Iterator[tuple[str, str]]:
    """VMs of a policy whose own move is not over, and those whose rules are about such a one."""
    begun = {tenant.name for tenant in asked.tenants.values() if tenant.unsettled}
    for name, tenant in asked.tenants.items():
        rules = tenant.policy.rules if tenant.policy and begun else ()
        if tenant.policy and (tenant.unsettled or any(not begun.isdisjoint(names_of(rule)) for rule in rules)):
            yield name, _SETTLING if tenant.unsettled else _BESIDE


def _staying(asked: Question, fleet: Fleet) -> Iterator[tuple[str, str]]:
    """What keeps a host in maintenance from being empty, though nothing of it is refused."""
    left: dict[str, list[str]] = {}
    for name, tenant in sorted(asked.tenants.items()):
        if tenant.at not in fleet.hosts or not fleet.hosts[tenant.at].maintenance:
            continue
        if not (tenant.wants or tenant.policy):
            left.setdefault(tenant.at, []).append(f"{name} (not declared)")
        elif tenant.drain == "stay":
            left.setdefault(tenant.at, []).append(f"{name} (drain: stay)")
    yield from ((host, ", ".join(names)) for host, names in sorted(left.items()))


def _waits(asked: Question, solution: Solution, kind: str) -> tuple[Wait, ...]:
    moves = solution.moves
    return tuple(
        Wait(Ref(kind, moves[n].guest), moves[n].target, Ref(kind, moves[other].guest), moves[other].target)
        for n, others in waits(asked.problem, moves).items()
        for other in others
    )


def _forecast(asked: Question, solution: Solution, order: Sequence[Wait], later: Later) -> Forecast:
    before: dict[tuple[str, str], list[str]] = {}
    for wait in order:
        before.setdefault((wait.ref.name, wait.host), []).append(wait.other.name)
    moves = tuple(
        _planned(asked.tenants[move.guest], move, tuple(dict.fromkeys(before.get((move.guest, move.target), ()))))
        for move in solution.moves
        if move.source and move.memory
    )
    sizes = (solution.moved * MIB, solution.bound * MIB, solution.bypassed * MIB)
    names = tuple(name for name, _ in later)
    disks = sum(move.disks for move in moves)
    return Forecast(moves, *sizes, solution.seconds, solution.seconds_bound, names, later, disks=disks)


def _planned(tenant: Tenant, move: Move, after: tuple[str, ...]) -> PlannedMove:
    """The silence of its last move says more than any model of it."""
    return PlannedMove(
        move.guest,
        move.source,
        move.target,
        move.start,
        move.end,
        tenant.memory,
        move.bandwidth,
        move.downtime if tenant.pace.downtime is None else tenant.pace.downtime,
        move.bypass,
        after,
        tenant.disks,
        tenant.pace.basis,
    )


def forecast(actions: Sequence[Action], placing: Placing) -> Forecast:
    """Of the moves that the plan makes after all kinds and limits had their say; bounds only where all are made."""
    made = {(action.place.name, action.place.host) for action in actions if action.passage}
    whole = placing.forecast
    kept = tuple(move for move in whole.moves if (move.vm, move.target) in made)
    if len(kept) == len(whole.moves):
        return whole
    sent, spare = sum(m.memory for m in kept), sum(m.memory for m in kept if m.bypass)
    last, disks = max((move.end for move in kept), default=0), sum(move.disks for move in kept)
    some = replace(whole, moves=kept, moved=sent - spare, bypassed=spare, disks=disks)
    return replace(some, bound=0, seconds=last, seconds_bound=0)


def stopped(made: Plan, view: View) -> dict[Ref, Verdict]:
    """Who was to go to a host and is refused, with all that was said against it; not what merely waits."""
    arrive = _arriving(made, view)
    found: dict[Ref, Verdict] = {}
    for refusal in made.refusals:
        ref = refusal.place.ref
        if ref in view.placing.roomy and ref not in arrive and not refusal.human:
            earlier = found.get(ref)
            found[ref] = Verdict(f"{earlier.reason}; {refusal.reason}" if earlier else refusal.reason, refusal.fix)
    return found


def _arriving(made: Plan, view: View) -> set[Ref]:
    """What the plan brings to a host: by a move, or by making it."""
    seen = {place.ref for place in view.snapshot.objects}
    return {action.place.ref for action in made.actions if action.between or action.place.ref not in seen}


def unmoved(made: Plan, view: View) -> Iterator[Refusal]:
    """Who was to move after somebody who does not, and so does not either."""
    arrive, told = _arriving(made, view), {refusal.place.ref for refusal in made.refusals}
    for wait in view.placing.waits:
        if not {wait.ref, wait.other} & arrive and wait.ref not in told:
            told.add(wait.ref)
            item = next(item for item in view.desired if item.place.ref == wait.ref)
            why = f"is not moved: there is room for it only when {wait.other} has left, which it does not"
            fix = f"see what the plan says of {wait.other}"
            yield Refusal(item.place, why, fix, item.origin.file, item.origin.line)
