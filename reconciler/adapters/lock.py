"""One apply at a time per fleet and machine: a lock the kernel takes away with its holder, also after kill -9.

The quick answer on one machine; controllers on two machines are kept apart by the hosts, in `fence`.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.adapters.journal import state_folder
from reconciler.errors import Locked


@contextmanager
def held(fleet: str, run: str, folder: Path | None = None) -> Iterator[None]:
    """Holds the fleet's lock; raises Locked naming holder, time and run when somebody has it."""
    locks = (folder or state_folder()) / "locks"
    locks.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(locks / f"{fleet}.json", os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(f"fleet {fleet}", _holder(file.read())) from None
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        file.truncate()
        json.dump(
            {
                "user": os.environ.get("USER", str(os.getuid())),
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "since": since,
                "run": run,
            },
            file,
        )
        file.flush()
        yield
        file.seek(0)
        file.truncate()


def _holder(text: str) -> str:
    try:
        data = json.loads(text)
        return f"{data['user']}@{data['host']} (process {data['pid']}) since {data['since']}, run {data['run']}"
    except (ValueError, KeyError, TypeError):
        return "somebody who began this very moment"
