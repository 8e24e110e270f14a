"""Watching how a VM performs, as a value: once before a live move and once after it. Does nothing itself.

It only looks: it holds up no other action, changes nothing in the snapshot, and its failure fails no move.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from reconciler.kinds.vm.actions import MoveLive
from reconciler.model.action import Action
from reconciler.model.ref import Place
from reconciler.model.units import show_duration


@dataclass(frozen=True, kw_only=True)
class Measure(Action):
    """Watch the counters at `place` for `window` seconds; with `before`, compare with what that action found."""

    verb: ClassVar[str] = "measure"
    symbol: ClassVar[str] = "?"
    looks: ClassVar[bool] = True
    uuid: str
    window: float
    before: str = ""

    @property
    def detail(self) -> str:
        return "-again" if self.before else ""

    @property
    def serving(self) -> bool:
        return not self.before

    def explain(self) -> str:
        what = "measure again and compare with before the move" if self.before else "measure vCPU, disks and net"
        return f"{what}, {show_duration(self.window)}"


def measured(move: MoveLive) -> Sequence[Action]:
    """The move between its two measurements, where its policy wants them; it waits for the first, and needs neither."""
    window = move.policy.measure
    if not window:
        return [move]
    origin = Place(move.place.kind, move.origin, move.place.name)
    first = Measure(place=origin, uuid=move.uuid, window=window, needs=move.needs, requires=move.requires)
    then = Measure(place=move.place, uuid=move.uuid, window=window, needs=(move.id,), before=first.id)
    return [first, replace(move, after=(*move.after, first.id)), then]
