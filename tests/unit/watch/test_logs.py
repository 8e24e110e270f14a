"""Logs are JSON where no person looks, carry run, commit, object and step, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.journal import FileJournal
from reconciler.adapters.logs import GONE, Redaction, configure, passes, steps
from reconciler.model.commit import Commit
from reconciler.model.outcome import Outcome, Progress
from reconciler.model.passed import Passed

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----"
SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz0123456789+_", min_size=16, max_size=40)
CARRIERS = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n{} (cut off",
    "postgresql://reconciler:{}@db.example.com/x",
    "cannot fetch https://x-access-token:{}@git.example.com/a.git",
    "Authorization: Bearer {}",
    "PGPASSWORD={} psql",
    '{{"token": "{}"}}',
    "password: {}",
    "api_key='{}'",
    "https://hooks.slack.com/services/T0/B0/{}",
    "https://chat.example.com/hooks/{}",
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_pass_and_its_steps(tmp_path: Path) -> None:
    stream = io.StringIO()
    log = configure(stream=stream)
    journal = FileJournal(tmp_path)
    tell = steps(log, journal)
    journal.commit = "abc"
    tell(Progress("vm/web@b:move-live", "copying"))
    tell(Outcome("vm/web@b:move-live", "done", "96 MiB in 1.2 s", seconds=1.2))
    tell(Outcome("lease/x@b:revoke", "failed", "no answer"))
    passes(log)(
        Passed(journal.run, "vpd", commit=Commit("abc"), verdict="failed", exit=1, began=1, ended=3, error="why")
    )
    one, two, three = lines(stream)
    assert (one["object"], one["step"], one["level"]) == ("vm/web@b", "move-live", "info")
    assert {(line["run"], line["commit"]) for line in (one, two, three)} == {(journal.run, "abc")}
    assert two["level"] == "warning"
    assert (three["commit"], three["fleet"], three["seconds"], three["error"]) == ("abc", "vpd", 2, "why")
    assert all("timestamp" in line for line in (one, two, three))


def test_other_loggers_write_the_same_way() -> None:
    stream = io.StringIO()
    configure(("hush-hush",), stream)
    logging.getLogger("reconciler.loop").warning("of %s", "hush-hush and password=abc123")
    try:
        raise ValueError("token=abcdef in a traceback")
    except ValueError:
        logging.getLogger("reconciler.loop").exception("pass of fleet %s", "vpd")
    one, two = lines(stream)
    assert one["event"] == f"of {GONE} and password={GONE}"
    assert "abcdef" not in json.dumps(two)
    assert "ValueError" in two["exception"]


def test_for_people_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure(stream=stream).info("pass ok", run="r1", note=KEY)
    assert "pass ok" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
    assert "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU" not in stream.getvalue()


@given(SECRETS, st.sampled_from(CARRIERS), st.sampled_from(["event", "deep", "list", "exception", "object"]))
def test_no_secret_gets_out(secret: str, carrier: str, where: str) -> None:
    """Private keys, passwords, tokens and webhooks, whole or cut off, wherever in an event they lie."""
    text = carrier.format(secret)
    inside: dict[str, Any] = {
        "event": {"event": text},
        "deep": {"event": "x", "facts": {"a": {"b": text}}},
        "list": {"event": "x", "all": [(text,), {"c": [text]}]},
        "exception": {"event": "x", "error": ValueError(text)},
        "object": {"event": "x", "said": text.encode()},
    }[where]
    assert secret not in json.dumps(Redaction()(None, "info", inside), default=str)


@given(SECRETS, st.sampled_from(["password", "private_key", "webhook_url", "Authorization", "apiKey", "access_token"]))
def test_what_is_named_like_a_secret_is_one(secret: str, name: str) -> None:
    assert secret not in json.dumps(Redaction()(None, "info", {"event": "x", "deep": [{name: {"v": secret}}]}))


def test_what_is_no_secret_stays() -> None:
    plain = {
        "event": "move live lq-d25 -> lq-d26 (tunnelled)",
        "commit": "a" * 40,
        "key": "ssh-ed25519 AAAAC3Nza",
        "n": 3,
    }
    assert Redaction()(None, "info", dict(plain)) == plain
