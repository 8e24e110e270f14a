"""Real passes over the fleet in memory, from a real repository: what the commit says, and what is done about it.

No queue here; that is test_durable. The command line over both is in tests/unit/commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.journal import FileJournal, state_folder
from reconciler.adapters.lock import held
from reconciler.adapters.trust import Trust
from reconciler.engine.once import Tools
from reconciler.loop.history import Memory, passes, recorded, remembered
from reconciler.loop.passing import Doors, pass_over
from reconciler.loop.settings import FleetSettings
from reconciler.model.passed import Passed
from reconciler.wiring import KINDS
from tests.fakes.fleets import settled
from tests.origin import Origin, ssh_key


class Kept:
    """A fleet, the repository of its specs, and what its passes left for the next one."""

    def __init__(self, folder: Path) -> None:
        self.fleet = settled(web="lq-d25")
        self.fleet.world.pass_time(60)
        self.origin = Origin(folder / "origin")
        self.settings = FleetSettings(name="vpd", repo=str(self.origin.bare), path="specs")
        self.memory = Memory()
        self.interval = 0.0
        self.stopping = False
        self.journal: FileJournal

    def commit(self, text: str = "", **how: Any) -> str:
        return self.origin.commit({"specs/fleet.yaml": text or self.fleet.specs.text}, **how)

    def mode(self, mode: str) -> str:
        return self.commit(self.fleet.specs.text.replace("spec: {defaults", f"spec: {{mode: {mode}, defaults", 1))

    def make(self) -> Passed:
        @contextmanager
        def tools(**given: Any) -> Iterator[Tools]:
            self.journal = given["journal"]
            yield replace(self.fleet.tools, journal=given["journal"])

        doors = Doors(KINDS, tools, lambda: self.stopping)
        made, memory, self.interval = pass_over(self.settings, Passed("", "", "once", "me"), self.memory, doors)
        self.memory = remembered(recorded(made, memory))
        self.fleet.world.pass_time(60)
        return made

    @property
    def where(self) -> list[tuple[str, str]]:
        return self.fleet.world.where("web")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = Kept(tmp_path)
    yield made
    assert made.fleet.world.violations == []
    assert made.fleet.world.residue() == []


def test_a_commit_is_applied_and_then_there_is_nothing_to_do(kept: Kept) -> None:
    kept.fleet.place(web="lq-d26")
    sha = kept.commit(subject="web goes")
    made = kept.make()
    assert (made.verdict, made.exit, made.applied) == ("ok", 0, True)
    assert (made.commit.sha, made.commit.subject, made.commit.author) == (sha, "web goes", "Ann <ann@example.com>")
    assert (kept.journal.run, kept.journal.commit) == (made.run, sha), "as each action is logged"
    assert kept.where == [("lq-d26", "running")]
    assert {outcome.action for outcome in made.outcomes} == {action["id"] for action in made.plan["actions"]}
    again = kept.make()
    assert (again.verdict, again.exit, again.applied, again.outcomes) == ("in-sync", 0, False, ())
    assert kept.memory.good.sha == sha


def test_the_interval_is_of_the_specs(kept: Kept) -> None:
    kept.commit(kept.fleet.specs.text.replace("spec: {defaults", "spec: {interval: 7m, defaults", 1))
    kept.make()
    assert kept.interval == 420.0


@pytest.mark.parametrize(("mode", "verdict"), [("observe", "proposed"), ("propose", "proposed")])
def test_other_modes_only_say_what_they_would_do(kept: Kept, mode: str, verdict: str) -> None:
    kept.fleet.place(web="lq-d26")
    kept.mode(mode)
    made = kept.make()
    assert (made.verdict, made.exit, made.mode, made.applied) == (verdict, 2, mode, False)
    assert any("move live" in held["text"] for held in made.plan["held"])
    assert kept.where == [("lq-d25", "running")]


def test_suspended_nothing_is_changed(kept: Kept) -> None:
    kept.fleet.place(web="lq-d26")
    kept.commit(kept.fleet.specs.text.replace("spec: {defaults", "spec: {suspend: true, defaults", 1))
    made = kept.make()
    assert (made.verdict, made.exit) == ("suspended", 0)
    assert kept.where == [("lq-d25", "running")]


def test_mistakes_in_a_commit_leave_the_last_good_one_observed(kept: Kept) -> None:
    good = kept.commit()
    kept.make()
    bad = kept.commit(kept.fleet.specs.text + "\n---\nkind: Nonsense\n")
    kept.fleet.host("lq-d25").units["libvirtd"] = ("active", "disabled")
    kept.fleet.zone("lq-d26").services.discard("cockpit")
    made = kept.make()
    assert (made.verdict, made.exit, made.commit.sha) == ("spec-error", 1, bad)
    assert "Nonsense" in made.error
    assert made.plan["source"]["commit"] == good
    assert made.plan["held"], "the drift is seen"
    assert not made.outcomes, "and not healed"
    assert "cockpit" not in kept.fleet.zone("lq-d26").services
    assert kept.memory.good.sha == good
    kept.commit()
    assert kept.make().verdict == "ok"
    assert "cockpit" in kept.fleet.zone("lq-d26").services


def test_a_rewound_branch_is_refused(kept: Kept) -> None:
    first = kept.commit()
    kept.make()
    kept.fleet.place(web="lq-d26")
    second = kept.commit()
    assert kept.make().verdict == "ok"
    kept.origin.push(first)
    made = kept.make()
    assert (made.verdict, made.exit, made.commit.sha) == ("not-trusted", 5, first)
    assert f"it does not descend from {second[:12]}" in made.error
    assert kept.where == [("lq-d26", "running")]
    assert kept.memory.good.sha == second


def test_unsigned_and_strange_signers_are_refused(kept: Kept, tmp_path: Path) -> None:
    public = ssh_key(tmp_path / "keys/ann")
    (tmp_path / "signers").write_text(f"ann@example.com {public}\n", encoding="utf-8")
    kept.settings = replace(kept.settings, trust=Trust("head", str(tmp_path / "signers")))
    kept.commit()
    made = kept.make()
    assert (made.verdict, made.exit, made.applied) == ("not-trusted", 5, False)
    assert "it is not signed" in made.error
    kept.origin.settings = [f"user.signingkey={tmp_path}/keys/ann"]
    kept.commit(sign="ssh")
    made = kept.make()
    assert (made.verdict, made.commit.signer.split()[0]) == ("in-sync", "ann@example.com")
    ssh_key(tmp_path / "keys/eve")
    kept.origin.settings = [f"user.signingkey={tmp_path}/keys/eve"]
    kept.fleet.place(web="lq-d26")
    kept.commit(sign="ssh")
    assert kept.make().verdict == "not-trusted"
    assert kept.where == [("lq-d25", "running")]


@pytest.mark.parametrize("where", ["tree", "good"])
def test_signers_listed_in_the_loops_own_checkout_are_refused(kept: Kept, tmp_path: Path, where: str) -> None:
    """Whoever may commit would list himself there."""
    listed = state_folder() / "repositories" / kept.settings.name / where / "signers"
    listed.parent.mkdir(parents=True)
    listed.write_text(f"ann@example.com {ssh_key(tmp_path / 'keys/ann')}\n", encoding="utf-8")
    kept.settings = replace(kept.settings, trust=Trust("head", str(listed)))
    kept.origin.settings = [f"user.signingkey={tmp_path}/keys/ann"]
    kept.commit(sign="ssh")
    made = kept.make()
    assert (made.verdict, made.exit, made.applied) == ("not-trusted", 5, False)
    assert "lies inside the repository" in made.error


def test_an_emptied_repository_changes_nothing(kept: Kept) -> None:
    kept.commit()
    kept.make()
    kept.origin.commit({"specs/fleet.yaml": None, "README": "moved"})
    made = kept.make()
    assert (made.exit, made.outcomes) == (1, ())
    assert "no file below specs" in made.error
    assert kept.where == [("lq-d25", "running")]


def test_how_objects_stand_is_remembered_and_a_fight_is_told(kept: Kept) -> None:
    kept.commit()
    made = kept.make()
    assert {standing.word for standing in made.standings} == {"in-sync"}
    words = []
    for _ in range(5):
        kept.fleet.zone("lq-d26").services.discard("cockpit")
        made = kept.make()
        drifted = [standing for standing in made.standings if standing.word != "in-sync"]
        words.append((str(drifted[0].place), drifted[0].word, drifted[0].healed, drifted[0].fight, made.verdict))
    place = "firewall/compute@lq-d26"
    assert words[:2] == [(place, "drifted", 0, False, "ok"), (place, "drifted", 1, False, "ok")]
    assert words[-1] == (place, "drifted", 4, True, "ok")
    assert {standing.word for standing in kept.make().standings} == {"in-sync"}


def test_no_repository_no_commit_no_guess(kept: Kept) -> None:
    made = kept.make()
    assert (made.verdict, made.exit, made.plan) == ("error", 1, {})
    assert "has no branch main" in made.error


def test_locked_by_another_run_it_waits_for_the_next_interval(kept: Kept) -> None:
    kept.fleet.place(web="lq-d26")
    kept.commit()
    with held("vpd", "another"):
        made = kept.make()
    assert (made.verdict, made.exit) == ("locked", 3)
    assert "run another" in made.error
    assert kept.make().verdict == "ok"


def test_asked_to_stop_it_begins_nothing_and_closes_what_is_open(kept: Kept) -> None:
    kept.fleet.place(web="lq-d26")
    kept.commit()
    kept.stopping = True
    made = kept.make()
    assert made.verdict == "failed"
    assert {outcome.text for outcome in made.outcomes if outcome.status == "skipped"} >= {"interrupted"}
    assert kept.where == [("lq-d25", "running")]
    kept.stopping = False
    assert kept.make().verdict == "ok"


def test_local_runs_are_part_of_the_history(kept: Kept) -> None:
    kept.fleet.place(web="lq-d26")
    kept.commit()
    made = kept.make()
    listed = passes(None, state_folder() / "runs")
    assert [(one.run, one.fleet, one.trigger, one.by, one.verdict) for one in listed] == [
        (made.run, "vpd", "once", "me", "ok")
    ]
    assert {one.action for one in listed[0].outcomes} == {one.action for one in made.outcomes}
