"""The YAML of kind Fleet: what a pass may do, and the defaults of hosts and moves."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.fields import Connections, Duration, Port, Rate, Strict, User, Watch
from reconciler.model.disruption import Disruption

Cap = Literal["none", "live", "next-boot", "restart", "move-live", "move-cold", "recreate", "delete"]
Count = Annotated[int, Field(ge=0, le=10_000)]


class LimitsSpec(Strict):
    """What one pass may do unasked."""

    moves_per_host: Annotated[int, Field(ge=1, le=100)] = 2
    moves: Annotated[int, Field(ge=1, le=1000)] = 4
    deletes_per_pass: Count = 0
    disruption: Cap = Disruption.MOVE_LIVE.value


class ConnectionDefaults(Strict):
    """How the reconciler logs in where a Host does not say otherwise."""

    user: User = "root"
    port: Port = 22
    identity_file: str = ""
    known_hosts_file: str = ""


class AccessSpec(Strict):
    """Access leases between hosts; with mode none only the data port is leased, and no host logs in on another."""

    mode: Literal["key", "none", "certificate"] = "key"
    authority_file: str = ""
    authority_key: str = ""
    key_type: Literal["ed25519", "rsa-4096"] = "ed25519"
    lifetime: Duration = 900.0
    user: User = "root"


class MigrationDefaults(Strict):
    """How VMs move where a VM does not say otherwise."""

    method: Literal["live", "cold", "auto"] = "live"
    auto_converge: bool = False
    post_copy: bool = False
    max_downtime: Duration | None = None
    compress: bool = False
    bandwidth: Rate | None = None
    timeout: Duration = 600.0
    on_timeout: Literal["abort", "suspend", "post-copy"] = "abort"
    connections: Connections = 0
    unsafe: bool = False
    measure: Watch = 2.0
    storage: Literal["shared", "copy"] = "shared"
    old_copy: Literal["keep", "delete"] = "keep"
    encrypt: Literal["auto", "required", "off"] = "auto"


class Defaults(Strict):
    """Filled in where an object says nothing."""

    connection: ConnectionDefaults = ConnectionDefaults()
    access: AccessSpec = AccessSpec()
    migration: MigrationDefaults = MigrationDefaults()


class FleetSpec(Strict):
    """One per set of specs."""

    mode: Literal["observe", "propose", "apply"] = "apply"
    interval: Duration = 300.0
    suspend: bool = False
    limits: LimitsSpec = LimitsSpec()
    defaults: Defaults = Defaults()
