"""Opening and closing the way of one move, as values."""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.kinds.lease.state import LeaseState
from reconciler.model.action import Action, Passage
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration, Snapshot
from reconciler.model.units import show_duration


@dataclass(frozen=True, kw_only=True)
class _Way(Action):
    """An action on the way of one domain's move."""

    way: Passage
    domain: str

    @property
    def serving(self) -> bool:
        return True

    @property
    def touches(self) -> frozenset[str]:
        return frozenset((self.way.source, self.way.destination))


@dataclass(frozen=True, kw_only=True)
class GrantAccess(_Way):
    """Let the source's libvirtd log in on the destination: a fresh key, one command, one address, a few minutes."""

    verb: ClassVar[str] = "grant"
    symbol: ClassVar[str] = "+"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        way = self.way
        secret = LeaseState("secret", way.lease, self.domain)
        key = LeaseState("key", way.lease, self.domain, way.user, peer=way.peer)
        there = snapshot.having(Place("lease", way.source, f"secret-{way.lease}"), secret)
        return there if way.authority else there.having(Place("lease", way.destination, f"key-{way.lease}"), key)

    def explain(self) -> str:
        w = self.way
        return (
            f"let {w.source} ({w.peer}) log in as {w.user} for {show_duration(w.lifetime)}: "
            f"{w.key_type} key{' with a certificate' if w.authority else ''}, libvirt's proxy only"
        )


@dataclass(frozen=True, kw_only=True)
class OpenPort(_Way):
    """A timed rule for one peer and one port of its way in the zone of the migration NIC."""

    verb: ClassVar[str] = "open-port"
    symbol: ClassVar[str] = "+"
    port: int

    @property
    def detail(self) -> str:
        return f":{self.port}"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        w = self.way
        place = Place("lease", w.destination, f"port-{w.zone}-{w.peer}-{self.port}")
        return snapshot.having(place, LeaseState("port", zone=w.zone, peer=w.peer, port=self.port))

    def explain(self) -> str:
        w = self.way
        what = " for its disks" if self.port == w.disks_port else ""
        return f"open {self.port}/tcp to {w.peer} in zone {w.zone} for {show_duration(w.lifetime)}{what}"


@dataclass(frozen=True, kw_only=True)
class ClosePort(Action):
    """Take a timed rule away, also one that somebody made permanent; proven by its absence.

    `during` are migrations it may serve: while one of them runs, it is left alone.
    """

    verb: ClassVar[str] = "close-port"
    symbol: ClassVar[str] = "-"
    closes: ClassVar[bool] = True
    zone: str
    peer: str = ""
    port: int = 0
    permanent: bool = False
    during: tuple[Migration, ...] = ()

    @property
    def detail(self) -> str:
        return f":{self.port}" if self.port else ""

    def effect(self, snapshot: Snapshot) -> Snapshot:
        name = f"port-permanent-{self.zone}" if self.permanent else f"port-{self.zone}-{self.peer}-{self.port}"
        return snapshot.lacking(Place("lease", self.place.host, name))

    def explain(self) -> str:
        if self.permanent:
            return f"remove our rules that were made permanent in zone {self.zone}"
        return f"close {self.port}/tcp to {self.peer} in zone {self.zone}"


@dataclass(frozen=True, kw_only=True)
class RevokeAccess(Action):
    """Take the login away on the destination, prove that it is refused, then delete the key on the source.

    `source` or `destination` is empty where only the other half was found. `during` as in ClosePort. `certified` is the
    life in seconds of a certificate that let the source in, which nothing takes back; zero: it was a key line.
    """

    verb: ClassVar[str] = "revoke"
    symbol: ClassVar[str] = "-"
    closes: ClassVar[bool] = True
    lease: str
    domain: str
    source: str = ""
    destination: str = ""
    user: str = "root"
    certified: int = 0
    during: tuple[Migration, ...] = ()

    @property
    def touches(self) -> frozenset[str]:
        return frozenset(host for host in (self.source, self.destination) if host)

    def effect(self, snapshot: Snapshot) -> Snapshot:
        without = snapshot.lacking(Place("lease", self.destination, f"key-{self.lease}"))
        return without.lacking(Place("lease", self.source, f"secret-{self.lease}"))

    def explain(self) -> str:
        if self.certified:
            life = show_duration(self.certified)
            return (
                f"delete the key and certificate on {self.source}; a certificate is not taken back, it ends in {life}"
            )
        if self.source and self.destination:
            return f"revoke the login of {self.source} and prove it refused"
        half = "key line that lets a peer in" if self.destination else "private key and the host keys beside it"
        return f"delete the {half}"
