"""Tells on stderr what is going on and how long each step took.

It must not write to stdout, which belongs to data.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_lock = threading.Lock()


def say(text: str) -> None:
    """One line, whole, whichever thread speaks."""
    with _lock:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step that may last, and its elapsed time at the end."""
    began = time.monotonic()
    say(f"  {text} ...")
    yield
    say(f"  {text}: {time.monotonic() - began:.1f} s")


def together(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the same for each item at the same time; the first failure is raised after all have ended."""
    listed = list(items)
    if not listed:
        return []
    with ThreadPoolExecutor(max_workers=len(listed)) as pool:
        futures = [pool.submit(work, item) for item in listed]
    return [future.result() for future in futures]
