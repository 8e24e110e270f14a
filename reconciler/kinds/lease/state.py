"""Access between hosts as it was seen: what a lease left on a host, and the gate a migration passes through.

Values and our own marks only. A lease is never declared; all that is seen without a running move is drift.
"""

from dataclasses import dataclass, field

VOLATILE = {"volatile": True}
PRIORITY = "-24242"
TAG = "reconciler-lease:"
FOLDER = "/run/reconciler/leases"
KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"


@dataclass(frozen=True, slots=True)
class LeaseState:
    """One piece of a lease on one host.

    `what` is key (a line that lets a peer in), secret (a private key and its known_hosts lines), port (a timed rule) or
    port-permanent (such a rule made permanent by somebody). `until` is as the host writes it.
    """

    what: str
    lease: str = ""
    domain: str = ""
    user: str = ""
    zone: str = ""
    peer: str = ""
    port: int = 0
    until: str = ""


@dataclass(frozen=True, slots=True)
class Papers:
    """A host's certificates for QEMU's own TLS, in the folder where QEMU looks; times are seconds since 1970.

    `wrong` is what keeps them from being used, `authority` a print of the CA file, `covers` which of the host's FQDN
    and migration address the server's certificate is for.
    """

    folder: str
    authority: str = ""
    since: int = 0
    until: int = 0
    covers: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """How migrations reach a host: address and zone of its NIC, TCP ports open there to everyone, ports in use.

    `clock` is the host's own, in seconds since 1970; 0 where it was not told.
    """

    address: str
    zone: str = ""
    firewall: bool = False
    allowed: tuple[tuple[int, int], ...] = field(default=(), metadata=VOLATILE)
    listening: tuple[int, ...] = field(default=(), metadata=VOLATILE)
    clock: int = field(default=0, metadata=VOLATILE)
