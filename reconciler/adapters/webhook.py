"""A message to a webhook: JSON with a `text` that chat programs show, tried again for a while, in a thread of its own.

Never holds the pass that has something to tell: what cannot be sent in time is dropped and noted in the log. The URL
is a secret, for whoever has it may post: it comes from a file, and neither log nor error ever names it.
"""

import json
import logging
import os
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tenacity

from reconciler.errors import PlanError

MOST = 100
ATTEMPTS = 6
_log = logging.getLogger("reconciler.webhook")


class _Not(urllib.request.HTTPRedirectHandler):
    """A redirect would give the message to somebody nobody named."""

    def redirect_request(self, *_: Any) -> None:
        return None


def read_url(path: Path) -> str:
    """The URL in a file for its owner only; raises PlanError, without the URL in it."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"cannot read the webhook's URL: {path}: {type(error).__name__}") from None
    if mode & _readable_by_others(path):
        raise PlanError(f"{path} can be read by others, and holds a secret", f"chmod 600 {path}")
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or any(c.isspace() for c in text):
        raise PlanError(f"{path} holds no URL of a webhook", "write one line, https://...")
    return text


def _readable_by_others(path: Path) -> int:
    """The bits that must not be there. A credential of systemd shows the group's where an ACL lets the service in."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return 0o037 if credentials and path.parent == Path(credentials) else 0o077


class Webhook:
    """Posts in the background; `close` gives what waits that many seconds more."""

    def __init__(self, url: str, *, timeout: float = 5.0, pause: float = 1.0, attempts: int = ATTEMPTS) -> None:
        self._url, self._timeout, self._pause, self._attempts = url, timeout, pause, attempts
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST)
        self._opener = urllib.request.build_opener(_Not)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
        self._thread.start()

    def post(self, message: Mapping[str, Any]) -> None:
        """Takes the message and returns at once."""
        try:
            self._waiting.put_nowait(json.dumps(message, default=str).encode())
        except queue.Full:
            _log.warning("a notification was dropped: %d wait already", MOST)

    def close(self, patience: float = 10.0) -> None:
        """No more messages."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            self._stop.set()
        self._thread.join(patience)
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            body = self._waiting.get()
            if body is None:
                return
            try:
                self._retried(body)
            except Exception as error:
                _log.warning("a notification was not delivered: %s", _said(error))

    def _retried(self, body: bytes) -> None:
        tenacity.Retrying(
            retry=tenacity.retry_if_exception(_again),
            wait=tenacity.wait_random_exponential(multiplier=self._pause, max=60.0),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self._attempts), tenacity.stop_when_event_set(self._stop)
            ),
            sleep=self._rest,
            reraise=True,
        )(self._send, body)

    def _rest(self, seconds: float) -> None:
        """Until the next try, or until the end."""
        self._stop.wait(seconds)

    def _send(self, body: bytes) -> None:
        head = {"Content-Type": "application/json", "User-Agent": "reconciler"}
        request = urllib.request.Request(self._url, body, head, method="POST")  # noqa: S310
        with self._opener.open(request, timeout=self._timeout) as answer:
            answer.read(4096)


def _again(error: BaseException) -> bool:
    """Another try may help: not where the other side said that the request itself is wrong."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in (408, 425, 429) or error.code >= 500
    return isinstance(error, OSError)


def _said(error: Exception) -> str:
    """What went wrong, in words that cannot hold the URL."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server said {error.code}"
    reason = getattr(error, "reason", error)
    return type(reason).__name__
