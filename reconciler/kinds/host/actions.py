"""What can be done to a host: name it, let it find the others, keep its services up."""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.kinds.host.mover import READY
from reconciler.model.action import Action
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class SetHostname(Action):
    """Set the static host name; proven by `hostname -f`."""

    verb: ClassVar[str] = "set-hostname"
    fqdn: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, static_name=self.fqdn, fqdn=self.fqdn)

    def explain(self) -> str:
        return f"set the host name to {self.fqdn}"


@dataclass(frozen=True, kw_only=True)
class WriteHostsBlock(Action):
    """Write our marked block of /etc/hosts; proven by resolving every name in it."""

    verb: ClassVar[str] = "write-hosts"
    entries: tuple[tuple[str, str], ...]

    def effect(self, snapshot: Snapshot) -> Snapshot:
        resolves = {**snapshot.get(self.place).resolves, **{fqdn: address for address, fqdn in self.entries}}
        return snapshot.changing(self.place, block=self.entries, resolves=resolves)

    def explain(self) -> str:
        return f"keep {len(self.entries)} fleet names in /etc/hosts: {', '.join(fqdn for _, fqdn in self.entries)}"


@dataclass(frozen=True, kw_only=True)
class MakeMover(Action):
    """Make the user who logs in for moves, with a right to libvirt and no other; proven by using it."""

    verb: ClassVar[str] = "make-mover"
    symbol: ClassVar[str] = "+"
    user: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, mover=READY)

    def explain(self) -> str:
        return f"make user {self.user} for moves: no password, may use libvirt"


@dataclass(frozen=True, kw_only=True)
class TrustAuthority(Action):
    """Let sshd accept certificates of one authority; `sshd -t` checks it before sshd is told, else it is undone."""

    verb: ClassVar[str] = "trust-authority"
    symbol: ClassVar[str] = "+"
    authority: str

    def effect(self, snapshot: Snapshot) -> Snapshot:
        return snapshot.changing(self.place, trust=READY)

    def explain(self) -> str:
        return f"let sshd trust certificates of the authority {self.authority[:16]}...{self.authority[-8:]}"


@dataclass(frozen=True, kw_only=True)
class RunService(Action):
    """Make a systemd unit active and enabled."""

    verb: ClassVar[str] = "run-service"
    service: str

    @property
    def detail(self) -> str:
        return f":{self.service}"

    def effect(self, snapshot: Snapshot) -> Snapshot:
        services = {**snapshot.get(self.place).services, self.service: "active enabled"}
        return snapshot.changing(self.place, services=services)

    def explain(self) -> str:
        return f"start and enable {self.service}"
