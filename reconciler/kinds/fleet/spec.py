"""The YAML of kind Fleet: what a pass may do, and the defaults of hosts and moves."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from reconciler.fields import Connections, Duration, Hosts, Overcommit, Port, Rate, Size, Strict, User, Watch
from reconciler.model.disruption import Disruption
from reconciler.moments import Day, Moment, TimeOfDay, Timezone

Cap = Literal["none", "live", "next-boot", "restart", "move-live", "move-cold", "recreate", "delete"]
Count = Annotated[int, Field(ge=0, le=10_000)]


class LinkSpec(Strict):
    """A link that hosts share: one for all of `hosts`, or an uplink for each value of the host label `over`."""

    hosts: Hosts | None = None
    over: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    moves: Annotated[int, Field(ge=1, le=1000)] = 1
    bandwidth: Rate | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "LinkSpec":
        if (self.hosts is None) == (self.over is None):
            raise ValueError("a link is of hosts, or over the values of a host label; write one of the two")
        return self


class LimitsSpec(Strict):
    """What one pass may do unasked."""

    moves_per_host: Annotated[int, Field(ge=1, le=100)] = 2
    moves: Annotated[int, Field(ge=1, le=1000)] = 4
    deletes_per_pass: Count = 0
    disruption: Cap = Disruption.MOVE_LIVE.value
    moves_per_pass: Annotated[int, Field(ge=1, le=100_000)] | None = None
    bytes_per_pass: Size | None = None
    cool_down: Duration = 0.0
    links: list[LinkSpec] = []


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
    overcommit: Overcommit = Overcommit()


class SuspendSpec(Strict):
    """No scheduled pass changes anything, until a moment or until this is taken away."""

    until: Moment | None = None
    reason: Annotated[str, Field(max_length=200)] = ""


class WindowSpec(Strict):
    """A time of the day, on the days it begins on, in which scheduled passes may do what disturbs."""

    days: Annotated[list[Day], Field(min_length=1)] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    timezone: Timezone = "UTC"
    disruption: Cap = Disruption.DELETE.value

    @model_validator(mode="after")
    def _not_empty(self) -> "WindowSpec":
        if self.start == self.end:
            raise ValueError("the window ends as it begins; write 00:00 to 24:00 for a whole day")
        return self


Suspend = Annotated[
    Annotated[bool, Tag("yes or no")] | Annotated[SuspendSpec, Tag("until")],
    Discriminator(lambda value: "until" if isinstance(value, dict | SuspendSpec) else "yes or no"),
]


class FleetSpec(Strict):
    """One per set of specs."""

    mode: Literal["observe", "propose", "apply"] = "apply"
    interval: Duration = 300.0
    suspend: Suspend = False
    windows: list[WindowSpec] = []
    limits: LimitsSpec = LimitsSpec()
    host_failures: Annotated[int, Field(ge=0, le=1)] = 0
    defaults: Defaults = Defaults()
