"""Passes a minute of one to three controllers on one PostgreSQL: `python -m tests.bench.loop [FLEETS] [PASSES]`.

Real passes from a real repository over fleets in memory, each a second longer than it takes, as if hosts were slow.
"""

import sys
import tempfile
import time
from pathlib import Path

from reconciler.loop.ledger import Ledger
from tests.fakes.fleets import settled
from tests.origin import Origin
from tests.postgres import cluster, made
from tests.unit.loop.crew import crew


def measure(database: str, folder: Path, controllers: int, fleets: int, passes: int) -> tuple[float, float]:
    """Passes per minute, and the longest time from a pass that ended to the next of that fleet, seconds."""
    names = tuple(f"f{number:02}" for number in range(fleets))
    with crew(database, folder, fleets=names, every=5.0, module="tests.unit.loop.simulated") as team:
        team.log = folder / f"log-{controllers}"
        for _ in range(controllers):
            team.start(seconds=1.0)
        team.until(fleets, seconds=120)
        ledger = Ledger(database)
        began = time.time()
        for number in range(passes):
            for name in names:
                ledger._enqueue(f"{name}/bench-{number:04}", name, "trigger", "bench")
        ends = team.until(fleets * (passes + 1), seconds=900)[fleets:]
        ledger.close()
    waits = [
        begin.when - max(end.when for end in ends if end.fleet == begin.fleet and end.when <= begin.when)
        for begin in team.lines("begin")
        if any(end.fleet == begin.fleet and end.when <= begin.when for end in ends)
    ]
    return len(ends) / (max(line.when for line in ends) - began) * 60, max(waits)


def main(fleets: int = 12, passes: int = 10) -> None:
    with cluster() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Origin(folder / "origin").commit({"specs/fleet.yaml": settled(web="lq-d25").specs.text})
        print(f"{fleets} fleets, {passes} passes each of a second and its own work")
        print("| controllers | passes a minute | each | longest pause between two passes of a fleet |")
        print("| --- | --- | --- | --- |")
        for controllers in (1, 2, 3):
            rate, pause = measure(made(url), folder, controllers, fleets, passes)
            print(f"| {controllers} | {rate:.0f} | {rate / controllers:.0f} | {pause:.1f} s |", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
