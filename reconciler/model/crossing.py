"""What stands between a VM and a host: obstacles with their fixes, cautions, and the crossing they are about.

Values only. A blocker refuses a move; a caution is told and refuses nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason why not, and what removes it. `against` is the one method it hinders: live, cold, empty for both."""

    reason: str
    fix: str
    against: str = ""


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
    `untunnelled` why a tunnel cannot carry it. `adapts`: its CPU is chosen anew at each boot. `login`: the source has
    to log in on the destination.
    """

    domain: str
    source: str
    destination: str
    pools: tuple[str, ...] = ()
    guest: str = ""
    ports: int = 1
    encrypt: str = "auto"
    untunnelled: str = ""
    adapts: bool = False
    login: bool = True


@dataclass(frozen=True, slots=True)
class Way:
    """One VM and one host: it is there, or a crossing leads there past these hurdles.

    `running` says whether there is anything to move live; a VM that is off moves as one that was shut down does.
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
    def how(self) -> str:
        """The gentlest method that leads there, as far as was asked: live, cold, offline; or here, or blocked."""
        against = {blocker.against for blocker in self.blockers}
        if self.here:
            return "here"
        if self.running and against <= {"cold"}:
            return "live"
        if against <= {"live"}:
            return "cold" if self.running else "offline"
        return "blocked"

    @property
    def telling(self) -> tuple[Blocker, ...]:
        """What is against the gentlest method of all, or against every one where none leads there."""
        wanted = "live" if self.running else "cold"
        both = self.running and self.how == "blocked"
        return tuple(b for b in self.blockers if both or b.against in ("", wanted))

    @property
    def open(self) -> bool:
        """Does any method lead there?"""
        return self.how not in ("here", "blocked")
