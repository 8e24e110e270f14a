"""The ready files for CI: they fit the code hosts' own schemas, and their shell lines run, with stand-ins for the APIs.

The hosts' answers are a snapshot of tests/cases; what `apply` would do is only checked for its options.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.engine.yaml_read import load_plain
from tests.docs.pages import ROOT
from tests.worlds import CASES, MOVE

CI = ROOT / "examples/ci"
GITHUB, GITLAB = CI / "github-actions.yml", CI / "gitlab-ci.yml"
RECONCILER = f"""#!{sys.executable}
import json, sys
from reconciler.cli.app import app
words = sys.argv[1:]
if words[0] == "snapshot":
    import shutil; shutil.copy("snapshot.json", words[words.index("--out") + 1]); sys.exit(0)
if words[0] == "plan" and "--snapshot" not in words:
    words += ["--snapshot", "snapshot.json"]
if words[0] == "apply":
    import typer
    command = typer.main.get_command(app).commands["apply"]
    command.make_context("apply", words[1:])
    print("applied", json.load(open(words[1]))["fleet"]); sys.exit(0)
app(words)
"""
GH = """#!/bin/sh
echo "$*" >> calls
case "$*" in
*--paginate*) cat comments ;;
*body=@comment.md*) cp comment.md posted ;;
esac
"""
CURL = """#!/bin/sh
echo "$*" >> calls
case "$*" in
*body@comment.md*) cp comment.md posted ;;
*) cat comments ;;
esac
"""


@pytest.mark.parametrize(("file", "schema"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")])
def test_a_file_fits_its_hosts_schema(file: Path, schema: str) -> None:
    words = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", schema, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _yaml(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


def _github(job: str) -> str:
    """All of a job's own lines but the installation, with the step's output as a shell variable."""
    steps = [step for step in _yaml(GITHUB)["jobs"][job]["steps"] if "run" in step and step["name"] != "Install"]
    return "\n".join(f"( set -e; {step['run']}\n)" for step in steps).replace(
        "${{ steps.plan.outputs.code }}", '"$(sed -n s/^code=//p "$GITHUB_OUTPUT")"'
    )


def _gitlab(job: str) -> str:
    found = _yaml(GITLAB)
    before = [line for line in found["default"]["before_script"] if not line.startswith("pip ")]
    return "\n".join([*before, *found[job]["script"]])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout with specs and stand-ins for the programs that reach out."""
    shutil.copytree(CASES / MOVE, tmp_path / "specs")
    (tmp_path / "specs/snapshot.json").rename(tmp_path / "snapshot.json")
    (tmp_path / "bin").mkdir()
    for name, text in (("reconciler", RECONCILER), ("gh", GH), ("curl", CURL)):
        (tmp_path / "bin" / name).write_text(text, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "key").write_text("the key\n", encoding="utf-8")
    (tmp_path / "comments").write_text("[]", encoding="utf-8")
    return tmp_path


def _run(place: Path, script: str) -> subprocess.CompletedProcess[str]:
    given = {
        "HOME": str(place),
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_OUTPUT": str(place / "output"),
        "GITHUB_REPOSITORY": "us/fleet",
        "PULL": "7",
        "JOB_URL": "https://ci.example.com/job/1",
        "CI_JOB_URL": "https://ci.example.com/job/1",
        "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "LOOK_KEY": "the key",
        "APPLY_KEY": "the key",
        "KNOWN_HOSTS": "known",
        "RECONCILER_KEY": str(place / "key"),
        "RECONCILER_KNOWN_HOSTS": str(place / "key"),
        "RECONCILER_NOTES_TOKEN": "secret-token",
        "GH_TOKEN": "secret-token",
    }
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=place,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("script", [_github("review"), _gitlab("review")], ids=["github", "gitlab"])
def test_a_review_comments_and_then_replaces_its_comment(place: Path, script: str) -> None:
    done = _run(place, script)
    assert done.returncode == 0, done.stdout + done.stderr
    posted = (place / "posted").read_text(encoding="utf-8")
    assert posted.startswith("<!-- reconciler plan: vpd -->\n")
    assert "https://ci.example.com/job/1" not in posted, "said only where something is left out"
    assert (place / "plan.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    calls = (place / "calls").read_text(encoding="utf-8")
    assert "POST" in calls
    assert "secret-token" not in calls, "a secret is never an argument"

    other = '{"id": 1, "body": "hello", "user": {"type": "Bot"}}'
    ours = '{"id": 42, "body": "<!-- reconciler plan: vpd -->\\nold", "user": {"type": "Bot"}}'
    (place / "comments").write_text(f"[{other}, {ours}]", encoding="utf-8")
    (place / "calls").unlink()
    (place / "output").unlink(missing_ok=True)
    assert _run(place, script).returncode == 0
    last = (place / "calls").read_text(encoding="utf-8").splitlines()[-1]
    assert "42" in last
    assert "POST" not in last


@pytest.mark.parametrize("script", [_github("review"), _gitlab("review")], ids=["github", "gitlab"])
def test_mistakes_are_commented_and_fail_the_check(place: Path, script: str) -> None:
    (place / "specs/more.yaml").write_text("kind: nonsense\n", encoding="utf-8")
    done = _run(place, script)
    assert done.returncode == 1
    assert "There is no plan for fleet <code>vpd</code>" in (place / "posted").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "script", [_github("apply"), _gitlab("plan") + "\n" + _gitlab("apply")], ids=["github", "gitlab"]
)
def test_what_is_merged_is_planned_and_applied_from_the_file(place: Path, script: str) -> None:
    done = _run(place, script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "run.html").read_text(encoding="utf-8") == "applied vpd\n"


def test_the_pre_commit_hook_runs(place: Path) -> None:
    (hook,) = load_plain((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "reconciler-validate"
    assert {"name", "entry", "language"} <= set(hook)
    done = _run(place, " ".join([hook["entry"], *hook["args"]]))
    assert done.returncode == 0, done.stderr
    (place / "specs/more.yaml").write_text("kind: nonsense\n", encoding="utf-8")
    assert _run(place, " ".join([hook["entry"], *hook["args"]])).returncode == 1


def test_the_look_key_lets_in_what_a_plan_sends_and_nothing_else(tmp_path: Path) -> None:
    """With stand-ins for what it starts; on real hosts this is tests/e2e/test_look_key.py."""
    for name in ("systemd-run", "virt-ssh-helper"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    def asked(command: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SSH_ORIGINAL_COMMAND": command, "SSH_CONNECTION": "a"}
        return subprocess.run(["sh", CI / "reconciler-look"], env=given, capture_output=True, text=True, check=False)

    from shlex import join

    from reconciler.adapters.hypervisor import _PROXY

    assert "User=reconciler-look" in asked("sh -s").stdout
    assert asked(join(_PROXY)).stdout == "virt-ssh-helper -r qemu:///system\n"
    for command in ("", "sh", "reboot", "sh -s; reboot", "sh -c reboot", "bash"):
        assert asked(command).returncode == 77, command
