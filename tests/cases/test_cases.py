"""Runs every folder beside it: specs and a snapshot give a plan, in the command line's own words.

Each case also obeys law 1 (the effects leave nothing to do) and gives the same plan twice; it asks no host.
"""

import itertools
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reconciler.adapters.spec_source import FolderSource
from reconciler.cli.app import app
from reconciler.engine import planfile
from reconciler.engine.codec import dump_snapshot, read_snapshot
from reconciler.engine.once import Wanted, think, want
from reconciler.engine.yaml_read import load_plain
from reconciler.model.ref import Ref
from reconciler.model.snapshot import Snapshot
from reconciler.wiring import KINDS

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/snapshot.json"))


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the case outside git, so that no commit is printed; the working directory is in it."""
    copy = tmp_path / "case"
    shutil.copytree(HERE / request.param, copy)
    monkeypatch.chdir(copy)
    return HERE / request.param


def _options(folder: Path) -> list[str]:
    """The case's own command line options, one word a line."""
    file = folder / "options.txt"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def _targets(folder: Path) -> list[str]:
    words = _options(folder)
    return [value for option, value in itertools.pairwise(words) if option == "--target"]


def _world() -> tuple[Wanted, Snapshot]:
    text = Path("snapshot.json").read_text(encoding="utf-8")
    return want(FolderSource("."), KINDS), read_snapshot(load_plain(text), KINDS)


def test_the_plan_is_as_expected(case: Path, accept: bool) -> None:
    command = ["plan", "--snapshot", "snapshot.json", "--detailed-exitcode", *_options(case)]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, SystemExit | None), result.exception
    said = f"{result.output}exit {result.exit_code}\n"
    expected = case / "plan.txt"
    if accept:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8"), "if the new plan is right: pytest tests/cases --accept"
    assert CliRunner().invoke(app, command).output == result.output, "planned twice, said otherwise"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in HERE.glob("*/comment.md")))
def test_the_comment_is_as_expected(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accept: bool) -> None:
    """A few cases show their plan as a pull request's comment too."""
    shutil.copytree(HERE / name, tmp_path / "case")
    monkeypatch.chdir(tmp_path / "case")
    command = ["plan", "--snapshot", "snapshot.json", "-o", "markdown", "--link", "https://ci.example.com/job/7"]
    said = CliRunner().invoke(app, [*command, *_options(HERE / name)]).stdout
    expected = HERE / name / "comment.md"
    if accept:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8"), "if the new comment is right: pytest tests/cases --accept"


def test_the_effects_leave_nothing_to_do(case: Path) -> None:
    wanted, seen = _world()
    made = think(wanted, seen, KINDS, target=_targets(case))
    after = seen
    for action in made.actions:
        after = action.effect(after)
    again = think(wanted, after, KINDS, target=_targets(case))
    refused = {refusal.place.ref for refusal in made.refusals} | {Ref("vm", name) for name in made.forecast.later}
    assert {difference.place.ref for difference in again.differences} <= refused
    assert refused or [action.id for action in again.actions] == []
    assert {refusal.place for refusal in again.refusals} <= {refusal.place for refusal in made.refusals}


def test_the_plan_file_holds_the_same_plan(case: Path) -> None:
    wanted, seen = _world()
    made = think(wanted, seen, KINDS, target=_targets(case))
    source = FolderSource(".")
    again, texts, _ = planfile.read(planfile.write(made, source.files(), {}), KINDS)
    assert (again.actions, again.refusals, again.touched) == (made.actions, made.refusals, made.touched)
    assert [text for _, text in texts] == [text for _, text in source.files()]


def test_the_snapshot_is_read_and_written_alike(case: Path) -> None:
    _, seen = _world()
    assert read_snapshot(dump_snapshot(seen), KINDS) == seen


def test_there_are_cases() -> None:
    assert len(CASES) >= 25
    assert all((HERE / name / "plan.txt").exists() for name in CASES)
