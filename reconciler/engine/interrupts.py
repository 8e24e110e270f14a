"""Ctrl-C while a plan is walked: the first is noted until a safe moment, the second ends the walk at once.

It only listens, and puts back what listened before; what an interrupt means is the walk's business.
"""

import signal
import threading
from types import FrameType
from typing import Any


class Interrupts:
    """Use as a context manager. In other threads than the main one, and where a signal is ignored, nothing changes."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
