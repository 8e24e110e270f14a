"""A local socket whose other end is a command's standard input and output on a host.

Moves bytes only; libvirt talks through it to its daemon over the connection that is open and checked already.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from typing import Any


class Tunnel:
    """Listens for one client at `path` and joins it to `channel` until either side ends or `close` is called."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._folder = tempfile.mkdtemp(prefix="reconciler-")
        self.path = os.path.join(self._folder, "libvirt")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._local: socket.socket | None = None
        self.closed = False
        channel.settimeout(None)
        threading.Thread(target=self._accept, daemon=True, name="tunnel-in").start()

    @property
    def complaint(self) -> str:
        """What the remote command said on standard error so far."""
        text = b""
        while self._channel.recv_stderr_ready():
            text += self._channel.recv_stderr(4096)
        return text.decode(errors="replace").strip()

    def close(self) -> None:
        """End both sides; whoever waits on the local one gets an end of file at once."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._listener.close()
        if self._local is not None:
            with contextlib.suppress(OSError):
                self._local.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, EOFError):
            self._channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        try:
            self._local, _ = self._listener.accept()
        except OSError:
            return
        threading.Thread(target=self._outward, daemon=True, name="tunnel-out").start()
        with contextlib.suppress(OSError, EOFError):
            while data := self._channel.recv(65536):
                self._local.sendall(data)
        self.close()

    def _outward(self) -> None:
        local = self._local
        if local is None:
            return
        with contextlib.suppress(OSError, EOFError):
            while data := local.recv(65536):
                self._channel.sendall(data)
        self.close()
