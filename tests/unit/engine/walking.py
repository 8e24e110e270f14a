"""Tiny actions and a kind that carries them out as told, for tests of the walk; they touch nothing.

An action's `does` is a word: ok, nothing, fail, human, bug, interrupt (Ctrl-C while it runs).
"""

import _thread
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.engine.apply import Walk
from reconciler.errors import HostError, LockLost, NeedsHuman
from reconciler.kind import Kind, Resolved, no_facts
from reconciler.model.action import Action, Passage
from reconciler.model.disruption import Disruption
from reconciler.model.fleet import Limits
from reconciler.model.outcome import Done, Outcome
from reconciler.model.ref import Place
from reconciler.ports import Hands


@dataclass(frozen=True, kw_only=True)
class Step(Action):
    """One step named by its place, `also` at work on a second host; on a lease place it serves only what needs it."""

    verb: ClassVar[str] = "do"
    does: str = "ok"
    also: str = ""

    @property
    def busy(self) -> frozenset[str]:
        return super().busy | ({self.also} if self.also else frozenset())

    @property
    def serving(self) -> bool:
        return self.place.kind == "lease" and not self.closes


@dataclass(frozen=True, kw_only=True)
class Undo(Step):
    symbol: ClassVar[str] = "-"
    closes: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Look(Step):
    """Only reads. `does` may be `until hurried`: it goes on until somebody waits for it alone."""

    looks: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Travel(Step):
    """A move between two hosts."""

    origin: str

    @property
    def passage(self) -> Passage:
        return Passage("lease", self.origin, self.place.host)


def step(name: str, host: str = "a", *, kind: str = "vm", does: str = "ok", **more: Any) -> Step:
    return Step(place=Place(kind, host, name), does=does, **more)


def undo(name: str, host: str = "a", *, does: str = "ok", **more: Any) -> Undo:
    return Undo(place=Place("lease", host, name), does=does, **more)


def look(name: str, host: str = "a", *, does: str = "ok", **more: Any) -> Look:
    return Look(place=Place("vm", host, name), does=does, **more)


def travel(name: str, origin: str, host: str, **more: Any) -> Travel:
    return Travel(place=Place("vm", host, name), origin=origin, disruption=Disruption.MOVE_LIVE, **more)


@dataclass
class Log:
    """Who runs, in which order, and how many at once; also a Journal and a Clock.

    The first to run wait for one another until `meet` run at once (ten seconds at most), however slow the machine is.
    """

    run: str = "test"
    begun: list[str] = field(default_factory=list)
    busy: list[Action] = field(default_factory=list)
    together: list[tuple[Action, ...]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    pause: float = 0.0
    meet: int = 1
    met: threading.Event = field(default_factory=threading.Event)

    def write(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))

    def now(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")

    def insist(self, attempt: Callable[[], Any]) -> Any:
        """Once more, whatever it was."""
        try:
            return attempt()
        except HostError:
            return attempt()

    def carry_out(self, action: Action, hands: Hands) -> Done:
        with self.lock:
            self.begun.append(action.place.name)
            self.busy.append(action)
            self.together.append(tuple(self.busy))
            if len(self.busy) >= self.meet:
                self.met.set()
        self.met.wait(10)
        threading.Event().wait(self.pause)
        with self.lock:
            self.busy.remove(action)
        match getattr(action, "does", "ok"):
            case "interrupt":
                _thread.interrupt_main()
                threading.Event().wait(0.2)
                return Done("ended all the same")
            case "fail":
                raise HostError(action.place.host, "said no", "do something")
            case "lost":
                raise LockLost(action.place.host, "run other")
            case "human":
                raise NeedsHuman("two truths", "look")
            case "bug":
                raise KeyError("surprise")
            case "until hurried":
                end = time.monotonic() + 10
                while not hands.hurried() and time.monotonic() < end:
                    threading.Event().wait(0.005)
                return Done("hurried" if hands.hurried() else "not hurried", facts={"found": 7})
            case "tell facts":
                return Done(str([dict(hands.facts(before)) for before in action.after]))
            case "nothing":
                return Done("is so already", changed=False)
            case _:
                return Done("well")


def walk(actions: Sequence[Action], log: Log, limits: Limits | None = None) -> dict[str, Outcome]:
    """Outcomes by name of place."""
    kind = Kind(
        name="any",
        yaml="",
        spec=None,
        states=(),
        actions=(Step, Undo, Look, Travel),
        resolve=lambda documents, scope: Resolved(),
        facts=no_facts,
        read=lambda sight: (),
        compare=lambda view: (),
        plan=lambda difference, view: (),
        run=log.carry_out,
    )
    hands = Hands({}, hypervisor=None, shell=None, clock=log, insist=log.insist)  # type: ignore[arg-type]
    outcomes = Walk(actions, [kind], hands, log, limits or Limits(), lambda event: None).walk()
    names = {action.id: action.place.name for action in actions}
    return {names[outcome.action]: outcome for outcome in outcomes}
