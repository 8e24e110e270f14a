"""What stands between a VM and a host: obstacles with their fixes, cautions, and the crossing they are about.

Values only. A blocker refuses a move; a caution is told and refuses nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason why not, and what removes it."""

    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What a person should know before it moves, and what would settle it."""

    reason: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What is merely so, and worth knowing."""

    reason: str


Hurdle = Blocker | Caution | Note


@dataclass(frozen=True, slots=True)
class Crossing:
    """A move that is thought of: from where to where, through which shared pools, with which CPU.

    `guest` is as much of the running domain's XML as a hypervisor compares CPUs by; empty while it is off. `ports`:
    how many of the destination it takes, two where disks are copied. `encrypt` is what is declared of its memory's way,
    `untunnelled` why a tunnel cannot carry it.
    """

    domain: str
    source: str
    destination: str
    pools: tuple[str, ...] = ()
    guest: str = ""
    ports: int = 1
    encrypt: str = "auto"
    untunnelled: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One VM and one host: it is there, or a crossing leads there past these hurdles.

    `running` says whether there is anything to move live: a VM that is off is blocked everywhere, and that is no fault.
    """

    host: str
    crossing: Crossing
    hurdles: tuple[Hurdle, ...] = ()
    here: bool = False
    running: bool = True

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        return tuple(h for h in self.hurdles if isinstance(h, Blocker))

    @property
    def cautions(self) -> tuple[Caution, ...]:
        return tuple(h for h in self.hurdles if isinstance(h, Caution))

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(h for h in self.hurdles if isinstance(h, Note))

    @property
    def open(self) -> bool:
        """Can it move there now, as far as was asked?"""
        return not self.here and not self.blockers
