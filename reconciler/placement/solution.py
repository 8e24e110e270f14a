"""What is answered: moves with their times, where everyone ends, what cannot be done and why, and how good it is.

Holds values only; who made them is `solve`, who checks them is `replay`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """One move, or a start when `source` is empty. Seconds from the plan's beginning; Mbit/s; MiB of memory, disks.

    `downtime` is expected milliseconds of silence; `bypass`: to a third host, only to make room.
    """

    guest: str
    source: str
    target: str
    start: int
    end: int
    memory: int
    bandwidth: int
    downtime: int = 0
    bypass: bool = False
    disks: int = 0


@dataclass(frozen=True, slots=True)
class Knot:
    """What cannot be done: guests and hosts in it, why, and what would free it."""

    guests: tuple[str, ...]
    hosts: tuple[str, ...]
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Exposed:
    """Were `host` lost, these guests of it are not proven to find room elsewhere. `new`: they were before this plan."""

    host: str
    guests: tuple[str, ...]
    new: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """The plan. `moves` in order of start; `goal` is each guest's host after it, in order of names.

    `moved` and `bound` in MiB: memory that changes its host, and what any plan must move at least (bypasses are in
    `bypassed`). `seconds` and `seconds_bound`: the timetable's length, and the least for these moves. `later` waits for
    the next window. `knots` are refusals; guests in them stay where they are. Where a loss is to be survived,
    `causes` says of each who moves why, by name.
    `refuges` pairs each guest with the host that takes it if its own is lost, and `exposed` says where that is missing.
    """

    moves: tuple[Move, ...]
    goal: tuple[tuple[str, str], ...]
    knots: tuple[Knot, ...]
    later: tuple[str, ...]
    moved: int
    bound: int
    bypassed: int
    seconds: int
    seconds_bound: int
    refuges: tuple[tuple[str, str], ...] = ()
    exposed: tuple[Exposed, ...] = ()
    causes: tuple[tuple[str, str], ...] = ()

    def gap(self) -> float:
        """Moved memory above its bound, as a ratio; 1.0 is proven to be the least."""
        return self.moved / self.bound if self.bound else 1.0 if not self.moved else float("inf")

    def stretch(self) -> float:
        """The timetable's length above its bound, as a ratio."""
        return self.seconds / self.seconds_bound if self.seconds_bound else 1.0
