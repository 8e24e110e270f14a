"""Passes as `run` and `history` show them: a line each, one with all that is known of it, or plain data.

Adds nothing to a record but what its outcomes say.
"""

import time
from typing import Any

from reconciler.cli.as_text import outcome_line, table
from reconciler.cli.frame import say
from reconciler.cli.lease_count import lease_line, leases_of
from reconciler.engine.hold import until
from reconciler.model.passed import Passed


def as_data(passed: Passed) -> dict[str, Any]:
    """The record as JSON shows it, with the leases counted."""
    from reconciler.engine import codec

    return {**codec.dump(passed), "leases": codec.dump(leases_of(passed.outcomes))}


def line(passed: Passed) -> str:
    """One pass in a line, as `run` prints it."""
    commit = f" at {passed.commit.sha[:12]}" if passed.commit.sha else ""
    return f"{_when(passed.ended or passed.began)} {passed.fleet}{commit}: {passed.verdict}, {_done(passed)}"


def show_table(passes: list[Passed]) -> None:
    """The newest first, numbered from 1."""
    rows = [["N", "WHEN", "FLEET", "COMMIT", "TRIGGER", "BY", "VERDICT", "WHAT"]]
    for number, passed in enumerate(passes, 1):
        short = passed.commit.sha[:12] or "-"
        words = [passed.fleet, short, passed.trigger, passed.by or "-", passed.verdict, _done(passed)]
        rows.append([str(number), _when(passed.began), *words])
    table(rows)


def show_pass(passed: Passed) -> None:
    """All of one."""
    say(f"Run {passed.run} over fleet {passed.fleet}: {passed.verdict}", "bold")
    commit = passed.commit
    facts = [
        ("began", f"{_when(passed.began)}, {max(0.0, passed.ended - passed.began):.1f} s"),
        ("asked by", f"{passed.trigger}, {passed.by or 'nobody'}; made by {passed.controller or 'this machine'}"),
        ("commit", f"{commit.sha[:12]} {commit.subject}" if commit.sha else "none"),
        ("author", f"{commit.author}, {_when(commit.when)}" if commit.author else ""),
        ("signed by", commit.signer),
        ("mode", passed.mode),
        ("error", passed.error),
        ("leases", lease_line(passed)),
    ]
    for name, text in facts:
        if text:
            say(f"  {name:10} {text}")
    for action in passed.plan.get("actions") or ():
        if not any(outcome.action == action["id"] for outcome in passed.outcomes):
            say(f"  planned, not done: {action['place']}: {action['explain']}")
    for held in passed.plan.get("held") or ():
        say(f"  # {held['place']}: {held['text']}; held: {held['why']}{until(held.get('until', 0))}")
    for refusal in passed.plan.get("refusals") or ():
        say(f"  ! {refusal['place']}: {refusal.get('reason', '')}", "red")
    names = {action["id"]: f"{action['place']}: {action['explain']}" for action in passed.plan.get("actions") or ()}
    for outcome in passed.outcomes:
        say(f"  {outcome_line(outcome, names.get(outcome.action, outcome.action))}")
        numbers = {k: v for k, v in outcome.facts.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
        if numbers:
            say("      " + ", ".join(f"{name} {value:g}" for name, value in numbers.items()), "dim")
    for text in passed.left:
        say(f"  still different: {text}", "red")
    for standing in passed.standings:
        if standing.word != "in-sync":
            say(f"  {standing.place}: {standing.word} {', '.join(standing.fields)} {standing.why}".rstrip())


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def _done(passed: Passed) -> str:
    done = sum(outcome.status == "done" for outcome in passed.outcomes)
    failed = sum(outcome.status in ("failed", "skipped") for outcome in passed.outcomes)
    planned = len(passed.plan.get("actions") or ())
    if passed.outcomes:
        return f"{done} done" + (f", {failed} not" if failed else "")
    held = len(passed.plan.get("held") or ())
    if held:
        return f"{held} held"
    return f"{planned} planned" if planned else passed.error.splitlines()[0][:60] if passed.error else "nothing to do"
