"""The journal of one run: a line of JSON per event, flushed to disk before the step it announces.

It explains afterwards; nothing reads it to decide anything (law 9).
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO


def state_folder() -> Path:
    """XDG_STATE_HOME/reconciler, by default ~/.local/state/reconciler."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base) / "reconciler"


class FileJournal:
    """A Journal in `folder/runs/RUN.jsonl`, from its first event on.

    Raises OSError when it cannot be written, which stops the pass.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.run = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + secrets.token_hex(3)
        runs = (folder or state_folder()) / "runs"
        runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = runs / f"{self.run}.jsonl"
        self.commit = ""
        """What the run stands on, for logs; known to whoever makes the run, once it is."""
        self._lock = threading.Lock()
        self._file: TextIO | None = None

    def write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), "event": event, **fields}, default=str)
        with self._lock:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8")
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


class NoJournal:
    """A Journal for passes that change nothing."""

    run = "none"

    def write(self, event: str, **fields: Any) -> None:
        return


def past_runs(folder: Path | None = None, most: int = 50) -> list[tuple[str, list[dict[str, Any]]]]:
    """This machine's last runs with their events, newest first, to be shown only; an unreadable line is no event."""
    runs = sorted(((folder or state_folder()) / "runs").glob("*.jsonl"), reverse=True)[:most]
    return [(path.stem, list(_events(path))) for path in runs]


def events_of(run: str) -> list[dict[str, Any]]:
    """One of this machine's runs; empty where it wrote nothing."""
    return list(_events(state_folder() / "runs" / f"{run}.jsonl"))


def _events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
