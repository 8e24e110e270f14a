"""The moves to be ordered, guest by guest, with hosts by index; and what has been ordered.

Values only.
"""

from dataclasses import dataclass

from reconciler.placement import durations
from reconciler.placement.board import Board
from reconciler.placement.bounds import Leg
from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits


@dataclass(frozen=True, slots=True)
class Task:
    """A guest (by index) goes from `source` (-1: it starts) to `target`, over shared `links`."""

    guest: int
    source: int
    target: int
    need: tuple[int, int]
    seconds: int
    bandwidth: int
    links: tuple[int, ...] = ()

    def leg(self) -> Leg:
        return Leg(self.source, self.target, self.need[0], self.seconds, self.bandwidth)


@dataclass(frozen=True, slots=True)
class Step:
    """A task that begins at `start` and is over at `end`, in seconds; `bypass` to a host that only lends room."""

    task: Task
    start: int
    end: int
    bypass: bool = False


@dataclass(frozen=True, slots=True)
class Timetable:
    """Steps in order of start. `stuck`: tasks that never could begin. `seconds` in all, `bypassed` MiB."""

    steps: tuple[Step, ...]
    stuck: tuple[Task, ...]
    seconds: int
    bypassed: int

    def rank(self) -> tuple[int, int, int]:
        """Better timetables have lower ones."""
        return len(self.stuck), self.seconds, self.bypassed


def task(fleet: Fleet, limits: Limits, guest: int, source: int, target: int) -> Task:
    """A start takes a second and no bandwidth."""
    one = fleet.guests[guest]
    need = (one.memory, one.vcpus)
    if source < 0:
        return Task(guest, -1, target, need, 1, 0)
    ends = fleet.hosts[source], fleet.hosts[target]
    mbit = durations.bandwidth(*ends, limits)
    return Task(guest, source, target, need, durations.seconds(one, mbit), mbit, limits.crossed(*ends))


def tasks(board: Board, limits: Limits) -> list[Task]:
    """Of every guest whose item ends on another host than the guest is on, in order of names."""
    fleet, found = board.fleet, []
    for item, host in enumerate(board.where):
        if host < 0 or host == board.homes[item]:
            continue
        for guest in fleet.items[item]:
            if int(fleet.at[guest]) != host:
                found.append(task(fleet, limits, guest, int(fleet.at[guest]), host))
    return sorted(found, key=lambda one: one.guest)
