"""Structured logs: for people on a terminal, JSON otherwise; and no secret, whatever a message carries.

The only door to structlog; what is logged is the caller's, how it looks and what is blotted out is here.
"""

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from reconciler.adapters.journal import FileJournal
from reconciler.model.outcome import Outcome, Progress
from reconciler.model.passed import Passed

GONE = "[redacted]"
_NAMES = re.compile(r"(?i)(pass(word|phrase|wd)|secret|token|private|credential|authorization|api.?key|webhook)")
_TEXTS = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.S), GONE),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@]+@", re.I), rf"\1{GONE}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {GONE}"),
    (re.compile(r"(?i)\b([a-z_-]*(?:password|passwd|passphrase|secret|token|api[_-]?key))(\"?'?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)"),
     rf"\1\2{GONE}"),
    (re.compile(r"(?i)https?://[^\s\"']*(?:hooks?|webhook)[^\s\"']*"), GONE),
)  # fmt: skip


class Redaction:
    """A structlog processor; `secrets` are texts that are known, such as the webhook's URL."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self.clean(value, key) for key, value in event.items()}

    def clean(self, value: Any, name: str = "") -> Any:
        """The same value with every secret blotted out, however deep it lies."""
        if _NAMES.search(name):
            return GONE
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            return self._text(value.decode(errors="replace"))
        if isinstance(value, Mapping):
            return {self._text(str(key)): self.clean(item, str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item) for item in value]
        return value if isinstance(value, int | float | bool | None) else self._text(str(value))

    def _text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, GONE)
        for pattern, instead in _TEXTS:
            text = pattern.sub(instead, text)
        return text


def configure(secrets: tuple[str, ...] = (), stream: TextIO | None = None) -> Any:
    """The program's logger; the standard library's loggers write through it too."""
    out = stream or sys.stderr
    human = out.isatty()
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Redaction(secrets),
    ]
    show = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(default=str)
    handler = logging.StreamHandler(out)
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_message, *before], processors=[strip, Redaction(secrets), show]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("paramiko").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger("reconciler")


def _message(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event


def steps(log: Any, journal: FileJournal) -> Callable[[Progress | Outcome], None]:
    """Hears a pass at work: each action's end, with its object and step. Progress in between is not logged."""

    def tell(event: Progress | Outcome) -> None:
        if isinstance(event, Progress):
            return
        place, _, step = event.action.rpartition(":")
        level = log.warning if event.status in ("failed", "skipped") else log.info
        words = {"run": journal.run, "commit": journal.commit, "object": place, "step": step}
        level(event.text or event.status, **words, status=event.status, seconds=event.seconds)

    return tell


def passes(log: Any) -> Callable[[Passed], None]:
    """A listener: one line for each pass."""

    def tell(passed: Passed) -> None:
        level = log.info if passed.exit in (0, 2) else log.error
        off = [str(standing.place) for standing in passed.standings if standing.word not in ("in-sync",)]
        words = {"error": passed.error} if passed.error else {}
        level(
            f"pass {passed.verdict}",
            run=passed.run,
            fleet=passed.fleet,
            commit=passed.commit.sha,
            trigger=passed.trigger,
            actions=len(passed.outcomes),
            seconds=round(passed.ended - passed.began, 3),
            **({"not_in_sync": off} if off else {}),
            **words,
        )

    return tell
