"""The YAML of kind Host: its name, how to reach it, its migration channel, what it keeps for itself."""

from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from reconciler.fields import Address, Fqdn, Name, Overcommit, Port, PortRange, Rate, Size, Strict, User

_KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def _host_key(value: Any) -> str:
    words = value.split() if isinstance(value, str) else []
    if len(words) < 2 or words[0] not in _KEY_TYPES or not words[1].startswith("AAAA"):
        raise ValueError("not an SSH public key; paste a line of /etc/ssh/ssh_host_ed25519_key.pub")
    return f"{words[0]} {words[1]}"


HostKey = Annotated[
    str,
    PlainValidator(_host_key),
    WithJsonSchema({"type": "string", "description": "a line of /etc/ssh/ssh_host_*_key.pub"}),
]


class ConnectionSpec(Strict):
    """How the reconciler logs in; what is left out comes from Fleet.defaults.connection."""

    user: User | None = None
    port: Port | None = None
    identity_file: str | None = None
    known_hosts_file: str | None = None
    host_keys: list[HostKey] = []


class MigrationSpec(Strict):
    """NIC and ports of the data channel; default: the address the reconciler reached, 49152-49215.

    `bandwidth` is what that NIC carries; it makes the timetable of a plan true and changes no move.
    """

    address: Address | None = None
    ports: PortRange | None = None
    bandwidth: Rate | None = None


class ReserveSpec(Strict):
    """What VMs must leave to the host."""

    memory: Size = 0


class HostSpec(Strict):
    """One libvirt host."""

    fqdn: Fqdn
    address: Address | None = None
    connection: ConnectionSpec = ConnectionSpec()
    migration: MigrationSpec = MigrationSpec()
    services: list[Name] = Field(default=["libvirtd"], description="units kept active and enabled")
    maintenance: bool = False
    reserve: ReserveSpec = ReserveSpec()
    overcommit: Overcommit | None = None
