"""A plan and a report for people: symbols, words and classes carry the meaning, colour only repeats it."""

from collections.abc import Sequence

from reconciler.cli.as_timetable import as_lines
from reconciler.cli.frame import say
from reconciler.engine.hold import until
from reconciler.model.action import Action
from reconciler.model.disruption import Disruption
from reconciler.model.outcome import Outcome, Report
from reconciler.model.plan import Plan
from reconciler.model.units import show_duration, show_size

_STYLES = {"+": "green", "-": "yellow", "~": "cyan", ">": "bold magenta", "?": "dim"}
_MARKS = {"done": "ok", "nothing-to-do": "--", "failed": "FAILED", "skipped": "skipped"}
_LOUD = (Disruption.RESTART, Disruption.MOVE_COLD, Disruption.RECREATE, Disruption.DELETE)


def show_plan(plan: Plan, hosts: int) -> None:
    """The whole plan on standard output."""
    commit = (
        f" at {plan.source.commit[:12]}{' with local changes' if plan.source.dirty else ''}"
        if plan.source.commit
        else ""
    )
    say(
        f"Fleet {plan.fleet}, {hosts} host{'s' if hosts != 1 else ''}; "
        f"specs {plan.source.path or 'from a plan'}{commit}"
    )
    say()
    place = ""
    for action in plan.actions:
        if str(action.place) != place:
            place = str(action.place)
            say(place, "bold")
        show_action(action)
    for refusal in plan.refusals:
        say(f"  ! {refusal}", "bold red" if refusal.human else "red")
    for held in plan.held:
        say(f"  # {held.place}: {held.text}  [{held.disruption}]")
        say(f"      held: {held.why}{until(held.until)}", "dim")
    for line in as_lines(plan.forecast):
        say(line)
    if not plan.empty:
        say()
    say(summary(plan), "bold")


def show_action(action: Action) -> None:
    """One step of a plan: what, its class and size, and why; a mere look is one dim line."""
    if action.looks:
        say(f"  {action.symbol} {action.explain()}", "dim")
        return
    size = f", about {show_size(action.expected_bytes)}" if action.expected_bytes else ""
    unsafe = any(word in action.explain() for word in ("UNSAFE", "NOT ENCRYPTED"))
    style = "bold red" if action.disruption in _LOUD or unsafe else _STYLES.get(action.symbol, "")
    say(f"  {action.symbol} {action.explain()}  [{action.disruption}{size}]", style)
    if action.reason:
        say(f"      {action.reason}", "dim")


def summary(plan: Plan) -> str:
    """One line: what a tired reviewer must know."""
    if plan.empty and plan.forecast.later:
        return "Nothing to do in this pass."
    if plan.empty:
        return "Nothing to do: everything is as declared."
    words = [f"{len(plan.actions)} action{'s' if len(plan.actions) != 1 else ''}"]
    classes = [d for d in Disruption if d is not Disruption.NONE and any(a.disruption is d for a in plan.actions)]
    words += [f"{sum(a.disruption is d for a in plan.actions)} {d}" for d in classes]
    words += [f"about {show_size(plan.expected_bytes)} to copy"] if plan.expected_bytes else []
    words += [f"{len(plan.held)} held"] if plan.held else []
    words += [f"{len(plan.refusals)} REFUSED"] if plan.refusals else []
    return f"Plan: {', '.join(words)}."


def outcome_line(outcome: Outcome, explain: str) -> str:
    """One action's end."""
    said = f": {outcome.text}" if outcome.text else ""
    fix = f" ({outcome.fix})" if outcome.fix and outcome.status == "failed" else ""
    return f"{_MARKS[outcome.status]:>7}  {explain}{said}{fix}  [{show_duration(outcome.seconds)}]"


def show_report(report: Report) -> None:
    """The verdict of a pass."""
    done = sum(outcome.status == "done" for outcome in report.outcomes)
    words = [f"{done} done"]
    words += [f"{len(report.failed)} failed or skipped"] if report.failed else []
    words += [f"{len(report.refusals)} refused"] if report.refusals else []
    say(
        f"{report.verdict.capitalize()}: {', '.join(words)}. Run {report.run}.",
        "bold" if report.verdict == "ok" else "bold red",
    )
    for left in report.left:
        say(f"  ! still different: {left}", "red")


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns padded to their widest cell; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        say(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(),
            "" if number else "bold",
        )
