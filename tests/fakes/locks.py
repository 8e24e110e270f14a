"""FakeLocks: the hosts' locks in memory; who else has one, and whom another run was on since we looked.

Strict: a lock is never taken twice, and none is left when a pass has ended.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.errors import Locked
from reconciler.model.fleet import HostCard


@dataclass
class FakeLocks:
    """A Locks. `others` are holders by host; `meanwhile` acts as another run, once, just before our lock is taken."""

    run: str = "test-run"
    others: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], Sequence[str]] | None = None
    held_now: set[str] = field(default_factory=set)
    taken: list[tuple[str, ...]] = field(default_factory=list)

    def looking(self) -> None:
        """Nothing has to be remembered: `meanwhile` is always after it."""

    @contextmanager
    def held(self, hosts: Sequence[HostCard]) -> Iterator[tuple[str, ...]]:
        names = [card.name for card in hosts]
        for name in names:
            if name in self.others:
                raise Locked(name, f"somebody@elsewhere since noon, run {self.others[name]}")
        assert not self.held_now & set(names), "taken twice"
        acts, self.meanwhile = self.meanwhile, None
        left = acts() if acts else ()
        self.held_now |= set(names)
        self.taken.append(tuple(names))
        try:
            yield tuple(name for name in left if name in names)
        finally:
            self.held_now -= set(names)

    def unlock(self, host: HostCard, run: str) -> bool:
        if host.name not in self.others:
            return False
        if self.others[host.name] != run:
            raise Locked(host.name, f"somebody@elsewhere since noon, run {self.others[host.name]}")
        del self.others[host.name]
        return True
