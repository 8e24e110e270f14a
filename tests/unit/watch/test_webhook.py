"""Notifications arrive although the server fails first, are told once, hold nobody up, and never name their URL."""

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.webhook import MOST, Webhook, read_url
from reconciler.engine.once import Tools
from reconciler.errors import PlanError
from reconciler.loop.durable import Asked
from reconciler.loop.notices import Notices, message
from reconciler.loop.passing import Doors
from reconciler.loop.serving import Service
from reconciler.loop.settings import FleetSettings, Settings
from reconciler.model.outcome import Outcome
from reconciler.model.passed import Passed
from reconciler.model.ref import Place
from reconciler.model.standing import Standing
from reconciler.wiring import KINDS
from tests.fakes.fleets import settled
from tests.origin import Origin

SECRET = "T0000-B0000-very-secret"


class Server(ThreadingHTTPServer):
    """Answers with `codes` one after the other, then 200; keeps what came."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.came: list[Any] = []
        self.delay = 0.0
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/{SECRET}"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        time.sleep(self.server.delay)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        code = self.server.codes.pop(0) if self.server.codes else 200
        self.server.came.append((code, self.path, self.headers["Content-Type"], body))
        self.send_response(code)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_it_arrives_although_the_server_fails_first(server: Server) -> None:
    server.codes = [500, 503, 429]
    hook = Webhook(server.url, pause=0.01)
    hook.post({"text": "hello"})
    hook.close()
    assert [code for code, *_ in server.came] == [500, 503, 429, 200]
    assert server.came[-1][1:] == (f"/services/{SECRET}", "application/json", {"text": "hello"})


@pytest.mark.parametrize("code", [400, 404, 302])
def test_a_no_is_a_no(server: Server, code: int, caplog: pytest.LogCaptureFixture) -> None:
    server.codes = [code]
    with caplog.at_level(logging.WARNING):
        hook = Webhook(server.url, pause=0.01)
        hook.post({"text": "hello"})
        hook.close()
    assert len(server.came) == 1
    assert f"the server said {code}" in caplog.text
    assert SECRET not in caplog.text


def test_tries_are_bounded_and_the_url_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        hook = Webhook(f"http://127.0.0.1:9/{SECRET}", pause=0.01, attempts=3)
        hook.post({"text": "hello"})
        hook.close()
    assert "was not delivered" in caplog.text
    assert SECRET not in caplog.text


def test_it_holds_nobody_up(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.delay = 0.5
    hook = Webhook(server.url)
    began = time.monotonic()
    for number in range(MOST + 5):
        hook.post({"text": str(number)})
    assert time.monotonic() - began < 0.3
    assert "was dropped" in caplog.text
    began = time.monotonic()
    hook.close(patience=0.2)
    assert time.monotonic() - began < 2


def test_the_url_is_in_a_file_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "webhook"
    path.write_text(f"https://hooks.example.com/{SECRET}\n")
    path.chmod(0o644)
    with pytest.raises(PlanError, match="can be read by others") as found:
        read_url(path)
    assert SECRET not in str(found.value)
    path.chmod(0o400)
    assert read_url(path) == f"https://hooks.example.com/{SECRET}"
    path.chmod(0o600)
    path.write_text(f"ftp://{SECRET}")
    with pytest.raises(PlanError, match="holds no URL of a webhook") as found:
        read_url(path)
    assert SECRET not in str(found.value)
    with pytest.raises(PlanError, match="cannot read the webhook's URL"):
        read_url(tmp_path / "none")


WELL = Passed("r1", "vpd", verdict="in-sync")
HUMAN = replace(WELL, verdict="needs-human", exit=6, outcomes=(Outcome("vm/a@b:move-live", "failed", "x", human=True),))
DRIFT = replace(WELL, standings=(Standing(Place("vm", "a", "web"), "drifted", ("power",), healed=3),))


def told(*passes: Passed) -> list[str]:
    sent: list[Mapping[str, Any]] = []
    notices = Notices(sent.append)
    for passed in passes:
        notices(passed)
    return [str(item["event"]) for item in sent]


def test_a_credential_of_systemd_may_show_the_bit_of_its_acl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "webhook"
    path.write_text(f"https://hooks.example.com/{SECRET}\n")
    path.chmod(0o440)
    with pytest.raises(PlanError, match="can be read by others"):
        read_url(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_url(path).endswith(SECRET)
    path.chmod(0o444)
    with pytest.raises(PlanError, match="can be read by others"):
        read_url(path)


def test_news_is_told_once_and_its_end_too() -> None:
    assert told(WELL, WELL) == []
    assert told(WELL, DRIFT, DRIFT, HUMAN, HUMAN, WELL, WELL, DRIFT) == [
        "drifted",
        "needs-human",
        "recovered",
        "drifted",
    ]
    assert told(replace(WELL, verdict="failed"), replace(WELL, verdict="locked"), replace(WELL, verdict="failed")) == [
        "failed"
    ]
    assert told(DRIFT, replace(DRIFT, fleet="other")) == ["drifted", "drifted"]


def test_the_text_is_for_people() -> None:
    said = message(DRIFT)
    assert said["text"] == "Fleet vpd has 1 drifted object (pass r1)\nvm/web@a drifted: power, again and again"
    assert said["fights"] == ["vm/web@a"]
    many = replace(
        WELL, verdict="failed", outcomes=tuple(Outcome(f"vm/{n}@a:start", "failed", "no") for n in range(40))
    )
    assert len(message(many)["text"].splitlines()) == 11
    json.dumps(message(many))


def test_news_are_told_once_over_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    sent: list[Mapping[str, Any]] = []
    last: Mapping[str, Any] = {}
    fleet, broken = settled(web="lq-d25"), FleetSettings("vpd", str(tmp_path / "none.git"), path="specs")
    origin = Origin(tmp_path / "origin")
    origin.commit({"specs/fleet.yaml": fleet.specs.text})
    sound = replace(broken, repo=str(origin.bare))

    @contextmanager
    def tools(**given: Any) -> Iterator[Tools]:
        yield replace(fleet.tools, journal=given["journal"])

    for settings in (broken, broken, sound, sound, broken):
        notices = Notices(sent.append)  # as a process of its own that makes one pass
        service = Service(Settings({"vpd": settings}), Doors(KINDS, tools), (notices,), (notices.remind,))
        last, _ = service.work(Asked("vpd", "once", "me", last))
        fleet.world.pass_time(60)
    assert [message["event"] for message in sent] == ["error", "recovered", "error"]
