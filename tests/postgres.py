"""A PostgreSQL of the test's own: a fresh cluster in a temporary folder, on a free port of the loopback.

Ended by its own process id; without Debian's package the tests that need it are skipped, or fail where they must run.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@dataclass(frozen=True)
class Server:
    """One that a test may stop and start again; `control` is pg_ctl for its own folder and process id."""

    url: str
    control: tuple[str, ...]
    options: tuple[str, ...]

    def stop(self, mode: str = "fast") -> None:
        _run([*self.control, "-m", mode, "stop"])

    def start(self) -> None:
        _run([*self.control, *self.options, "start"])


@contextmanager
def cluster() -> Iterator[str]:
    """Its URL."""
    with server() as made:
        yield made.url


@contextmanager
def server() -> Iterator[Server]:
    """Running."""
    programs = _programs()
    if programs is None:
        if os.environ.get("RECONCILER_LAB_REQUIRED"):
            pytest.fail("PostgreSQL is not installed; setup/system-packages does it")
        pytest.skip("PostgreSQL is not installed; setup/system-packages does it")
    folder = tempfile.mkdtemp(prefix="reconciler-pg-")
    as_user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    control = (*as_user, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w", "-s")
    make = ["initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "reconciler", "--no-sync", "-E", "UTF8"]
    words = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=300"
    try:
        _run([*as_user, str(programs / make[0]), *make[1:]])
        url = f"postgresql://reconciler@127.0.0.1:{port}/postgres"
        made = Server(url, control, ("-l", f"{folder}/log", "-o", words))
        made.start()
        yield made
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], cwd="/", check=False, capture_output=True, timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def made(url: str) -> str:
    """The URL of a fresh, empty database in that cluster."""
    import psycopg

    name = f"loop_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}")  # type: ignore[arg-type]
    return url.rsplit("/", 1)[0] + f"/{name}"


def _run(words: list[str]) -> None:
    subprocess.run(words, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60)
