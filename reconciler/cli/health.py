"""One host in a few words for `doctor`: clock, versions, locks, firewall, leases. From the snapshot; asks nothing."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.engine.once import Wanted
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot

_SOON = 30 * 86400


@dataclass(frozen=True, slots=True)
class Health:
    """`clock` is seconds ahead of us, None where unknown; a clock is read once, so a slow answer counts as offset."""

    host: str
    answered: bool
    clock: int | None
    versions: dict[str, str]
    locks: str
    firewalld: str
    leases: int
    tls: str

    @property
    def data(self) -> dict[str, Any]:
        return asdict(self)


def health(wanted: Wanted, seen: Snapshot) -> list[Health]:
    """Every host of the fleet."""
    return [_host(name, seen) for name in wanted.fleet.hosts]


def _host(name: str, seen: Snapshot) -> Health:
    host, room, gate = (seen.get(Place(kind, name, name)) for kind in ("host", "room", "gate"))
    firewall = seen.get(Place("firewall", name, name))
    running = firewall.running if firewall else gate.firewall if gate else None
    return Health(
        name,
        not any(silence.host == name for silence in seen.silences),
        host.clock - seen.taken if host and host.clock else None,
        dict(room.versions) if room else {},
        _locks(room.locks) if room else "unknown",
        "unknown" if running is None else "running" if running else "not running",
        sum(place.host == name for place, _ in seen.of("lease")),
        _certificates(seen.get(Place("papers", name, name)), seen.taken),
    )


def _certificates(papers: Any, now: int) -> str:
    """How long its certificates for moves hold; what ends within a month is said loudly."""
    if papers is None:
        return "unknown"
    if papers.wrong:
        return "no certificates" if papers.wrong.startswith("has no /") else papers.wrong
    day = datetime.fromtimestamp(papers.until, UTC).strftime("%Y-%m-%d")
    if papers.until < now:
        return f"EXPIRED {day}"
    return f"until {day}" if papers.until > now + _SOON else f"EXPIRES {day}"


def _locks(manager: str) -> str:
    """What keeps two QEMUs off one disk; without a lock manager it is QEMU alone, and only for files."""
    return manager if manager not in ("", "nop") else "QEMU image lock only (files, not block devices)"
