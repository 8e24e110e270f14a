"""A host that never stops talking costs the deadline or the cap, whichever is first, and nothing else."""

import threading
import time
from typing import Any

import pytest

from reconciler.adapters import shell
from reconciler.errors import Unreachable
from reconciler.model.fleet import HostCard

CARD = HostCard("babbler", "babbler.lan", "10.0.0.1")


class _Channel:
    """A channel that always has one more piece to give."""

    def __init__(self, piece: bytes, pause: float) -> None:
        self._piece, self._pause = piece, pause
        self.status_event = threading.Event()
        self.closed = False

    def settimeout(self, seconds: float) -> None:
        """Each piece comes in time."""

    def shutdown_write(self) -> None:
        """Nothing is read there."""

    def recv(self, size: int) -> bytes:
        time.sleep(self._pause)
        return self._piece

    recv_stderr = recv

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("piece", "pause", "word"), [(b"x", 0.01, "did not end within 1 s"), (b"x" * 65536, 0.0, "MiB of output")]
)
def test_endless_output(monkeypatch: pytest.MonkeyPatch, piece: bytes, pause: float, word: str) -> None:
    channel = _Channel(piece, pause)
    monkeypatch.setattr(shell, "MAX_OUTPUT", 2**22)
    babbling = shell.SshShell()
    monkeypatch.setattr(babbling, "_begin", lambda *_: channel)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=word):
        babbling.run(CARD, ["yes"], deadline=1.0)
    assert time.monotonic() - began < 4
    assert channel.closed


def test_no_text_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[Any] = [b"\xff\xfe a \x80", b""]
    channel = _Channel(b"", 0)
    monkeypatch.setattr(channel, "recv", lambda size: pieces.pop(0))
    assert shell._drain(channel, channel.recv, time.monotonic() + 5) == "\ufffd\ufffd a \ufffd"
