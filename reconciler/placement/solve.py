"""From Problem to Solution, straight down: aim, order, cut to the window, explain, keep what a loss needs, replay.

Decides nothing itself; a plan that the replay does not accept is a bug and never leaves this file.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from reconciler.placement.aim import Aim, aim, proven
from reconciler.placement.bounds import loose, makespan
from reconciler.placement.causes import causes
from reconciler.placement.durations import seconds
from reconciler.placement.exact_order import exact
from reconciler.placement.fleet import Fleet
from reconciler.placement.gathering import choose_domains
from reconciler.placement.justify import justified
from reconciler.placement.keeping import keeping
from reconciler.placement.knots import Trouble, knots
from reconciler.placement.normalise import normalise
from reconciler.placement.order import timetable
from reconciler.placement.problem import Effort, Gather, Problem
from reconciler.placement.replay import replay
from reconciler.placement.solution import Solution
from reconciler.placement.tasks import Timetable, tasks
from reconciler.placement.written import written

ROUNDS = (3, 7)
"""After so many rounds whole hosts of the lost are left alone, and after so many the whole fleet: it ends."""


class ReplayError(Exception):
    """The planner made a plan that its own check refuses: a bug. Nothing of the plan may be used."""


def solve(problem: Problem, effort: Effort | None = None) -> Solution:
    """The plan. Raises LookupError for names that are not there, ReplayError for a bug of ours."""
    found = effort or Effort()
    plan = made(problem, found)
    if problem.survive:
        plan = keeping(problem, plan, lambda other, left: made(other, found, left))
    plan = replace(plan, causes=tuple(sorted(causes(problem, dict(plan.goal), bool(plan.later)).items())))
    wrong = replay(problem, plan)
    if wrong:
        raise ReplayError("; ".join(wrong[:5]))
    return plan


def made(problem: Problem, effort: Effort, left: frozenset[str] = frozenset()) -> Solution:
    """A plan that nobody has checked yet, and that looks at no loss of a host; `left` are guests not to be started."""
    rest, homeless, torn = without(problem, left), frozenset[str](), frozenset[str]()
    waits: tuple[tuple[tuple[str, ...], tuple[str, ...], int], ...] = ()
    for turn in count():
        fleet = normalise(rest)
        lost = choose_domains(fleet, rest)
        clash = frozenset(name for item in fleet.torn for name in fleet.names(item))
        unplaced = frozenset(name for names in lost for name in names)
        if clash or unplaced:
            torn, homeless = torn | clash, homeless | unplaced
            rest = without(rest, clash | unplaced)
            continue
        found = aim(fleet, effort)
        if found.lost:
            back = found.board.back(found.lost)
            refused = unwell(fleet, back) if back else found.lost
            names = frozenset(name for item in refused for name in fleet.names(item))
            fewer = without(rest, names if back else beside(rest, names, turn))
            unbound = len(fewer.rules) < len(rest.rules)
            homeless, rest = homeless | names, fewer
            if not back or unbound:  # who was to be together with one that is lost has no reason left to move
                continue
            found.board.stay()
            found = replace(found, bounds=proven(normalise(rest)))
        table, bound = ordered(fleet, found, rest, effort)
        if not table.stuck:
            break
        stuck = tuple(sorted(fleet.guests[task.guest].name for task in table.stuck))
        hosts = tuple(sorted({fleet.hosts[h].name for t in table.stuck for h in (t.source, t.target) if h >= 0}))
        waits, rest = (
            (*waits, (stuck, hosts, shortage(fleet, table))),
            without(rest, beside(rest, frozenset(stuck), turn)),
        )
    plan = written(problem, fleet, table)
    return replace(
        plan,
        knots=knots(problem, dict(plan.goal), Trouble(homeless, torn, waits), left.union(plan.later)),
        moved=found.board.moved(),
        bound=found.bounds.best,
        seconds_bound=bound,
    )


def unwell(fleet: Fleet, lost: Sequence[int]) -> list[int]:
    """Those who may not stay where they are; others were only asked to make way."""
    forced = fleet.forced()
    return [item for item in lost if forced[item] or fleet.home[item] < 0]


def ordered(fleet: Fleet, found: Aim, problem: Problem, effort: Effort) -> tuple[Timetable, int]:
    """The timetable and the least seconds for its moves; searched exactly where it is above its bound and small."""
    moves = tasks(found.board, problem.limits)
    legs = [one.leg() for one in moves]
    bound = makespan(fleet, legs, problem.limits)
    table = timetable(fleet, problem.limits, moves, bound)
    if table.seconds > bound:
        table = justified(fleet, problem.limits, table, bound)
    if not table.bypassed:
        if table.stuck or table.seconds <= bound or effort.exact <= 0 or len(moves) > effort.exact_moves:
            return table, bound
        better = exact(fleet, problem.limits, table, bound, effort.exact)
        return better.table or table, better.proven

    def fastest(number: int, link: int) -> int:
        guest, most = fleet.guests[moves[number].guest], problem.limits.bandwidth or link
        return seconds(guest, max(1, min(link, most)))

    return table, makespan(fleet, loose(legs, fleet, fastest), replace(problem.limits, moves=0))


def shortage(fleet: Fleet, table: Timetable) -> int:
    """The least MiB that would let one of the stuck begin, when all that could move has; 0 when memory is not it."""
    free: list[int] = (fleet.room - fleet.load)[0].tolist()
    for step in table.steps:
        free[step.task.target] -= step.task.need[0]
        if step.task.source >= 0:
            free[step.task.source] += step.task.need[0]
    return max(0, min(one.need[0] - free[one.target] for one in table.stuck))


def beside(problem: Problem, names: frozenset[str], turn: int) -> frozenset[str]:
    """These guests, and later in the search all on their hosts, and in the end everyone: what is left alone."""
    if turn < ROUNDS[0]:
        return names
    hosts = {guest.at for guest in problem.guests if guest.name in names and guest.at}
    return names | {guest.name for guest in problem.guests if guest.at in hosts or turn >= ROUNDS[1]}


def without(problem: Problem, names: frozenset[str]) -> Problem:
    """The same with these guests staying where they are, or left out where they run nowhere yet."""
    if not names:
        return problem
    guests = tuple(
        replace(guest, pinned=True, to="") if guest.name in names else guest
        for guest in problem.guests
        if guest.name not in names or guest.at
    )
    rules = tuple(r for r in problem.rules if not isinstance(r, Gather) or names.isdisjoint(r.guests))
    return replace(problem, guests=guests, rules=rules)
