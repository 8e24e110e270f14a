"""Signs of life: locks that end with the controller that holds them, so that survivors know whose passes to continue.

The kernel or PostgreSQL takes a lock away from a dead holder; nothing here decides what is done about it.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

_POLL = 0.3
_KEEPALIVE: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_TAKE = "select pg_try_advisory_lock(hashtextextended(%s, %s))"
_GIVE = "select pg_advisory_unlock(hashtextextended(%s, %s))"
_CONTROLLER, _FLEET = 1, 2


class Signs(Protocol):
    """`rounds` is how often in a row a controller must be found dead before that is believed."""

    rounds: int

    def live(self, controller: str) -> None:
        """Show, and go on showing, that this controller lives; called again and again. Raises OSError."""
        ...

    def dead(self, controller: str) -> bool:
        """Does nobody hold that controller's lock any more?"""
        ...

    def alone(self, fleet: str) -> Any:
        """A context in which no other controller passes over this fleet; waits for the one that does."""
        ...

    def close(self) -> None:
        """Show no life any more."""
        ...


def signs_for(database: str) -> Signs:
    """Those of a database URL: files beside SQLite, sessions of PostgreSQL."""
    if database.startswith("sqlite:///"):
        return FileSigns(Path(database.removeprefix("sqlite:///") + ".signs"))
    return SessionSigns(database)


class FileSigns:
    """Locked files in a folder: for controllers of one machine. The kernel's word is final at once."""

    rounds = 1

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._mine: dict[str, int] = {}
        self._fleets = _Turns()

    def live(self, controller: str) -> None:
        if controller not in self._mine:
            taken = self._take(f"controller-{controller}")
            if taken is None:
                raise OSError(f"controller {controller} is already running")
            self._mine[controller] = taken

    def dead(self, controller: str) -> bool:
        if controller in self._mine:
            return False
        taken = self._take(f"controller-{controller}")
        if taken is None:
            return False
        (self._folder / quote(f"controller-{controller}", safe="")).unlink(missing_ok=True)
        os.close(taken)
        return True

    @contextmanager
    def alone(self, fleet: str) -> Iterator[None]:
        with self._fleets.of(fleet):
            taken = _until(lambda: self._take(f"fleet-{fleet}"))
            try:
                yield
            finally:
                os.close(taken)

    def close(self) -> None:
        for taken in self._mine.values():
            os.close(taken)
        self._mine.clear()

    def _take(self, name: str) -> int | None:
        descriptor = os.open(self._folder / quote(name, safe=""), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None


class SessionSigns:
    """Advisory locks of one PostgreSQL session: they end with the connection, also when its machine dies.

    A session can be lost while its controller lives (the server restarts): hence three rounds, and a new session
    that takes again what the lost one held.
    """

    rounds = 3

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://")
        self._connection: Any = None
        self._lock = threading.RLock()
        self._fleets = _Turns()
        self._passing: set[str] = set()

    def live(self, controller: str) -> None:
        import psycopg

        if self._answers():
            return
        try:
            self._begin(controller)
        except psycopg.Error as error:
            self.close()
            raise OSError(f"the database does not answer: {error}") from None
        except OSError:
            self.close()  # the next call tries again: this session holds no lock, and would look as if it did
            raise

    def dead(self, controller: str) -> bool:
        if not self._ask(_TAKE, controller, _CONTROLLER):
            return False
        self._ask(_GIVE, controller, _CONTROLLER)
        return True

    @contextmanager
    def alone(self, fleet: str) -> Iterator[None]:
        import psycopg

        with self._fleets.of(fleet):
            _until(lambda: self._taken(fleet))
            try:
                yield
            finally:
                with self._lock, suppress(psycopg.Error, OSError):
                    self._passing.discard(fleet)
                    self._ask(_GIVE, fleet, _FLEET)

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _answers(self) -> bool:
        import psycopg

        try:
            return bool(self._ask("select 1"))
        except (psycopg.Error, OSError):
            self.close()
            return False

    def _begin(self, controller: str) -> None:
        """A new session. A fleet's lock that another got meanwhile stays his; on the hosts only one changes things."""
        connection = self._connect()
        with self._lock:
            self._connection = connection
            if not self._ask(_TAKE, controller, _CONTROLLER):
                raise OSError(f"controller {controller} is already running")
            for fleet in self._passing:
                self._ask(_TAKE, fleet, _FLEET)

    def _connect(self) -> Any:
        import psycopg

        made = psycopg.connect(self._url, autocommit=True, connect_timeout=10, application_name="reconciler signs",
                               **_KEEPALIVE)  # fmt: skip
        for name in ("idle", "interval", "count"):
            made.execute(f"set tcp_keepalives_{name} = {_KEEPALIVE[f'keepalives_{name}']}")
        return made

    def _taken(self, fleet: str) -> bool | None:
        """None: not yet, also while the database does not answer."""
        import psycopg

        with self._lock, suppress(psycopg.Error, OSError):
            if self._ask(_TAKE, fleet, _FLEET):
                self._passing.add(fleet)
                return True
        return None

    def _ask(self, question: Any, *words: str | int) -> Any:
        with self._lock:
            if self._connection is None:
                raise OSError("the database does not answer")
            return self._connection.execute(question, words).fetchone()[0]


class _Turns:
    """One lock per fleet among the threads of this process: a lock of a file or a session does not part them."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def of(self, fleet: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(fleet, threading.Lock())


def _until(attempt: Callable[[], Any]) -> Any:
    while (taken := attempt()) is None:
        time.sleep(_POLL)
    return taken
