"""A plan as one comment for a pull request: what a reviewer must know first, every object folded, never too long.

Words carry all meaning. Whatever does not fit is counted at the top, with where the whole can be read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.cli.as_text import summary
from reconciler.cli.as_timetable import Line, lines, totals, waiting
from reconciler.cli.changes import MEANING, Group, counts, groups, shown, transfer
from reconciler.cli.markdown_words import code, words
from reconciler.engine.hold import until
from reconciler.model.action import Refusal
from reconciler.model.plan import Held, Plan

MOST = 60_000
LEAST = 6_000
_STEPS = 60
_FIELDS = 30
_NOTICE = 500
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,500}")


@dataclass(frozen=True, slots=True)
class Whole:
    """Where the whole is: a page of the job that made it (empty: unknown), and the command that says it again."""

    link: str = ""
    command: str = "reconciler plan"

    def __str__(self) -> str:
        page = f"[the job's page]({self.link}), or " if self.link else ""
        return f"{page}{code(self.command, 120)}"


def checked_link(link: str) -> str:
    """Raises ValueError for what is no plain web address."""
    if link and not _LINK.fullmatch(link):
        raise ValueError(f"--link {link[:80]!r} is no web address; write one that begins with https://")
    return link


def marker(fleet: str) -> str:
    """The hidden first line, by which the comment of the last run is found and replaced."""
    name = re.sub(r"[^A-Za-z0-9._]", lambda found: f"%{ord(found[0]):02x}" if found[0] != "-" else "-", fleet[:63])
    return f"<!-- reconciler plan: {name.replace('--', '-%2d')} -->"


def comment(plan: Plan, hosts: int, whole: Whole, most: int = MOST, notes: Sequence[str] = ()) -> str:
    """At most `most` bytes of UTF-8, ending in a line end. `notes` are lines about what a pass of the loop would do."""
    title = f"{marker(plan.fleet)}\n## Plan for fleet {code(plan.fleet, 63)}\n"
    head = "\n".join(_head(plan, hosts)) + "\n"
    room = most - len((title + head + str(whole)).encode()) - _NOTICE
    noted, room = _fitting([f"- Note: {words(line)}\n" for line in notes], room)
    refusals, room = _fitting([_refusal(each) for each in plan.refusals], room)
    held, room = _fitting([_held(each) for each in plan.held], room)
    timetable, room = _timetable(plan, whole, room)
    found = groups(plan)
    blocks, _ = _fitting([_block(group) for group in found], room)
    left = [group for group, block in zip(found, blocks, strict=True) if not block]
    cut = "".join(_cut(plan, left, (refusals.count(""), held.count("")), whole, most))
    said = f"\n### Refused\n\nNothing is done about these.\n\n{''.join(refusals)}" if plan.refusals else ""
    said += "\n" + "".join(noted) if notes else ""
    said += f"\n### Held back\n\nA pass of the loop leaves these for later.\n\n{''.join(held)}" if plan.held else ""
    listed = "\n### Changes, object by object\n\n" + "".join(blocks) if found else ""
    return f"{title}{cut}{head}{said}{timetable}{listed}"


def of_errors(fleet: str, lines: Sequence[str], whole: Whole, most: int = MOST) -> str:
    """The comment where no plan could be made, so that an old one does not stay as if it were true."""
    head = f"{marker(fleet)}\n## There is no plan for fleet {code(fleet, 63)}: {_many(len(lines), 'mistake')}\n"
    room = most - len((head + str(whole)).encode()) - _NOTICE
    listed, _ = _fitting([f"- {words(line, 1000)}\n" for line in lines], room)
    left = listed.count("")
    more = f"\n**Cut:** {left} of {len(lines)} are not shown here; all of them: {whole}.\n" if left else ""
    return head + more + "\n" + "".join(listed) + "\nNothing was done.\n"


def _timetable(plan: Plan, whole: Whole, room: int) -> tuple[str, int]:
    """The moves in time, folded, at most a third of the room; and the room left."""
    shown, later = lines(plan.forecast), waiting(plan.forecast)
    if not shown and not later:
        return "", room
    said = "".join(f"**{line}.**<br>" for line in totals(plan.forecast)).removesuffix("<br>")
    head = f"\n### Timetable\n\n{said}\n\n<details><summary>Each move</summary>\n\n"
    head += "| when | VM | hosts | memory | downtime | |\n| --- | --- | --- | ---: | ---: | --- |\n" if shown else ""
    rows = [_moved(each) for each in shown]
    rows += [f"\n- later: {code(vm, 63)}{': ' + words(why) if why else ''}\n" for vm, why in later]
    left = share = max(0, room // 3 - len(head.encode()) - _NOTICE)
    kept, left = _fitting(rows, left)
    missed = kept.count("")
    cut = f"\n**Cut:** {missed} of {len(rows)} lines of the timetable are not shown; all of them: {whole}.\n"
    text = head + "".join(kept) + (cut if missed else "") + "\n</details>\n"
    return text, room - len(text.encode()) if share else room


def _moved(line: Line) -> str:
    """Only names and reasons come from outside."""
    names = f"{code(line.vm, 63)} | {words(line.hosts)}"
    notes = words(", ".join(line.notes))
    return f"| {line.begins} to {line.ends} | {names} | {line.memory} | {line.downtime} | {notes} |\n"


def _fitting(pieces: Sequence[str], room: int) -> tuple[list[str], int]:
    """The pieces that fit, an empty text for each that does not, and the bytes left."""
    kept = []
    for piece in pieces:
        size = len(piece.encode())
        kept.append(piece if size <= room else "")
        room -= size if size <= room else 0
    return kept, room


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _head(plan: Plan, hosts: int) -> Iterator[str]:
    """One sentence, then the table: disruption first, then what else is worth a look before merging."""
    yield ""
    yield f"**{words(summary(plan))}**"
    yield ""
    yield "| what | how much | meaning |"
    yield "| --- | ---: | --- |"
    if plan.refusals:
        humans = sum(refusal.human for refusal in plan.refusals)
        meaning = "not done, see below" + (f"; {humans} of them only a person can settle" if humans else "")
        yield f"| **REFUSED** | {len(plan.refusals)} | {meaning} |"
    for disruption, count in counts(plan.actions).items():
        yield f"| {disruption} | {count} | {MEANING[disruption]} |"
    if plan.held:
        yield f"| held back | {len(plan.held)} | not now, see below |"
    if transfer(plan):
        size, _, least = transfer(plan).partition("; ")
        yield f"| to copy | {size} | {least} |"
    yield f"| objects | {len(groups(plan))} | on a fleet of {_many(hosts, 'host')} |"
    yield ""
    made = datetime.fromtimestamp(plan.made, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    commit = f" at commit {code(plan.source.commit[:12])}" if plan.source.commit else ""
    dirty = " with local changes" if plan.source.dirty else ""
    yield f"Specs {code(plan.source.path or 'of a saved plan', 120)}{commit}{dirty}, compared with the hosts of {made}."


def _cut(plan: Plan, left: Sequence[Group], missed: tuple[int, int], whole: Whole, most: int) -> Iterator[str]:
    """The notice that something is missing; nothing when nothing is. `missed` counts refusals and what is held."""
    refusals, held = missed
    if not left and not refusals and not held:
        return
    yield f"\n**Cut to {most} bytes: this comment does not show everything.** Left out: "
    missing = [f"{refusals} of {_many(len(plan.refusals), 'refusal')}"] if refusals else []
    missing += [f"{held} of {len(plan.held)} held back"] if held else []
    if left:
        classes = counts([step.action for group in left for step in group.steps])
        said = ", ".join(f"{count} {disruption}" for disruption, count in classes.items())
        missing.append(f"{len(left)} of {_many(len(groups(plan)), 'object')}" + (f" ({said})" if said else ""))
    yield f"{' and '.join(missing)}. The whole plan: {whole}.\n"


def _refusal(refusal: Refusal) -> str:
    human = "**needs a person:** " if refusal.human else ""
    where = f" [{code(f'{refusal.file}:{refusal.line}')}]" if refusal.file else ""
    fix = f"<br>Remedy: {words(refusal.fix)}" if refusal.fix else ""
    return f"- {human}{code(str(refusal.place))}: {words(refusal.reason)}{where}{fix}\n"


def _held(held: Held) -> str:
    why = words(held.why + until(held.until))
    return f"- {code(str(held.place))}: {words(held.text)} ({held.disruption})<br>Held: {why}\n"


def _block(group: Group) -> str:
    """One object, folded: its worst step on the line that is seen, all steps and fields inside."""
    more = f", {_many(len(group.steps), 'step')}" if len(group.steps) > 1 else ""
    title = f"<b>{group.disruption}</b>: {code(str(group.ref))}: {words(group.worst.action.explain())}{more}"
    lines = [f"<details><summary>{title}</summary>", ""]
    for step in group.steps[:_STEPS]:
        reason = f"<br>Why: {words(step.action.reason)}" if step.action.reason else ""
        lines.append(f"- Step {step.number} on {code(step.action.place.host, 63)}: {words(step.said)}{reason}")
    if len(group.steps) > _STEPS:
        lines.append(f"- **Cut:** {len(group.steps) - _STEPS} more steps of this object are not shown.")
    if group.changes:
        lines += ["", "| field | on | now | declared |", "| --- | --- | --- | --- |"]
    for change in group.changes[:_FIELDS]:
        cells = (change.path or "all of it", change.place.host, shown(change.old), shown(change.new))
        lines.append(f"| {' | '.join(code(cell, 120) for cell in cells)} |")
    if len(group.changes) > _FIELDS:
        lines.append(f"\n**Cut:** {len(group.changes) - _FIELDS} more fields of this object are not shown.")
    return "\n".join([*lines, "", "</details>", "", ""])
