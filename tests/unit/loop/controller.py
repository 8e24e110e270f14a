"""A controller in a process of its own, whose pass only writes down when it began and ended: to be killed by tests.

python -m tests.unit.loop.controller DATABASE LOG EVERY INTERVAL SECONDS FLEET...
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.loop.durable import Asked, Controller


def main(database: str, log: str, every: str, interval: str, seconds: str, *fleets: str) -> None:
    def said(word: str, asked: Asked) -> None:
        line = f"{time.time():.3f} {word} {asked.fleet} {asked.trigger} {os.getpid()}\n"
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(line)

    def work(asked: Asked) -> tuple[Mapping[str, Any], float]:
        said("begin", asked)
        time.sleep(float(seconds))
        said("end", asked)
        count = int(asked.last.get("count", 0)) + 1
        return {"ended": time.time(), "count": count, "pid": os.getpid()}, float(interval)

    with Controller(database, work, fleets, every=float(every)) as controller:
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM})
        controller.stop(30)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main(*sys.argv[1:])
