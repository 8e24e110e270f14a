"""The seven doors to the outside, as small Protocols; the values that pass through them are in readings.py.

No behaviour: adapters implement these, tests fake them, and one contract suite holds both to the same word.
Every call names the host by its card, takes a deadline in seconds, and raises Unreachable or Refused.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.model.fleet import HostCard
from reconciler.readings import (
    CertificateTerms,
    Counters,
    DomainReading,
    Inventory,
    JobNumbers,
    MigrationRequest,
    Reply,
    Watch,
)


class Shell(Protocol):
    """Commands on hosts. Arguments are never seen by a shell of ours as anything but words."""

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply: ...

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> Mapping[str, Reply]: ...


class Hypervisor(Protocol):
    """libvirt on hosts. Domains by UUID, pools and volumes by name. XML in and out is text."""

    def inventory(self, host: HostCard, *, deadline: float = 30.0) -> Inventory: ...

    def domain(self, host: HostCard, uuid: str) -> DomainReading | None: ...

    def domain_xml(self, host: HostCard, uuid: str) -> str: ...

    def compare_cpu(self, host: HostCard, xml: str) -> str:
        """The CPU of a (partial) domain XML beside what the host's hypervisor can give; changes nothing.

        identical, superset (it can give more), incompatible, or unknown where it cannot tell.
        """
        ...

    def define_domain(self, host: HostCard, xml: str) -> str: ...

    def undefine_domain(self, host: HostCard, uuid: str) -> None: ...

    def start_domain(self, host: HostCard, uuid: str) -> None: ...

    def shutdown_domain(self, host: HostCard, uuid: str) -> None: ...

    def resume_domain(self, host: HostCard, uuid: str) -> None:
        """Let a paused guest go on where it is; raises Refused when it is not paused."""
        ...

    def set_autostart(self, host: HostCard, uuid: str, on: bool) -> None: ...

    def set_metadata(self, host: HostCard, uuid: str, uri: str, element: str) -> None:
        """Our element of that URI, now and at the next boot; an empty text takes it away."""
        ...

    def define_pool(self, host: HostCard, xml: str) -> None: ...

    def build_pool(self, host: HostCard, pool: str) -> None: ...

    def start_pool(self, host: HostCard, pool: str) -> None: ...

    def stop_pool(self, host: HostCard, pool: str) -> None: ...

    def set_pool_autostart(self, host: HostCard, pool: str, on: bool) -> None: ...

    def refresh_pool(self, host: HostCard, pool: str) -> None: ...

    def volume_xml(self, host: HostCard, path: str) -> str: ...

    def copy_volume(
        self, host: HostCard, source_path: str, pool: str, xml: str, watch: Callable[[int], None]
    ) -> None: ...

    def delete_volume(self, host: HostCard, pool: str, volume: str) -> None: ...

    def counters(self, host: HostCard, uuid: str) -> Counters | None:
        """None where it is not running."""
        ...

    def dirty_rate(self, host: HostCard, uuid: str, seconds: int, *, deadline: float = 30.0) -> int | None:
        """Bytes of pages it writes per second, measured for so long; None where that cannot be measured."""
        ...

    def finished_job(self, host: HostCard, uuid: str) -> JobNumbers | None: ...

    def running_job(self, host: HostCard, uuid: str) -> JobNumbers | None:
        """Numbers of the migration by which that domain leaves this host now; None where there is none."""
        ...

    def migrate(
        self,
        host: HostCard,
        request: MigrationRequest,
        watch: Watch,
        there: HostCard | None = None,
    ) -> JobNumbers:
        """Blocks until it has ended. `there` is the destination of a managed one, which ends with its caller."""
        ...


class Signer(Protocol):
    """The authority's private half, on the reconciler's own machine; its text never leaves the file."""

    def sign(self, authority: str, public: str, terms: CertificateTerms) -> str:
        """The certificate for that public key, one line; `authority` is a path. Raises ValueError saying why not."""
        ...


class NoSigner:
    """Signs nothing: for passes that change nothing, and for tests."""

    def sign(self, authority: str, public: str, terms: CertificateTerms) -> str:
        raise ValueError("this pass signs nothing")


class Locks(Protocol):
    """Locks that hosts hold for a run: while it has them no other run changes anything there."""

    def looking(self) -> None:
        """An observation begins."""
        ...

    def held(self, hosts: Sequence[HostCard]) -> AbstractContextManager[Sequence[str]]:
        """All of them, or Locked; gives the names of hosts that another run left since `looking` was last called.

        Inside, any call may raise LockLost: the host has ended the lock, and does nothing more for this run.
        """
        ...

    def unlock(self, host: HostCard, run: str) -> bool:
        """End that run's lock on a host, and what it still does there. False: no lock; another's raises Locked."""
        ...


class NoLocks:
    """Locks for passes that need none: over a saved snapshot, or in tests."""

    def looking(self) -> None:
        return

    def held(self, hosts: Sequence[HostCard]) -> AbstractContextManager[Sequence[str]]:
        return nullcontext(())

    def unlock(self, host: HostCard, run: str) -> bool:
        return False


class SpecSource(Protocol):
    """A tree of YAML: its files in order, any file beside them, and the commit it is at."""

    def files(self) -> Sequence[tuple[str, str]]: ...

    def read(self, beside: str, relative: str) -> str: ...

    def commit(self) -> tuple[str, bool]: ...


class SpecMemory(Protocol):
    """What texts of specs read as, by what is in them: documents, the line of each, the line of each path in it."""

    def begin(self, count: int) -> None: ...

    def recall(self, text: str) -> Sequence[tuple[Any, int, dict[str, int]]] | None: ...

    def keep(self, text: str, documents: Sequence[tuple[Any, int, dict[str, int]]]) -> None: ...


class NoMemory:
    """Every text is read: for few files, and for tests."""

    def begin(self, count: int) -> None:
        return

    def recall(self, text: str) -> Sequence[tuple[Any, int, dict[str, int]]] | None:
        return None

    def keep(self, text: str, documents: Sequence[tuple[Any, int, dict[str, int]]]) -> None:
        return


class Clock(Protocol):
    """Time: seconds since 1970, and waiting."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Journal(Protocol):
    """What was intended and what came of it, in order, kept. It explains; nothing is ever decided from it (law 9)."""

    @property
    def run(self) -> str: ...

    def write(self, event: str, **fields: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What an action's `run` may use. `tell(phase, done, total, facts)` reports progress; `at` is a named failpoint.

    `facts` are those of an action that has ended in this walk, by its id; `hurried`: others wait for this one only.
    `insist` tries again what may be repeated, while a host does not answer; `stopping`: shall the pass end soon?
    `silent` are hosts whose hypervisor did not answer when the plan was made: they are reported, not asked again.
    """

    hosts: Mapping[str, HostCard]
    hypervisor: Hypervisor
    shell: Shell
    clock: Clock
    tell: Callable[[str, int, int, Mapping[str, Any]], None] = field(default=lambda *_: None)
    at: Callable[[str], None] = field(default=lambda _: None)
    silent: frozenset[str] = frozenset()
    facts: Callable[[str], Mapping[str, Any]] = field(default=lambda _: {})
    hurried: Callable[[], bool] = field(default=lambda: False)
    insist: Callable[[Callable[[], Any]], Any] = field(default=lambda attempt: attempt())
    signer: Signer = field(default_factory=NoSigner)
    stopping: Callable[[], bool] = field(default=lambda: False)

    def others(self, host: str) -> Sequence[HostCard]:
        """Every host with an answering hypervisor but this one."""
        return [card for name, card in sorted(self.hosts.items()) if name != host and name not in self.silent]
