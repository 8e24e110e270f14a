"""Carrying a plan out under the locks of this machine and of the hosts, for whoever makes a pass.

Looks again where another run was meanwhile; what is to be done, and who hears of it, is the caller's.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from reconciler.adapters.lock import held
from reconciler.engine.once import Tools, Wanted, do, touched
from reconciler.errors import Locked, StalePlan
from reconciler.kind import Kind
from reconciler.model.outcome import Report
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot

Again = Callable[[], tuple[Plan, Snapshot]]
_POLL = 2.0


class Acting:
    """The locks of one plan: `act` inside the context; `note` hears lines for people."""

    def __init__(self, wanted: Wanted, kinds: Sequence[Kind], tools: Tools, note: Callable[[str], None]) -> None:
        self._wanted, self._kinds, self._tools, self._note = wanted, kinds, tools, note
        self._locks = ExitStack()

    def __enter__(self) -> "Acting":
        self._locks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._locks.close()

    def take(self, made: Plan, seen: Snapshot, wait: float, again: Again) -> tuple[Plan, Snapshot]:
        """The locks, and the plan to carry out under them: where another run left a host meanwhile, `again`'s.

        Raises Locked with the holder after `wait` seconds, StalePlan where more hosts would change than are locked.
        """
        changed = self._take(made, wait)
        if not changed:
            return made, seen
        self._note(f"Another run was on {', '.join(changed)} meanwhile; looking again.")
        before = touched(made, self._wanted)
        made, seen = again()
        more = [card.name for card in touched(made, self._wanted) if card not in before]
        if more:
            raise StalePlan([f"after another run it would change {', '.join(more)} too"])
        return made, seen

    def act(self, made: Plan, seen: Snapshot, tools: Tools) -> Report:
        """Do it; `tools` may tell somebody else than those the locks were taken with."""
        return do(made, self._wanted, seen, self._kinds, tools)

    def _take(self, made: Plan, wait: float) -> Sequence[str]:
        clock = self._tools.clock
        end, told = clock.now() + wait, False
        while True:
            with ExitStack() as tried:
                try:
                    tried.enter_context(held(self._wanted.fleet.name, self._tools.journal.run))
                    changed = tried.enter_context(self._tools.locks.held(touched(made, self._wanted)))
                    self._locks.push(tried.pop_all())
                    return changed
                except Locked as error:
                    if clock.now() >= end:
                        raise
                    if not told:
                        self._note(f"Waiting: {error.message}.")
                    told = True
            clock.sleep(min(_POLL, max(0.1, end - clock.now())))
