"""`make bench-planning`: a row per question with the bound and what others reach, also as a page of docs.

Ends with 1 if a limit is broken. `--only command` (or side_by_side, everyday, hard, public) runs one part and writes no
page.

Times are CPU seconds of this process for one plan with its replay, without making or reading the fleet; the machine may
be shared. What others reach is as they published it or as it was measured before; their objectives differ from ours.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log
from pathlib import Path

from reconciler.placement.aim import proven
from reconciler.placement.normalise import normalise
from reconciler.placement.problem import Effort, Problem
from reconciler.placement.solution import Solution
from reconciler.placement.solve import solve
from tests.bench.planning.fleets import drained, fleet, mixed, reshuffled
from tests.bench.planning.hbal import evacuated, plain, there
from tests.bench.planning.instances import scale, tdsc, tdsc_files, testbed, testbed_files
from tests.bench.planning.whole import planned, write

POLISHED = Effort(polish=5.0)


@dataclass(frozen=True)
class Row:
    """One line. `held` is whether every limit in `limit` is kept."""

    what: str
    ours: str
    bound: str
    others: str
    limit: str
    held: bool


def timed(asked: Problem, effort: Effort | None = None) -> tuple[Solution, float]:
    begin = time.process_time()
    plan = solve(asked, effort)
    return plan, time.process_time() - begin


def made(what: str, asked: Problem, limits: tuple[float, float, float], effort: Effort | None = None) -> Row:
    """A made-up fleet: at most so many seconds; moved over max(LB2, LB3), or the least proven; length over bound."""
    plan, took = timed(asked, effort)
    quick = proven(normalise(asked)).best
    over = plan.moved / quick if quick else 1.0
    ours = f"{took:.2f} s; moved {plan.gap():.3f}; length {plan.stretch():.3f}; bypassed {_share(plan)}"
    if plan.bound > quick:
        ours += f"; {over:.4f} of max(LB2, LB3), {quick} MiB"
    ours += f"; {len(plan.moves)} moves" + (f"; refused {len(plan.knots)}" if plan.knots else "")
    little = over <= limits[1] or plan.moved == plan.bound
    held = took <= limits[0] and little and plan.stretch() <= limits[2] and not plan.knots
    least = f"{plan.bound} MiB; {plan.seconds_bound} s"
    return Row(what, ours, least, "", f"{limits[0]} s; {limits[1]}; {limits[2]}", held)


def _share(plan: Solution) -> str:
    return f"{100 * plan.bypassed / plan.moved:.0f} %" if plan.moved else "0 %"


def everyday() -> list[Row]:
    """10,000 guests on 1,000 hosts, and five times that."""
    rows = [
        made("10k/1k drain 5 %, 0.70", drained(fleet(1000, 0.70), 0.05), (1.0, 1.0, 1.02)),
        made("10k/1k drain 5 %, 0.80", drained(fleet(1000, 0.80), 0.05), (1.0, 1.01, 1.02)),
        made("10k/1k mixed, 0.75", mixed(fleet(1000, 0.75)), (1.0, 1.01, 1.02)),
        made("10k/1k mixed, 0.85", mixed(fleet(1000, 0.85)), (1.0, 1.02, 1.02)),
        made("10k/1k mixed, 0.85, 5 of polish", mixed(fleet(1000, 0.85)), (10.0, 1.02, 1.02), POLISHED),
        made("10k/1k drain 5 %, 0.88, 5 of polish", drained(fleet(1000, 0.88), 0.05), (10.0, 1.02, 1.02), POLISHED),
        made("10k/1k drain 3 %, 0.90, 5 of polish", drained(fleet(1000, 0.90), 0.03), (10.0, 1.02, 1.02), POLISHED),
        made("10k/1k drain 5 %, 0.85, N+1", replace(drained(fleet(1000, 0.85), 0.05), survive=1), (1.0, 1.02, 1.02)),
        made("50k/5k mixed, 0.80", mixed(fleet(5000, 0.80)), (5.0, 1.01, 1.02)),
    ]
    return [*rows, growth()]


def growth() -> Row:
    """From 1,000 to 50,000 guests: the exponent of the time."""
    small, large = drained(fleet(100, 0.70), 0.05), drained(fleet(5000, 0.70), 0.05)
    few = min(timed(small)[1] for _ in range(5))
    many = min(timed(large)[1] for _ in range(2))
    power = log(many / few) / log(50)
    return Row(
        "growth from 1k to 50k guests", f"n^{power:.2f} ({few:.3f} to {many:.2f} s)", "", "", "n^1.2", power < 1.2
    )


def hard() -> list[Row]:
    """Everyone moves, a class runs full, and nearly no room at all."""
    full = drained(fleet(1000, 0.70, newer=0.5), 0.20)
    return [
        made("10k/1k forced reshuffle, 0.80", reshuffled(fleet(1000, 0.80)), (5.0, 1.0, 2.0)),
        made("10k/1k drain 20 %, a class runs full, 0.70", full, (2.0, 1.05, 1.02)),
        done_or_refused("1k/100 forced reshuffle, 0.93", reshuffled(fleet(100, 0.93), full=True)),
        done_or_refused("1k/100 drain 10 %, 0.95", drained(fleet(100, 0.95), 0.10)),
    ]


def done_or_refused(what: str, asked: Problem) -> Row:
    """Above 0.90: every guest arrives or is named in a knot, within 10 s."""
    plan, took = timed(asked)
    named = {name for knot in plan.knots for name in knot.guests}
    ours = f"{took:.2f} s; {len(plan.moves)} moves; {len(named)} named in {len(plan.knots)} knots"
    return Row(what, f"{ours}; bypassed {_share(plan)}", f"{plan.bound} MiB", "", "ends; 10 s", took <= 10)


TDSC_OTHERS = {"li-r6-c33": "BtrPlace 56-59 s, 123,900 moved"}


def public() -> list[Row]:
    """What is there of the public instances; nothing where they are not."""
    rows = []
    for path in tdsc_files():
        plan, took = timed(tdsc(path))
        name = path.name.removesuffix(".json.gz")
        starts = sum(not move.source for move in plan.moves)
        ours = f"{took:.2f} s; moved {plan.moved}; {len(plan.moves) - starts} moves, {starts} starts"
        ours += f"; {len(plan.knots)} refused"
        held = took <= 1 and plan.moved == plan.bound and not plan.knots
        rows.append(Row(f"TDSC {name}", ours, str(plan.bound), TDSC_OTHERS.get(name, ""), "1 s; the bound; none", held))
    if testbed_files():
        rows += [mvm_testbed(), *(mvm_scale(family) for family in ("x1", "x2", "x4", "x10"))]
    return rows


def mvm_testbed() -> Row:
    found = [(timed(asked), theirs) for asked, theirs in (testbed(path) for path in testbed_files())]
    ours, proven = _mean([plan.seconds for (plan, _), _ in found]), _mean([p.seconds_bound for (p, _), _ in found])
    theirs, took = _mean([seconds for _, seconds in found]), max(took for (_, took), _ in found)
    text = f"mean {ours:.2f} s; at most {took:.2f} s to plan"
    return Row(
        f"mVM testbed, {len(found)}", text, f"{proven:.2f} proven", f"mVM {theirs:.2f}", "the optimum", ours <= proven
    )


def mvm_scale(family: str, count: int = 20) -> Row:
    found = [timed(asked) for _, asked in scale(family, count)]
    ratios = [plan.stretch() for plan, _ in found]
    refused = sum(bool(plan.knots) for plan, _ in found)
    slowest = max(took for _, took in found)
    text = f"mean {_mean(ratios):.3f}, worst {max(ratios):.3f}; at most {slowest:.2f} s; {refused} refused"
    others = "mVM 1.204, 14 of 20 solved" if family == "x10" else ""
    held = _mean(ratios) <= 1.01 and not refused
    return Row(f"mVM infrastructure {family}, {len(found)}", text, "1", others, "1.01; none", held)


def _mean(numbers: list[int] | list[float]) -> float:
    return sum(numbers) / len(numbers)


def side_by_side() -> list[Row]:
    """hbal, which knows no storage classes, on fleets without any; sizes that it plans within a minute or so."""
    if not there():
        print("hbal is not installed (apt-get install ganeti-htools), so its rows are left out", file=sys.stderr)
        return []
    return [against_hbal(50), against_hbal(100)]


def against_hbal(hosts: int) -> Row:
    """The same drain by both: CPU seconds, and the memory that is moved."""
    asked = drained(plain(fleet(hosts, 0.43)), 0.05)
    plan, took = timed(asked)
    what, limit = f"{hosts * 10}/{hosts} drain 5 %, 0.43, one class, beside hbal", "faster; no more moved"
    ours = f"{took:.3f} s; moved {plan.moved}; {len(plan.moves)} moves"
    theirs = evacuated(asked, most=300)
    if theirs is None:
        return Row(what, ours, f"{plan.bound} MiB", "hbal none in 300 s", limit, not plan.knots)
    size = {guest.name: guest.memory for guest in asked.guests}
    moved = sum(size[name] for name in theirs.moved)
    others = f"hbal {theirs.seconds:.2f} s ({theirs.seconds / took:.0f} x); moved {moved}; {len(theirs.moved)} moves"
    return Row(what, ours, f"{plan.bound} MiB", others, limit, took < theirs.seconds and plan.moved <= moved)


PUBLISHED = (
    "hbal 3.0.2 on larger fleets (measured before on a like machine, not in this run): drain 5 % of 200 hosts 135 s, "
    "of 300 more than 500 s, of 1,000 not one move in 1,500 s; its order is 1.21 x the bound. "
    "CP-SAT with a variable per VM and host: 300 hosts 102 s, 1,000 hosts out of memory."
)


def command() -> list[Row]:
    """From files to the plan's last line, as a user waits for it."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), 1000, 10_000, 50)
        cost, again = planned(Path(folder)), planned(Path(folder))
    unchanged = f"again, no file changed: {again.seconds:.1f} s, {again.memory:.0f} MiB"
    ours = f"{cost.seconds:.1f} s CPU, {cost.memory:.0f} MiB; {unchanged}; {cost.said}"
    held = max(cost.seconds, again.seconds) <= 10 and max(cost.memory, again.memory) <= 1024
    return [Row("10k/1k drain 5 %, the whole command from files", ours, "", "", "10 s; 1 GB", held)]


PAGE = """\
# Benchmarks of the planner

Made by `make bench-planning` on {when} UTC; {cores} cores, Python {python}.
Times are CPU seconds of one plan with its replay, without making or reading the fleet; `moved` and `length`
are over the proven bound. A limit is what issue 5 asks for: moved over max(LB2, LB3). Where hosts were packed anew a
higher bound is proven; a plan that moves no more than that is held to keep the limit, as no plan moves less.

{table}

{published}

Not covered: live hosts, guests whose dirty rate was measured, links shared by several hosts.
"""


PARTS: tuple[Callable[[], list[Row]], ...] = (command, side_by_side, everyday, hard, public)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.planning")
    asked.add_argument("--only", choices=[part.__name__ for part in PARTS])
    only, held = asked.parse_args().only, True
    lines = ["| what | ours | bound | others | limit | held |", "| --- | --- | --- | --- | --- | --- |"]
    print("\n".join(lines))
    for part in PARTS:
        for r in part() if only in (None, part.__name__) else ():
            kept = "yes" if r.held else "NO"
            lines.append(f"| {r.what} | {r.ours} | {r.bound} | {r.others} | {r.limit} | {kept} |")
            print(lines[-1], flush=True)
            held = held and r.held
    if only:
        return 0 if held else 1
    print(PUBLISHED)
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    words = {"when": when, "cores": os.cpu_count(), "python": platform.python_version()}
    page = PAGE.format(**words, table="\n".join(lines), published=PUBLISHED)
    (Path(__file__).parents[3] / "docs/benchmarks-planning.md").write_text(page)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
