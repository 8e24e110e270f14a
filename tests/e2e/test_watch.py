"""Somebody watches a fleet that its loop only observes: metrics, a log line for each pass, messages."""

import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.e2e.user import User
from tests.unit.watch.test_webhook import SECRET, Server, server

__all__ = ["server"]
PASSES = 'reconciler_passes_total{fleet="vpd",'


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(what: Callable[[], object], why: str) -> None:
    end = time.monotonic() + 40
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.3)


def _scrape(port: int) -> str:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    except OSError:
        return ""


def _commit(user: User, message: str) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", message)):
        subprocess.run([*git, *words], cwd=user.folder, check=True)


def test_passes_are_counted_logged_and_told(running: User, server: Server, tmp_path: Path) -> None:
    running.edit("fleet.yaml", "mode: apply", "mode: observe")
    _commit(running, "Watch it")
    port, url = _free_port(), tmp_path / "webhook"
    url.write_text(server.url)
    url.chmod(0o600)
    server.codes = [500]
    words = ("--repo", str(running.folder), "--name", "vpd", "--listen", str(port), "--notify", str(url))
    process = running.start("run", *words)
    try:
        _wait(lambda: f'{PASSES}verdict="in-sync"}} 1.0' in _scrape(port), "no pass was counted")
        running.edit("vms.yaml", "power: running", "power: always")
        _commit(running, "A slip")
        process.send_signal(signal.SIGHUP)
        _wait(lambda: len(server.came) == 2, "nobody was told")
        assert f'{PASSES}verdict="spec-error"}} 1.0' in _scrape(port)
        running.edit("vms.yaml", "power: always", "power: running")
        _commit(running, "Mended")
        process.send_signal(signal.SIGHUP)
        _wait(lambda: len(server.came) == 3, "nobody was told that it is well again")
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert [(code, body["event"]) for code, _, _, body in server.came] == [
        (500, "spec-error"), (200, "spec-error"), (200, "recovered"),
    ]  # fmt: skip
    assert "vms.yaml" in server.came[1][3]["text"]
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    passes = [line for line in lines if line["event"].startswith("pass ")]
    assert [line["event"] for line in passes] == ["pass in-sync", "pass spec-error", "pass in-sync"]
    assert all(len(line["commit"]) == 40 and line["run"] and line["fleet"] == "vpd" for line in passes)
    assert SECRET not in out + err
