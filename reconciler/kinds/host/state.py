"""What a host is and shall be: its name, who it can find, its services, its clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

VOLATILE = {"volatile": True}


@dataclass(frozen=True, slots=True)
class HostState:
    """As observed. `block` is our marked part of /etc/hosts (address, name pairs); `resolves` maps FQDN to address.

    `clock` is the host's own time in seconds since 1970; `services` maps a unit to `active/enabled` words; `mover` is
    ready, absent or without rights, empty where nobody but root moves VMs; `trust` is the same of the authority that
    signs certificates: ready, absent, not included or not read.
    """

    static_name: str
    fqdn: str
    block: tuple[tuple[str, str], ...] = ()
    resolves: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    memory: int = 0
    cpus: int = 0
    arch: str = ""
    machines: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    networks: tuple[tuple[str, str], ...] = ()
    bridges: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    clock: int = field(default=0, metadata=VOLATILE)
    mover: str = ""
    trust: str = ""


@dataclass(frozen=True, slots=True)
class HostDesired:
    """As declared. `entries` are the addresses and FQDNs of the fleet's hosts that must resolve here,
    `elsewhere` the FQDNs declared without an IP address, which DNS must know; `mover` is the user of moves,
    if not root; `authority` the public key of the authority whose certificates its sshd shall accept, empty: none.
    """

    fqdn: str
    entries: tuple[tuple[str, str], ...]
    services: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()
    mover: str = ""
    authority: str = ""
