"""Walk an ordered plan: what is ready runs, many at once where that is safe, and what must end always does.

Decides nothing about the hosts; each action's kind does the work. Intent goes to the journal before, outcome after.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from reconciler.engine.interrupts import Interrupts
from reconciler.errors import LockLost, NeedsHuman, ReconcilerError
from reconciler.kind import Kind
from reconciler.model.action import Action
from reconciler.model.fleet import Limits, Link
from reconciler.model.outcome import Outcome, Progress
from reconciler.ports import Hands, Journal

WIDEST = 32
_HEED = 0.5


class Walk:
    """One walk through one plan."""

    def __init__(
        self,
        actions: Sequence[Action],
        kinds: Sequence[Kind],
        hands: Hands,
        journal: Journal,
        limits: Limits,
        tell: Callable[[Progress | Outcome], None],
    ) -> None:
        self._waiting = {action.id: action for action in actions}
        self._kinds = {kind.name: kind for kind in kinds}
        self._hands, self._journal, self._limits, self._tell = hands, journal, limits, tell
        self._outcomes: dict[str, Outcome] = {}
        self._running: dict[Future[Outcome], Action] = {}
        self._hurried: frozenset[str] = frozenset()

    def walk(self) -> tuple[Outcome, ...]:
        """All outcomes, in the order the actions ended.

        The first Ctrl-C lets what runs end, begins nothing new, and still closes what was opened; the second one leaves
        that to the next pass (KeyboardInterrupt goes on to the caller).
        """
        pool = ThreadPoolExecutor(max_workers=WIDEST, thread_name_prefix="apply")
        stopped = False
        try:
            with Interrupts() as interrupts:
                while self._waiting or self._running:
                    if (interrupts.asked or self._hands.stopping()) and not stopped:
                        stopped = True
                        self._stop()
                    self._step(pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return tuple(self._outcomes.values())

    def _step(self, pool: ThreadPoolExecutor) -> None:
        self._skip_hopeless()
        for action in self._ready():
            del self._waiting[action.id]
            self._running[pool.submit(self._run, action)] = action
        self._hurried = self._waited_for()
        if self._running:
            finished, _ = wait(self._running, timeout=_HEED, return_when=FIRST_COMPLETED)
            for future in finished:
                del self._running[future]
                self._end(future.result())

    def _end(self, outcome: Outcome) -> None:
        self._outcomes[outcome.action] = outcome
        self._tell(outcome)
        if outcome.facts.get("lost"):
            self._give_up(f"the lock on {outcome.facts['lost']} is lost", but_closing=False)

    def _stop(self) -> None:
        """Begin nothing more but what closes."""
        going = ", ".join(action.id for action in self._running.values()) or "nothing"
        self._tell(Progress("", f"interrupted: {going} goes on to its end, then what was opened is closed"))
        self._journal.write("interrupted", running=[action.id for action in self._running.values()])
        self._give_up("interrupted", but_closing=True)

    def _give_up(self, why: str, *, but_closing: bool) -> None:
        for action in list(self._waiting.values()):
            if not (but_closing and action.closes):
                del self._waiting[action.id]
                self._end(Outcome(action.id, "skipped", why))

    def _skip_hopeless(self) -> None:
        """What needs something that did not end well is skipped, and so on down the line."""
        for action in list(self._waiting.values()):
            lost = [
                n for n in action.needs if n in self._outcomes and self._outcomes[n].status in ("failed", "skipped")
            ]
            if lost:
                del self._waiting[action.id]
                self._journal.write("skipped", action=action.id, because=lost)
                self._end(Outcome(action.id, "skipped", f"because {lost[0]} was not done"))

    def _ready(self) -> list[Action]:
        ready: list[Action] = []
        for action in self._waiting.values():
            before = (*action.needs, *action.after)
            ended = all(n in self._outcomes for n in before if n in self._outcomes or self._pending(n))
            if ended and self._allowed(action, ready):
                ready.append(action)
        return ready

    def _waited_for(self) -> frozenset[str]:
        """What runs, only looks, and is all that some action still waits for."""
        looks = {action.id for action in self._running.values() if action.looks}
        open_ = [{n for n in (*a.needs, *a.after) if self._pending(n)} for a in self._waiting.values()]
        return frozenset(n for before in open_ if before <= looks for n in before)

    def _pending(self, identity: str) -> bool:
        return identity in self._waiting or any(action.id == identity for action in self._running.values())

    def _allowed(self, action: Action, chosen: Sequence[Action]) -> bool:
        """One change at a time per host, moves apart: those are bounded by host, link and fleet; looking always may."""
        busy = [other for other in (*self._running.values(), *chosen) if not other.looks]
        if action.looks:
            return True
        if _moves(action):
            moves = [other for other in busy if _moves(other)]
            hosts = [host for other in moves for host in other.busy]
            most = max((hosts.count(host) for host in action.busy), default=0)
            free = all(_carried(link, moves) < link.moves for link in self._limits.links if _over(link, action))
            return free and len(moves) < self._limits.moves and most < self._limits.moves_per_host
        return all(not other.busy & action.busy for other in busy if not _moves(other))

    def _run(self, action: Action) -> Outcome:
        hands = replace(
            self._hands,
            tell=lambda *words: self._progress(action, *words),
            hurried=lambda: action.id in self._hurried,
            facts=self._facts,
        )
        way = _way(action)
        self._journal.write("begin", action=action.id, explain=action.explain(), between=list(way))
        started = hands.clock.now()
        try:
            kind = self._kinds[_kind_of(action, self._kinds)]
            done = hands.insist(lambda: kind.run(action, hands)) if action.closes else kind.run(action, hands)
            hands.at(f"{action.place.kind}.{action.verb}.done")
            status: Any = "done" if done.changed else "nothing-to-do"
            outcome = Outcome(action.id, status, done.text, facts=done.facts)
        except NeedsHuman as error:
            outcome = Outcome(action.id, "failed", error.message, error.fix, human=True)
        except LockLost as error:
            outcome = Outcome(action.id, "failed", error.message, error.fix, facts={"lost": error.host})
        except ReconcilerError as error:
            pending = {"pending": "revocation"} if action.closes else {}
            outcome = Outcome(action.id, "failed", error.message, error.fix, facts=pending)
        except Exception as error:
            text = f"unexpected {type(error).__name__}: {error}"
            outcome = Outcome(action.id, "failed", text, "this is a bug; the journal has the details")
        outcome = replace(outcome, seconds=round(hands.clock.now() - started, 3))
        said = {"status": outcome.status, "text": outcome.text, "seconds": outcome.seconds, "facts": outcome.facts}
        self._journal.write("end", action=action.id, **said)
        return outcome

    def _facts(self, identity: str) -> Mapping[str, Any]:
        """What an action that ended in this walk found; nothing of any other."""
        return self._outcomes[identity].facts if identity in self._outcomes else {}

    def _progress(self, action: Action, phase: str, done: int, total: int, facts: Mapping[str, Any]) -> None:
        self._tell(Progress(action.id, phase, done, total, facts))


def _moves(action: Action) -> bool:
    """Does it bring a VM to another host? Also one that somebody else sent on its way."""
    return bool(action.between) or action.followed is not None


def _way(action: Action) -> tuple[str, ...]:
    """From host to host; nothing for what is no move."""
    return action.between or ((action.followed.host, action.place.host) if action.followed else ())


def _carried(link: Link, moves: Sequence[Action]) -> int:
    return sum(_over(link, other) for other in moves)


def _over(link: Link, action: Action) -> bool:
    source, target = _way(action)
    return link.carries(source, target)


def _kind_of(action: Action, kinds: Mapping[str, Kind]) -> str:
    """By the action's type: an action may concern a place of another kind's name."""
    return next(name for name, kind in kinds.items() if type(action) in kind.actions)
