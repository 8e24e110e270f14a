"""One pass, read straight down; each step takes the values before it and none calls another.

load -> resolve -> observe -> place -> diff -> plan -> guard -> order -> apply -> verify -> report
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from reconciler.engine import planfile
from reconciler.engine.apply import Walk
from reconciler.engine.diff import diff
from reconciler.engine.guard import guard
from reconciler.engine.load import load
from reconciler.engine.observe import observe
from reconciler.engine.order import order
from reconciler.engine.placing.answer import forecast, stopped, unmoved
from reconciler.engine.placing.place import place
from reconciler.engine.plan import plan
from reconciler.engine.prune import prune
from reconciler.engine.resolve import resolve
from reconciler.engine.target import narrow
from reconciler.engine.verify import left_over
from reconciler.errors import Problem, SpecError, StalePlan
from reconciler.kind import Document, Kind
from reconciler.model.desired import Desired, View
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.outcome import Outcome, Progress, Report
from reconciler.model.placing import Verdict
from reconciler.model.plan import Plan, Source
from reconciler.model.ref import Ref
from reconciler.model.snapshot import Snapshot
from reconciler.ports import (
    Clock,
    Hands,
    Hypervisor,
    Journal,
    Locks,
    NoLocks,
    NoMemory,
    NoSigner,
    Shell,
    Signer,
    SpecMemory,
    SpecSource,
)

NO_SOURCE = Source()
UNREMEMBERED = NoMemory()
NOTHING: Mapping[Ref, Verdict] = MappingProxyType({})
ROUNDS = 5
"""So often at most is placed anew around what is refused; what then still waits for it is refused too."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The specs, read and resolved."""

    fleet: Fleet
    desired: tuple[Desired, ...]
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    """The doors a pass goes through, and who hears of its progress."""

    shell: Shell
    hypervisor: Hypervisor
    clock: Clock
    journal: Journal
    at: Callable[[str], None] = field(default=lambda _: None)
    tell: Callable[[Progress | Outcome], None] = field(default=lambda _: None)
    deadline: float = 15.0
    locks: Locks = field(default_factory=NoLocks)
    insist: Callable[[Callable[[], Any]], Any] = field(default=lambda attempt: attempt())
    signer: Signer = field(default_factory=NoSigner)
    stopping: Callable[[], bool] = field(default=lambda: False)


def want(source: SpecSource, kinds: Sequence[Kind], memory: SpecMemory = UNREMEMBERED) -> Wanted:
    """load, resolve; raises SpecError with every mistake."""
    loaded = load(source, kinds, memory)
    fleet, desired, more = resolve(loaded.documents, kinds, loaded.broken)
    if not (loaded.documents or loaded.problems):
        raise SpecError([Problem("", 0, "nothing is declared", "was it emptied by mistake? nothing was deleted")])
    if loaded.problems or more:
        raise SpecError((*loaded.problems, *more))
    return Wanted(fleet, desired, loaded.documents)


def see(wanted: Wanted, kinds: Sequence[Kind], tools: Tools) -> Snapshot:
    """observe."""
    tools.locks.looking()
    doors = (tools.shell, tools.hypervisor)
    return observe(wanted.fleet, wanted.desired, kinds, *doors, clock=tools.clock, deadline=tools.deadline)


def placed(
    wanted: Wanted,
    snapshot: Snapshot,
    kinds: Sequence[Kind],
    target: Sequence[str] = (),
    blocked: Mapping[Ref, Verdict] = NOTHING,
) -> View:
    """place: the view to plan from, with everything wanted on the host that placement gives it."""
    return place(View(wanted.fleet, wanted.desired, snapshot, snapshot.taken), kinds, target, blocked)


def think(
    wanted: Wanted, snapshot: Snapshot, kinds: Sequence[Kind], source: Source = NO_SOURCE, target: Sequence[str] = ()
) -> Plan:
    """place, diff, plan, guard, order: pure, so that a saved snapshot gives the same plan as the hosts did.

    Where a move that placement asks for is refused, all is placed again around what has to stay.
    """
    blocked: dict[Ref, Verdict] = {}
    for _ in range(ROUNDS):
        view = placed(wanted, snapshot, kinds, target, blocked)
        made = _planned(view, kinds, source, target)
        more = stopped(made, view)
        if not more:
            break
        blocked |= more
    return replace(made, refusals=(*made.refusals, *unmoved(made, view)))


def _planned(view: View, kinds: Sequence[Kind], source: Source, target: Sequence[str]) -> Plan:
    differences = narrow(diff(view, kinds), target, view)
    actions, refusals = plan(differences, view, kinds)
    permitted, forbidden = guard(prune(actions), view)
    ordered = order(permitted)
    told = forecast(ordered, view.placing)
    made = Plan(view.fleet.name, view.now, source, differences, ordered, (*refusals, *forbidden), forecast=told)
    return planfile.touched(made, view.snapshot)


def fresh(made: Plan, current: Source, wanted: Wanted, snapshot: Snapshot) -> None:
    """Law 5: raises StalePlan naming everything that no longer fits."""
    found = planfile.differences(made, snapshot.taken, current, snapshot)
    if made.fleet != wanted.fleet.name:
        found.append(f"it was made for fleet {made.fleet}, not {wanted.fleet.name}")
    if found:
        raise StalePlan(found)


def touched(made: Plan, wanted: Wanted) -> Sequence[HostCard]:
    """The hosts whose locks the plan needs."""
    names = {host for action in made.actions for host in action.touches}
    return [card for name, card in sorted(wanted.fleet.hosts.items()) if name in names]


def do(made: Plan, wanted: Wanted, snapshot: Snapshot, kinds: Sequence[Kind], tools: Tools) -> Report:
    """apply, verify, report."""
    silent = frozenset(s.host for s in snapshot.silences if "vm" in s.kinds)
    gone = {s.host for s in snapshot.silences if "host" in s.kinds}
    hosts = {name: card for name, card in wanted.fleet.hosts.items() if name not in gone}
    hands = Hands(
        hosts,
        tools.hypervisor,
        tools.shell,
        tools.clock,
        at=tools.at,
        silent=silent,
        insist=tools.insist,
        signer=tools.signer,
        stopping=tools.stopping,
    )
    tools.journal.write("plan", fleet=made.fleet, commit=made.source.commit, actions=[a.id for a in made.actions])
    outcomes = Walk(made.actions, kinds, hands, tools.journal, wanted.fleet.limits, tools.tell).walk()
    report = Report(tools.journal.run, outcomes, made.refusals)
    if made.actions and not report.failed:
        after = see(wanted, kinds, tools)
        again = think(wanted, after, kinds)
        report = replace(report, left=left_over(made, again, after))
    tools.journal.write("report", verdict=report.verdict, left=report.left)
    return report
