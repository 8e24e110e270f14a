"""One pass of one fleet from its repository: fetch, judge, check out, want, see, think, hold, act, and its record.

Whatever is wrong with the newest commit: the last good one is looked at, and nothing is changed but leases swept.
"""

import getpass
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.adapters.journal import FileJournal, state_folder
from reconciler.adapters.repository import Repository
from reconciler.adapters.spec_cache import SpecCache
from reconciler.adapters.spec_source import FolderSource
from reconciler.engine import planfile, yaml_read
from reconciler.engine.hold import hold, suspended
from reconciler.engine.once import Tools, Wanted, see, think, want
from reconciler.engine.standing import standings, unhealed
from reconciler.errors import Locked, NeedsHuman, NotTrusted, ReconcilerError, SpecError
from reconciler.kind import Kind
from reconciler.loop.acting import Acting
from reconciler.loop.history import Memory
from reconciler.loop.settings import FleetSettings
from reconciler.model.commit import Commit
from reconciler.model.fleet import Suspension
from reconciler.model.outcome import Report
from reconciler.model.passed import Passed
from reconciler.model.plan import Plan, Source
from reconciler.model.snapshot import Snapshot

EXITS: Mapping[str, int] = {
    "ok": 0, "in-sync": 0, "suspended": 0, "proposed": 2, "locked": 3, "lock-lost": 3, "not-trusted": 5,
    "needs-human": 6, "revocation-pending": 7,
}  # fmt: skip
"""By verdict; 1 for every other one."""
_INTERVAL = 300.0


@dataclass(frozen=True, slots=True)
class Doors:
    """What a pass goes through: `tools(journal=...)` as wiring makes them; `stopping`: shall it end soon?"""

    kinds: Sequence[Kind]
    tools: Callable[..., AbstractContextManager[Tools]]
    stopping: Callable[[], bool] = field(default=lambda: False)
    note: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Found:
    """The commit a pass stands on, its specs, and what was wrong with a newer one."""

    commit: Commit
    wanted: Wanted
    source: Source
    wrong: ReconcilerError | None = None
    newest: Commit = field(default_factory=Commit)


def pass_over(fleet: FleetSettings, blank: Passed, memory: Memory, doors: Doors) -> tuple[Passed, Memory, float]:
    """The record of the pass, what the next one takes over, and the seconds until then; raises nothing of the tree."""
    journal = FileJournal()
    blank = replace(blank, run=journal.run, fleet=fleet.name, controller=socket.gethostname())
    interval = _INTERVAL
    with doors.tools(journal=journal) as tools:
        tools = replace(tools, stopping=doors.stopping)
        blank = replace(blank, began=tools.clock.now())
        try:
            found = _find(fleet, memory, doors)
            interval = found.wanted.fleet.interval
            memory = memory if found.wrong else replace(memory, good=found.commit)
            journal.commit = found.commit.sha
            blank = replace(blank, commit=found.commit, mode=found.wanted.fleet.mode)
            passed = _pass(found, blank, memory, doors, tools)
            if found.wrong:
                passed = _wrong(replace(passed, commit=found.newest), found.wrong)
        except (ReconcilerError, OSError, ValueError) as error:
            passed = _wrong(blank, error)
        passed = replace(passed, ended=tools.clock.now())
    return passed, replace(memory, standings=passed.standings or memory.standings), interval


def _find(fleet: FleetSettings, memory: Memory, doors: Doors) -> Found:
    """The newest commit where it is good, else the last good one; raises what is wrong where there is none."""
    folder = state_folder() / "repositories" / fleet.name
    repository = Repository(fleet.repo, fleet.branch, folder / "mirror", fleet.identity_file, fleet.known_hosts_file)
    newest = Commit()
    try:
        newest = repository.commit(repository.fetch())
        newest = replace(newest, signer=repository.signer(newest.sha, fleet.trust, folder))
        if not repository.descends(newest.sha, memory.good.sha):
            fix = "was the branch rewound? commit the old state anew, as with git revert"
            raise NotTrusted(
                newest.sha, f"it does not descend from {memory.good.sha[:12]}, which was applied before", fix
            )
        return _specs(fleet, repository, newest, folder / "tree", doors)
    except (ReconcilerError, ValueError) as wrong:
        if not memory.good.sha:
            raise
        known = wrong if isinstance(wrong, ReconcilerError) else ReconcilerError(str(wrong))
        found = _specs(fleet, repository, memory.good, folder / "good", doors)
        fleet_ = replace(found.wanted.fleet, suspension=Suspension(0, "the newest commit is not taken"))
        wanted = replace(found.wanted, fleet=fleet_)
        return replace(found, wanted=wanted, wrong=known, newest=newest if newest.sha else memory.good)


def _specs(fleet: FleetSettings, repository: Repository, commit: Commit, tree: Path, doors: Doors) -> Found:
    repository.checkout(commit.sha, tree, "" if fleet.path == "." else fleet.path)
    path = str(tree / fleet.path)
    cache = SpecCache(path, yaml_read.__file__)
    wanted = want(FolderSource(path), doors.kinds, cache)
    cache.save()
    return Found(commit, wanted, Source(fleet.path, commit.sha, False, commit.sha))


def _pass(found: Found, blank: Passed, memory: Memory, doors: Doors, tools: Tools) -> Passed:
    """see, think, hold, act, stand."""
    wanted = found.wanted

    def look() -> tuple[Plan, Snapshot]:
        seen = see(wanted, doors.kinds, tools)
        return hold(think(wanted, seen, doors.kinds, found.source), wanted, seen.taken), seen

    made, seen = look()
    passed = replace(blank, plan=_shown(made), leases_open=len(list(seen.of("lease"))))
    report = Report(tools.journal.run, refusals=made.refusals)
    tools.at("loop.planned")
    if made.actions:
        tools.journal.write("pass", fleet=blank.fleet, trigger=blank.trigger, by=blank.by)
        try:
            with Acting(wanted, doors.kinds, tools, doors.note) as acting:
                made, seen = acting.take(made, seen, 0.0, look)
                report = acting.act(made, seen, tools)
        except Locked as error:
            passed = _wrong(passed, error)
        else:
            pending = sum(o.facts.get("pending") == "revocation" for o in report.outcomes)
            passed = replace(passed, outcomes=report.outcomes, left=report.left, leases_open=pending)
    if passed.verdict != "locked":
        passed = _judged(passed, made, wanted, report)
    before = {standing.place: standing for standing in memory.standings}
    stood = unhealed(standings(made, wanted, seen, before, seen.taken), made, report.outcomes)
    return replace(passed, standings=stood, applied=bool(report.outcomes) and found.wrong is None)


def _judged(passed: Passed, made: Plan, wanted: Wanted, report: Report) -> Passed:
    verdict: str = report.verdict
    if verdict == "ok" and not report.outcomes:
        paused = suspended(wanted.fleet, made.made)
        verdict = "suspended" if paused else "proposed" if made.held else "in-sync"
    return replace(passed, verdict=verdict, exit=EXITS.get(verdict, 1))


def _wrong(passed: Passed, error: Exception) -> Passed:
    """A pass that could not do what it is for."""
    verdicts: dict[type[Exception], str] = {
        NotTrusted: "not-trusted", SpecError: "spec-error", Locked: "locked", NeedsHuman: "needs-human",
    }  # fmt: skip
    verdict = next((word for type_, word in verdicts.items() if isinstance(error, type_)), "error")
    return replace(passed, verdict=verdict, exit=EXITS.get(verdict, 1), error=str(error))


def _shown(made: Plan) -> Mapping[str, Any]:
    """As `plan -o json` shows it, without the print of every object."""
    data = {name: value for name, value in planfile.as_data(made).items() if name != "touched"}
    plain: Mapping[str, Any] = json.loads(json.dumps(data, default=str))
    return plain


def who() -> str:
    """The person or service at this machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
