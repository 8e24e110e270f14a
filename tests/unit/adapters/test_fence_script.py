"""The scripts that run on hosts for a lock, run here: one holder, no life after the end, and the guard in front.

The file is one of the test's own; everything else is as on a host.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.fence_script import END, GUARD, HOLD, LOCK, LOST, SAID

Held = subprocess.Popen[str]


class Host:
    """Runs the scripts, and ends what is left of them."""

    def __init__(self, folder: Path) -> None:
        self.file, self.running = folder / "lock", list[Held]()

    def start(self, script: str, *words: str, **marks: str) -> Held:
        process = subprocess.Popen(
            ["sh", "-c", script.replace(LOCK, str(self.file)), "sh", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **marks},
        )
        self.running.append(process)
        return process

    def hold(self, run: str, limit: str = "30") -> tuple[Held, list[str]]:
        process = self.start(HOLD, run, limit, f"somebody with {run}")
        assert process.stdout is not None
        return process, process.stdout.readline().split()

    def guarded(self, run: str, *words: str) -> Held:
        return self.start(GUARD, *words, RECONCILER_RUN=run)

    def state(self) -> list[str]:
        return self.file.read_text().split()[:2]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.communicate()


def said(process: Held) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_one_holds_it_and_the_other_is_told_who(host: Host) -> None:
    first, answer = host.hold("run-1")
    assert (answer[0], answer[2:]) == ("held", ["none", "none", "none"])
    second, refused = host.hold("run-2")
    assert refused == ["locked"]
    rest = second.stdout.read()  # type: ignore[union-attr]
    assert "somebody with run-1 since " in rest
    assert ", run run-1" in rest
    first.stdin.write("q")  # type: ignore[union-attr]
    first.stdin.flush()  # type: ignore[union-attr]
    assert said(first) == "ended released"
    assert host.state() == ["run-1", "released"]
    _, answer = host.hold("run-2")
    assert answer[3:] == ["run-1", "released"]
    assert 0 <= float(answer[1]) - float(answer[2]) < 20, "how long ago the last one left, by this host's uptime"


@pytest.mark.parametrize("how", ["expired", "closed", "unlocked"])
def test_the_end_of_a_lock_ends_its_runs_processes(host: Host, how: str) -> None:
    holder, _ = host.hold("run-1", "6" if how == "expired" else "30")
    work = host.guarded("run-1", "sh", "-c", "echo begun; sleep 60")
    assert said(work) == "begun"
    other = host.guarded("run-2", "sleep", "60")
    assert other.wait(10) == LOST
    if how == "closed":
        holder.stdin.close()  # type: ignore[union-attr]
        holder.stdin = None
    elif how == "unlocked":
        assert host.start(END, "run-1").wait(20) == 0
    assert said(holder) == f"ended {how}"
    assert work.wait(10) == -signal.SIGKILL
    assert host.state() == ["run-1", how]
    late = host.guarded("run-1", "touch", str(host.file) + ".late")
    assert late.wait(10) == LOST
    assert f"{SAID} run-1 {how}" in late.communicate()[1]
    assert not Path(str(host.file) + ".late").exists()


def test_heartbeats_keep_it(host: Host) -> None:
    holder, _ = host.hold("run-1", "6")
    for _ in range(9):
        time.sleep(0.8)
        holder.stdin.write(".")  # type: ignore[union-attr]
        holder.stdin.flush()  # type: ignore[union-attr]
    assert host.state() == ["run-1", "held"]
    done = host.guarded("run-1", "sh", "-c", "cat; exit 7")
    assert done.communicate("given")[0] == "given"
    assert done.returncode == 7


def test_a_killed_lock_process_is_found_by_the_next_holder(host: Host) -> None:
    """Its run works on until somebody else takes the lock."""
    holder, _ = host.hold("run-1")
    holder.kill()
    holder.wait()
    work = host.guarded("run-1", "sh", "-c", "echo begun; sleep 60")
    assert said(work) == "begun"
    _, answer = host.hold("run-2")
    assert answer[3:] == ["run-1", "held"]
    assert work.wait(10) == -signal.SIGKILL
    assert host.state() == ["run-2", "held"]


def test_a_lock_that_is_ending_is_waited_for(host: Host) -> None:
    """Nobody has to try again just because a killed run's last command takes its two seconds."""
    holder, _ = host.hold("run-1")
    assert said(host.guarded("run-1", "sh", "-c", "echo begun; sleep 60")) == "begun"
    holder.stdin.close()  # type: ignore[union-attr]
    holder.stdin = None
    while host.state() == ["run-1", "held"]:
        time.sleep(0.05)
    _, answer = host.hold("run-2")
    assert answer[3:] == ["run-1", "closed"]


def test_unlock_needs_the_id(host: Host) -> None:
    assert host.start(END, "run-1").wait(10) == 4
    host.hold("run-1")
    wrong = host.start(END, "run-2")
    assert "run run-1" in wrong.communicate()[0]
    assert wrong.returncode == 3
    assert host.state() == ["run-1", "held"]
    assert host.start(END, "run-1").wait(20) == 0
    assert host.start(END, "run-1").wait(10) == 4
