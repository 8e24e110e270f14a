"""A controller in a process of its own whose passes are real ones, from a real repository, over fleets in memory.

Each process has worlds of its own. `python -m tests.unit.loop.simulated DATABASE LOG EVERY INTERVAL SECONDS FLEET...`:
the repository is `origin/fleet.git` beside LOG, a pass takes SECONDS longer than it does, as if hosts were slow.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.engine.once import Tools
from reconciler.loop.durable import Asked, Controller
from reconciler.loop.passing import Doors
from reconciler.loop.serving import Service
from reconciler.loop.settings import FleetSettings, Settings
from reconciler.wiring import KINDS
from tests.fakes.fleets import Fleet, settled


def main(database: str, log: str, every: str, interval: str, seconds: str, *names: str) -> None:
    folder = Path(log).parent
    os.environ["XDG_STATE_HOME"] = str(folder / f"state-{os.getpid()}")
    worlds: dict[str, Fleet] = {}

    def said(word: str, asked: Asked) -> None:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{time.time():.3f} {word} {asked.fleet} {asked.trigger} {os.getpid()}\n")

    def work(asked: Asked) -> tuple[Mapping[str, Any], float]:
        said("begin", asked)
        fleet = worlds.setdefault(asked.fleet, settled(web="lq-d25"))
        fleet.world.pass_time(60)

        @contextmanager
        def tools(**given: Any) -> Iterator[Tools]:
            yield replace(fleet.tools, journal=given["journal"])

        settings = Settings(
            {name: FleetSettings(name, str(folder / "origin/fleet.git"), path="specs") for name in names}
        )
        record, _ = Service(settings, Doors(KINDS, tools)).work(asked)
        assert record["passed"]["verdict"] == "in-sync", record["passed"]["error"]
        time.sleep(float(seconds))
        said("end", asked)
        return record, float(interval)

    with Controller(database, work, names, every=float(every)) as controller:
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM})
        controller.stop(30)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main(*sys.argv[1:])
