"""Commands on hosts over one SSH connection each, through fabric; host keys are pinned, never learned.

Only this module sees fabric and its paramiko. It decides nothing about what a reply means.
"""

import contextlib
import os
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from reconciler.adapters.fence_script import LOST
from reconciler.adapters.patience import opening
from reconciler.errors import HostError, Refused, Unreachable
from reconciler.model.fleet import HostCard
from reconciler.readings import Reply

MAX_OUTPUT = 32 * 2**20
AT_ONCE = 6  # commands on one connection; sshd's MaxSessions is 10, and the lock and libvirt's tunnels need some too

# sshd ends the whole connection for a packet to a channel that is gone already (decision 40). So a command without
# input is sent no end of input, and one with input does not end before it has read all of it.
_NO_INPUT = " </dev/null"
_READ_ALL = ["sh", "-c", '"$@"; c=$?; while read -r _; do :; done; exit $c', "sh"]


class Guard(Protocol):
    """What stands before each command of a run that takes locks; both may raise LockLost."""

    def wrap(self, host: HostCard, argv: Sequence[str]) -> Sequence[str]: ...

    def judge(self, host: HostCard, err: str) -> None: ...


class SshShell:
    """A Shell over SSH. Connections are opened at first use and kept until `close`; safe to use from many threads."""

    def __init__(self, connect_timeout: float = 10.0) -> None:
        self.guard: Guard | None = None
        self._timeout = connect_timeout
        self._open: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._room: dict[str, threading.Semaphore] = {}
        self._guard = threading.Lock()

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply:
        """One command; raises Unreachable when it has not ended after `deadline` seconds."""
        try:
            return self._run(host, [*_READ_ALL, *argv] if stdin else argv, stdin, deadline)
        except TimeoutError:
            raise Unreachable(host.name, f"`{argv[0]}` did not end within {deadline:.0f} s") from None

    def _run(self, host: HostCard, argv: Sequence[str], stdin: str, deadline: float) -> Reply:
        end = time.monotonic() + deadline
        with self._guard:
            room = self._room.setdefault(host.name, threading.Semaphore(AT_ONCE))
        if not room.acquire(timeout=deadline):
            raise TimeoutError
        try:
            return self._told(host, argv, stdin, end)
        finally:
            room.release()

    def _told(self, host: HostCard, argv: Sequence[str], stdin: str, end: float) -> Reply:
        def line() -> str:
            return shlex.join(self._guarded(host, argv)) + ("" if stdin else _NO_INPUT)

        channel = self._begin(host, line, end)
        try:
            if stdin:
                channel.sendall(stdin.encode())
                channel.shutdown_write()
            out = _drain(channel, channel.recv, end)
            err = _drain(channel, channel.recv_stderr, end)
            channel.status_event.wait(max(0.1, end - time.monotonic()))
            code = channel.recv_exit_status() if channel.exit_status_ready() else -1
        except TimeoutError:
            raise
        except (OSError, EOFError) as error:
            raise Unreachable(host.name, f"the connection broke: {error}") from None
        finally:
            channel.close()
        if self.guard and code == LOST:
            self.guard.judge(host, err)
        return Reply(code, out, err)

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> Mapping[str, Reply]:
        """Many read-only commands side by side in one exchange; every one gets an empty standard input."""
        mark = f"=={os.urandom(9).hex()}=="
        try:
            reply = self._run(host, ["sh", "-s"], _script(commands, mark), deadline)
        except TimeoutError:
            fix = "is it overloaded? give a longer --deadline"
            raise Unreachable(host.name, f"did not answer within {deadline:.0f} s", fix) from None
        parts = reply.out.split(mark)[1:]
        if len(parts) != 3 * len(commands):
            raise Refused(host.name, f"gave no usable answer: {(reply.err or reply.out)[:200]!r}", "is /tmp writable?")
        return {
            name: Reply(int(parts[3 * n].strip() or -1), parts[3 * n + 1], parts[3 * n + 2])
            for n, name in enumerate(commands)
        }

    def stream(self, host: HostCard, argv: Sequence[str], *, deadline: float = 30.0, guarded: bool = True) -> Any:
        """A running command as a two-way byte stream (paramiko's Channel); behind the guard unless it is the lock."""

        def line() -> str:
            return shlex.join(self._guarded(host, argv) if guarded else argv)

        return self._begin(host, line, time.monotonic() + deadline)

    def _guarded(self, host: HostCard, argv: Sequence[str]) -> Sequence[str]:
        return self.guard.wrap(host, argv) if self.guard else argv

    def _begin(self, host: HostCard, line: Callable[[], str], end: float, *, again: bool = True) -> Any:
        """A channel with a running command. A connection found broken before anything was asked is opened once more.

        The line is asked for each time: a connection that breaks takes the run's lock with it.
        """
        words, asked = line(), False
        connection = self._connection(host)
        try:
            with _ended_at(end, connection.transport):
                channel = connection.transport.open_session(timeout=max(0.1, end - time.monotonic()))
                channel.settimeout(max(0.1, end - time.monotonic()))
                asked = True
                channel.exec_command(words)
                return channel
        except Exception as error:
            self._forget(host, connection)
            if again and not asked and time.monotonic() < end:
                return self._begin(host, line, end, again=False)
            raise Unreachable(host.name, f"cannot run a command: {error}") from None

    def close(self) -> None:
        """End every connection."""
        for connection in list(self._open.values()):
            connection.close()
        self._open.clear()

    def _forget(self, host: HostCard, connection: Any) -> None:
        with self._guard:
            if self._open.get(host.name) is connection:
                del self._open[host.name]
        connection.close()

    def _connection(self, host: HostCard) -> Any:
        with self._guard:
            lock = self._locks.setdefault(host.name, threading.Lock())
        with lock:
            connection = self._open.get(host.name)
            if connection is None or connection.transport is None or not connection.transport.is_active():
                connection = self._open[host.name] = opening(lambda: _connect(host, self._timeout), self._timeout)
            return connection


@contextlib.contextmanager
def _ended_at(end: float, transport: Any) -> Iterator[None]:
    """paramiko itself waits without a limit for a server that has stopped: past `end` the connection is cut."""
    timer = threading.Timer(max(0.1, end - time.monotonic()), transport.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _drain(channel: Any, receive: Any, end: float) -> str:
    pieces: list[bytes] = []
    size = 0
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        channel.settimeout(left)
        piece = receive(65536)
        if not piece:
            return b"".join(pieces).decode(errors="replace")
        size += len(piece)
        if size > MAX_OUTPUT:
            raise OSError(f"more than {MAX_OUTPUT // 2**20} MiB of output")
        pieces.append(piece)


def _script(commands: Mapping[str, Sequence[str]], mark: str) -> str:
    """Each command in the background with its own files; afterwards code, output and errors, split by a secret mark."""
    lines = ["t=$(mktemp -d) || exit 97; trap 'rm -rf \"$t\"' EXIT"]
    for n, argv in enumerate(commands.values()):
        lines.append(f'{{ {shlex.join(argv)} >"$t/{n}.o" 2>"$t/{n}.e" </dev/null; echo $? >"$t/{n}.c"; }} &')
    lines.append("wait")
    for n in range(len(commands)):
        for part in "coe":
            lines.append(f'printf %s {shlex.quote(mark)}; cat "$t/{n}.{part}"')
    return "\n".join(lines) + "\n"


def _connect(host: HostCard, timeout: float) -> Any:
    """A fabric connection that accepts only the pinned keys, or else the known ones."""
    import paramiko
    from fabric import Connection

    said = host.connection
    key = os.environ.get("RECONCILER_IDENTITY_FILE") or said.identity_file
    keys = {"key_filename": os.path.expanduser(key)} if key else {}
    connection = Connection(
        host.address,
        user=said.user,
        port=said.port,
        connect_timeout=int(timeout),
        connect_kwargs={**keys, "banner_timeout": timeout, "auth_timeout": timeout},
    )
    connection.client.set_missing_host_key_policy(_refuse_unknown(paramiko))
    _know(host, connection.client, paramiko)
    try:
        connection.open()
        # Many small packets go back and forth: without this each command waits 40 ms for a delayed acknowledgement.
        connection.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.transport.set_keepalive(10)
        return connection
    except Exception as error:
        connection.close()
        raise _translated(host, error, paramiko) from None


def _know(host: HostCard, client: Any, paramiko: Any) -> None:
    said = host.connection
    name = host.address if said.port == 22 else f"[{host.address}]:{said.port}"
    if said.host_keys:
        for line in said.host_keys:
            entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {line}")
            if entry is not None:
                client.get_host_keys().add(name, entry.key.get_name(), entry.key)
        return
    path = os.path.expanduser(said.known_hosts_file or "~/.ssh/known_hosts")
    if os.path.exists(path):
        client.load_system_host_keys(path)


class _UnknownKey(Exception):
    """The host showed a key nobody pinned."""


def _refuse_unknown(paramiko: Any) -> Any:
    class Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise _UnknownKey(f"{key.get_name()} {key.get_base64()}")

    return Refuse()


def _translated(host: HostCard, error: Exception, paramiko: Any) -> HostError:
    at = f"{host.connection.user}@{host.address}:{host.connection.port}"
    check = f"compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on {host.name}, then commit it"
    if isinstance(error, _UnknownKey):
        fix = f'{check} to connection.hostKeys: ["{error}"]'
        return Refused(host.name, "its SSH host key is not known, and unknown keys are refused", fix)
    if isinstance(error, paramiko.BadHostKeyException):
        shown = f"{error.key.get_name()} {error.key.get_base64()}"
        fix = f'somebody may be in between; if the host was reinstalled, {check} to connection.hostKeys: ["{shown}"]'
        return Refused(host.name, "its SSH host key is NOT the pinned one", fix)
    if isinstance(error, paramiko.AuthenticationException | paramiko.PasswordRequiredException):
        return Refused(host.name, f"login as {at} was refused", "is connection.identityFile's public key there?")
    if isinstance(error, FileNotFoundError | PermissionError):
        return Refused(host.name, f"cannot read the login key: {error}", "correct connection.identityFile")
    reason = str(error) or type(error).__name__
    return Unreachable(host.name, f"cannot be reached at {at}: {reason}", "is it up, and is its address right?")
