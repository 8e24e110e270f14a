"""A plan that leaves the fleet able to lose any one host, if it was: placed otherwise, or without starting somebody.

Moves of those who run are never refused for it, as a drain must not wait; what is lost then is said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from reconciler.placement.causes import causes
from reconciler.placement.problem import Guest, Problem
from reconciler.placement.solution import Exposed, Knot, Solution
from reconciler.placement.spare import Spare, spare

Make = Callable[[Problem, frozenset[str]], Solution]
"""The best plan for a problem in which these new guests are not started."""
MOST, TRIES = 2000, 30
"""Guests up to which other plans are tried, as each takes as long as the first, and how many; beyond it is said."""
FIX = "more room, or `hostFailures: 0`"


def keeping(problem: Problem, plan: Solution, make: Make) -> Solution:
    """The plan, or a better one, with the refuge of each guest, and the hosts whose loss leaves some without.

    Of those who are new the least priority is given up first, then the largest; whoever gets room by that is new too.
    """
    before = spare(problem, {guest.name: guest.at for guest in problem.guests})
    left: dict[str, str] = {}
    plan, after = _elsewhere(problem, plan, before, make)
    while True:
        goal = dict(plan.goal)
        new = [guest for guest in problem.guests if not guest.at and guest.memory and goal[guest.name]]
        bare = spare(problem, goal | {guest.name: "" for guest in new})
        if not _worse(problem, after, bare):
            break
        new.sort(key=lambda guest: (-guest.priority, guest.memory, guest.name))
        few = 0 if left else _most(problem, goal, new, bare)
        left |= {guest.name: goal[guest.name] for guest in new[few:]}
        fewer = make(problem, frozenset(left))
        plan, after = _elsewhere(problem, fewer, before, make, frozenset(left))
    knots = tuple(_knot(name, problem, {**goal, name: host}, after) for name, host in sorted(left.items()))
    exposed = tuple(Exposed(host, names, host not in before.short) for host, names in sorted(after.short.items()))
    refuges = tuple(sorted(after.refuges.items()))
    return replace(plan, knots=(*plan.knots, *knots), exposed=exposed, refuges=refuges)


def _elsewhere(
    problem: Problem, plan: Solution, before: Spare, make: Make, left: frozenset[str] = frozenset()
) -> tuple[Solution, Spare]:
    """Where the plan loses what there was: one with another target for some who move, largest first, if that helps.

    Each try is a whole plan, in which one guest has to go to one of the roomiest hosts that it does not go to now. One
    in which somebody moves who need not any more, as another has made way for others since, is none.
    """
    first = problem
    after = spare(problem, dict(plan.goal))
    if len(problem.guests) > MOST:
        return plan, after
    movers = {move.guest: move.memory for move in plan.moves}
    free = [guest for guest in problem.guests if guest.name in movers and not guest.to]
    tries = 0
    for guest in sorted(free, key=lambda guest: (-guest.memory, guest.name)):
        for host in _roomiest(problem, plan, guest):
            if tries >= TRIES or after.short.keys() <= before.short.keys():
                return plan, after
            tries += 1
            asked = replace(problem, guests=tuple(replace(g, to=host) if g is guest else g for g in problem.guests))
            other = make(asked, left)
            kept = spare(problem, dict(other.goal))
            needed = all(causes(first, dict(other.goal), bool(other.later)).values())
            if needed and _alike(plan, other) and _lost(kept, before) < _lost(after, before):
                problem, plan, after = asked, replace(other, bound=min(plan.bound, other.bound)), kept
                break
    return plan, after


def _alike(plan: Solution, other: Solution) -> bool:
    """Is the other one no worse in what it leaves undone?"""
    refused, more = ({name for knot in each.knots for name in knot.guests} for each in (plan, other))
    return more <= refused and len(other.knots) <= len(plan.knots) and len(other.later) <= len(plan.later)


def _lost(after: Spare, before: Spare) -> int:
    """Guests without a refuge on hosts that were well before."""
    return sum(len(names) for host, names in after.short.items() if host not in before.short)


def _roomiest(problem: Problem, plan: Solution, guest: Guest) -> list[str]:
    """The three hosts it may go to with most memory free at the end of the plan, without its own target."""
    memory, goal = {guest.name: guest.memory for guest in problem.guests}, dict(plan.goal)
    free = {host.name: host.room()[0] for host in problem.hosts if not host.drain and not host.closed}
    for name, host in goal.items():
        if host in free:
            free[host] -= memory[name]
    able = set(problem.reaches[guest.reach]) if guest.reach else free.keys()
    fit = [host for host, room in free.items() if host in able and host != goal[guest.name] and room >= guest.memory]
    return sorted(fit, key=lambda host: (-free[host], host))[:3]


def _most(problem: Problem, goal: Mapping[str, str], new: Sequence[Guest], bare: Spare) -> int:
    """How many of the new ones, from the first, take nothing that a loss needs."""
    least, most = 0, len(new) - 1
    while least < most:
        count = (least + most + 1) // 2
        on = {**goal, **{guest.name: "" for guest in new[count:]}}
        if _worse(problem, spare(problem, on), bare):
            most = count - 1
        else:
            least = count
    return least


def _worse(problem: Problem, after: Spare, before: Spare) -> str:
    """A host whose loss leaves more memory without a refuge than before; empty for none.

    Who can be on one host only is not counted: no room elsewhere is lost by it.
    """
    memory = {guest.name: 0 if _tied(problem, guest) else guest.memory for guest in problem.guests}
    for host, names in sorted(after.short.items()):
        if sum(memory[name] for name in names) > sum(memory[name] for name in before.short.get(host, ())):
            return host
    return ""


def _tied(problem: Problem, guest: Guest) -> bool:
    return bool(guest.reach) and len(problem.reaches[guest.reach]) == 1


def _knot(name: str, problem: Problem, on: Mapping[str, str], kept: Spare) -> Knot:
    """Why this one is not started, as it would be with it alone."""
    found = spare(problem, on)
    host = _worse(problem, found, kept)
    if not host:
        why = "together with the other new ones it takes room that the loss of a host would need"
        return Knot((name,), (on[name],), f"{name} is not started: {why}", FIX)
    who = ", ".join(found.short[host][:5])
    return Knot((name,), (host,), f"{name} is not started: if {host} were lost, {who} would find no room", FIX)
