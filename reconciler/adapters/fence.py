"""Locks that the hosts themselves hold for one run, and the guard before each of its commands there (decision 0020).

A run beats; a host that hears nothing ends its lock and the run's processes. Decides nothing about plans.
"""

import contextlib
import getpass
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reconciler.adapters.fence_script import END, GUARD, HOLD, SAID
from reconciler.adapters.shell import SshShell
from reconciler.errors import Locked, LockLost, Refused, Unreachable
from reconciler.model.fleet import HostCard

SECONDS = 60.0
_NOBODY = "somebody who began this very moment"


def _limit() -> float:
    return float(os.environ.get("RECONCILER_LOCK_SECONDS", SECONDS))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _now() -> float:
    """Seconds that go on while this machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class _Hold:
    """One host's lock process at the other end of `channel`; `age` is how long ago another run left, in seconds."""

    def __init__(self, shell: SshShell, card: HostCard, run: str, who: str) -> None:
        self.channel = shell.stream(
            card, ["sh", "-c", HOLD, "sh", run, f"{_limit():g}", who], deadline=15, guarded=False
        )
        try:
            first = _line(self.channel).split()
        except OSError:
            self.channel.close()
            raise Unreachable(card.name, "did not answer when its lock was asked for", "is it up?") from None
        if first[:1] == ["locked"]:
            _, who_has_it = _line(self.channel), _line(self.channel)
            self.channel.close()
            raise Locked(card.name, who_has_it or _NOBODY)
        if len(first) != 5 or first[0] != "held":
            said = self.channel.recv_stderr(300).decode(errors="replace").strip()
            self.channel.close()
            raise Refused(
                card.name, f"cannot hold a lock: {said or first}", "are flock and timeout there, /run writable?"
            )
        up, at, self.last, self.state = first[1:]
        self.age = float(up) - float(at) if at != "none" else float(up)

    def beat(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self.channel.sendall(b".")

    def end(self) -> None:
        """The host's own word that it has ended, or nothing after some seconds."""
        with contextlib.suppress(OSError, EOFError):
            self.channel.settimeout(10)
            self.channel.sendall(b"q")
            _line(self.channel)
        self.channel.close()


def _line(channel: Any) -> str:
    text = b""
    while (byte := channel.recv(1)) not in (b"", b"\n"):
        text += byte
    return text.decode(errors="replace")


class HostLocks:
    """Locks for `run`, and the shell's Guard. `forget` closes connections to hosts: none outlives the lock."""

    def __init__(self, shell: SshShell, run: str, forget: Callable[[Sequence[HostCard]], None]) -> None:
        self._shell, self._run, self._forget = shell, run, forget
        self._who = f"{_user()}@{socket.gethostname()} (process {os.getpid()})"
        self._looked = _now()
        self._holds: dict[str, _Hold] = {}
        shell.guard = self
        self._again_at: dict[str, threading.Lock] = {}
        self._beaten, self._slept = self._looked, False

    def looking(self) -> None:
        """An observation begins; what others change from now on makes it stale."""
        self._looked = _now()

    @contextlib.contextmanager
    def held(self, hosts: Sequence[HostCard]) -> Iterator[tuple[str, ...]]:
        """All of them or Locked; gives the hosts that another run left after the last `looking` began."""
        cards = sorted(hosts, key=lambda card: card.name)
        changed = self._take(cards)
        self._beaten = _now()
        done = threading.Event()
        threading.Thread(target=self._beat, args=(done,), daemon=True, name="beat").start()
        gently = True
        try:
            yield changed
        except KeyboardInterrupt:
            gently = False
            raise
        finally:
            done.set()
            self._forget(cards)
            self._drop(gently=gently)

    def _take(self, cards: Sequence[HostCard]) -> tuple[str, ...]:
        """The first host decides between two that begin at once; the others are asked side by side."""
        try:
            for some in (cards[:1], cards[1:]):
                with ThreadPoolExecutor(max_workers=max(1, min(64, len(some)))) as pool:
                    tries = [pool.submit(self._hold, card) for card in some]
                for done in tries:
                    done.result()
        except BaseException:
            self._drop(gently=True)
            raise
        since = _now() - self._looked
        return tuple(sorted(name for name, hold in self._holds.items() if hold.last != self._run and hold.age < since))

    def _hold(self, card: HostCard) -> None:
        self._holds[card.name] = _Hold(self._shell, card, self._run, self._who)

    def _drop(self, *, gently: bool) -> None:
        holds, self._holds = self._holds, {}
        if not holds:
            return
        with ThreadPoolExecutor(max_workers=min(64, len(holds))) as pool:
            list(pool.map(lambda hold: hold.end() if gently else hold.channel.close(), holds.values()))

    def _beat(self, done: threading.Event) -> None:
        """A heartbeat to each host, six in the time it waits; a gap as long as that time means that we were asleep."""
        while not done.wait(_limit() / 6):
            self._slept = self._sleepy()
            self._beaten = _now()
            for hold in list(self._holds.values()):
                hold.beat()

    def _sleepy(self) -> bool:
        return self._slept or _now() - self._beaten > _limit()

    def wrap(self, host: HostCard, argv: Sequence[str]) -> Sequence[str]:
        """The command with the run's mark, by which a host ends it with the lock, also where it was begun before.

        While the lock is held it is behind the guard too.
        """
        with self._again_at.setdefault(host.name, threading.Lock()):
            hold = self._holds.get(host.name)
            if hold and hold.channel.closed and not self._sleepy():
                self._again(host)
        return ["env", f"RECONCILER_RUN={self._run}", *(["sh", "-c", GUARD, "sh"] if hold else []), *argv]

    def _again(self, host: HostCard) -> None:
        """The connection broke and the lock with it: ours again, if nobody had it since (also not before a reboot)."""
        try:
            hold = _Hold(self._shell, host, self._run, self._who)
        except Locked as error:
            raise LockLost(host.name, error.holder) from None
        if (hold.last, hold.state) not in ((self._run, "closed"), ("none", "none")):
            hold.channel.close()
            raise LockLost(host.name, f"run {hold.last}, which has ended")
        self._holds[host.name] = hold

    def judge(self, host: HostCard, err: str) -> None:
        """Raises LockLost when these are the words of the guard on the host."""
        if SAID not in err:
            return
        run, _, state = err.partition(SAID)[2].strip().partition(" ")
        mine = f"nobody; it is {state}" if run == self._run else f"run {run}" if run else "nobody; the host forgot it"
        raise LockLost(host.name, mine)

    def unlock(self, host: HostCard, run: str) -> bool:
        """True once the run's lock and its processes have ended there, False without a lock; another's is Locked."""
        reply = self._shell.run(host, ["sh", "-c", END, "sh", run])
        if reply.code == 3:
            raise Locked(host.name, reply.out.strip() or _NOBODY)
        if reply.code not in (0, 4):
            raise Refused(host.name, f"could not end the lock: {reply.err.strip()[:200] or reply.code}")
        return reply.code == 0
