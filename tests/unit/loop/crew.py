"""Controllers of a test: begun, killed and stopped by their process ids, and what their passes wrote down."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Line:
    """A pass that began or ended."""

    when: float
    word: str
    fleet: str
    trigger: str
    pid: int


@dataclass
class Crew:
    """`every` is how often controllers look at each other, `interval` and `seconds` are of the passes."""

    database: str
    log: Path
    fleets: tuple[str, ...] = ("a",)
    every: float = 0.3
    interval: float = 3600.0
    seconds: float = 0.2
    module: str = "tests.unit.loop.controller"
    members: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *fleets: str, **changed: float) -> subprocess.Popen[str]:
        """One more controller, ready to work; of all fleets, or of these only."""
        numbers = {"every": self.every, "interval": self.interval, "seconds": self.seconds, **changed}
        words = [sys.executable, "-m", self.module, self.database, str(self.log)]
        words += [str(number) for number in numbers.values()] + list(fleets or self.fleets)
        made = subprocess.Popen(
            words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, stdout=subprocess.PIPE
        )
        self.members.append(made)
        assert made.stdout is not None
        assert made.stdout.readline() == "ready\n"
        return made

    def kill(self, member: subprocess.Popen[str]) -> None:
        member.send_signal(signal.SIGKILL)
        member.wait(10)
        self.members.remove(member)

    def stop(self) -> None:
        for member in self.members:
            member.terminate()
        for member in self.members:
            try:
                member.wait(20)
            except subprocess.TimeoutExpired:
                member.kill()
                member.wait(10)
        self.members.clear()

    def lines(self, word: str = "", fleet: str = "") -> list[Line]:
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        found = [line.split() for line in text.splitlines()]
        lines = [Line(float(w), said, of, trigger, int(pid)) for w, said, of, trigger, pid in found]
        return [line for line in lines if word in ("", line.word) and fleet in ("", line.fleet)]

    def until(self, count: int, word: str = "end", seconds: float = 30.0, fleet: str = "") -> list[Line]:
        """Wait for so many lines."""
        return wait_for(lambda: self.lines(word, fleet) if len(self.lines(word, fleet)) >= count else None, seconds)


def wait_for(attempt: Callable[[], _T | None], seconds: float = 30.0) -> _T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := attempt():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def overlaps(lines: list[Line], killed: set[int] = frozenset()) -> list[tuple[Line, Line]]:  # type: ignore[assignment]
    """Passes of one fleet that began while another of it ran; one that was killed ended with its process."""
    running: dict[str, Line] = {}
    found = []
    for line in sorted(lines, key=lambda line: line.when):
        before = running.get(line.fleet)
        if line.word == "begin":
            if before is not None and before.pid not in killed:
                found.append((before, line))
            running[line.fleet] = line
        elif before is not None and before.pid == line.pid:
            del running[line.fleet]
    return found


@contextmanager
def crew(database: str, folder: Path, **changed: object) -> Iterator[Crew]:
    made = Crew(database, folder / "log", **changed)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.stop()
