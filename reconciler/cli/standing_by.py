"""A long-running command between two signals: HUP asks for passes, TERM and INT for the end; systemd is told.

Signals only; what they mean is the command's.
"""

import os
import queue
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any


class Standby:
    """Use as a context manager, in the main thread."""

    patience = 1200.0
    """Seconds that a pass may go on after the first TERM; the second one ends it at once."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stopping = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Standby":
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        tell("STOPPING=1")
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stopping(self) -> bool:
        """Was the end asked for?"""
        return self._stopping

    def wait(self, hup: Callable[[], Any]) -> None:
        """Until the end is asked for; `hup` for each HUP."""
        tell("READY=1")
        while not self._stopping:
            try:
                number = self._heard.get(timeout=1.0)
            except queue.Empty:
                continue
            if number == signal.SIGHUP:
                hup()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._heard.put(number)
        elif self._stopping:
            os._exit(130)
        self._stopping = self._stopping or number != signal.SIGHUP


def tell(state: str) -> None:
    """systemd's sd_notify(3): a datagram to the socket it names, where it names one."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(state.encode(), "\0" + path[1:] if path.startswith("@") else path)
