"""What a plan's moves are expected to take: a timetable, its bound, and what cannot be moved and why.

Values only; the engine fills them from placement's answer, the commands show them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """One move. Seconds from the plan's start; `memory` in bytes, `bandwidth` in Mbit/s, `downtime` in milliseconds.

    `bypass`: to a third host, only to make room. `after`: names of VMs whose move must have ended before. `disks` are
    bytes of disks that go along; `basis` is where the guest's writing is known from: measured,
    last-move, or default.
    """

    vm: str
    source: str
    target: str
    start: int
    end: int
    memory: int
    bandwidth: int
    downtime: int
    bypass: bool = False
    after: tuple[str, ...] = ()
    disks: int = 0
    basis: str = "default"


@dataclass(frozen=True, slots=True)
class Exposed:
    """Were `host` lost, no room was found elsewhere for these VMs of it. `new`: before this plan there was."""

    host: str
    vms: tuple[str, ...]
    new: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """All moves in order of start; `moved`, `bound` and `bypassed` in bytes of memory, `disks` in bytes of what goes
    along, `seconds` and `seconds_bound` in seconds.

    `moved` over `bound` is how far the moves are from the fewest bytes any plan must send; `later` are VMs that wait
    for a later pass, `reasons` says why of each. `staying` pairs each host in
    maintenance that will not be empty with what stays there unasked; `away` pairs each VM that is not sent home after a
    maintenance with the reason. `host_failures` is how many hosts shall be ones that may be lost, and `exposed` are
    those of which that is not proven.
    """

    moves: tuple[PlannedMove, ...] = ()
    moved: int = 0
    bound: int = 0
    bypassed: int = 0
    seconds: int = 0
    seconds_bound: int = 0
    later: tuple[str, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    staying: tuple[tuple[str, str], ...] = ()
    away: tuple[tuple[str, str], ...] = ()
    disks: int = 0
    host_failures: int = 0
    exposed: tuple[Exposed, ...] = ()
