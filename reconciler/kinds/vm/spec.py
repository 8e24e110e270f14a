"""The YAML of kind VirtualMachine: where it runs, how it comes to be, what it has, how it moves."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from reconciler.fields import Connections, Duration, Hosts, Mac, Name, Port, Rate, Size, Strict, Watch

VolumeName = Annotated[Name, Field(max_length=63)]


Label = Annotated[str, Field(min_length=1, max_length=63)]
VmRef = Annotated[str, Field(pattern=r"^vm/[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Hold = Literal["always", "end"]


class SpreadSpec(Strict):
    """VMs with one value of the VM label `label`: at most `most` on one host, or in one value of the host label `over`.

    `hold` says when: at every instant, also while others move, or at the end of a pass.
    """

    label: Label
    over: Label | None = None
    most: Annotated[int, Field(ge=1, le=1000)] = 1
    hold: Hold = "always"


class GatherSpec(Strict):
    """VMs with one value of `label` on one host, or in one value of the host label `over`; at the end of a pass."""

    label: Label
    over: Label | None = None


class AvoidSpec(Strict):
    """VMs that it shares no host with."""

    vms: Annotated[list[VmRef], Field(min_length=1)]
    hold: Hold = "always"


def _shape(value: object) -> str:
    return "short" if isinstance(value, str | list) else "long"


Spread = Annotated[
    Annotated[Label, Tag("short")] | Annotated[SpreadSpec, Tag("long")],
    Discriminator(_shape),
]
Gather = Annotated[
    Annotated[Label, Tag("short")] | Annotated[GatherSpec, Tag("long")],
    Discriminator(_shape),
]
Avoid = Annotated[
    Annotated[list[VmRef], Tag("short")] | Annotated[AvoidSpec, Tag("long")],
    Discriminator(_shape),
]
POLICY = ("hosts", "spread", "gather", "avoid", "near", "priority", "sticky")


class PlacementSpec(Strict):
    """Where the VM shall run: one host, or a policy. `drain` is its word for when its host is in maintenance."""

    host: Name | None = None
    hosts: Hosts = "all"
    spread: Spread | None = None
    gather: Gather | None = None
    avoid: Avoid = []
    near: list[VmRef] = []
    priority: Annotated[int, Field(ge=0, le=1000)] = 0
    sticky: bool = False
    drain: Literal["live", "cold", "stop", "stay"] = "live"

    @model_validator(mode="after")
    def _host_or_policy(self) -> "PlacementSpec":
        said = [name for name in POLICY if name in self.model_fields_set]
        if self.host and said:
            raise ValueError(f"`placement` needs `host` or a policy, not both: host, {', '.join(said)}")
        if not self.host and not said:
            raise ValueError("`placement` needs `host`, or a policy such as `hosts: all`")
        return self


class DiskSpec(Strict):
    """One disk of a clone: which disk of the base it copies, and the volume it becomes."""

    target: Annotated[Name, Field(max_length=8)]
    pool: Name
    volume: VolumeName
    format: Literal["qcow2", "raw"] = "qcow2"


class CloneSpec(Strict):
    """A full copy of a shut-off VM."""

    from_: Name = Field(alias="from")
    mode: Literal["full"] = "full"
    disks: list[DiskSpec] = []


class SourceSpec(Strict):
    """How the VM comes to be if it does not exist: exactly one of these."""

    clone: CloneSpec | None = None
    domain_xml: str | None = Field(
        default=None, alias="domainXML", description="path of a libvirt domain XML beside this file"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "SourceSpec":
        if (self.clone is None) == (self.domain_xml is None):
            raise ValueError("`source` needs exactly one of clone, domainXML")
        return self


class InterfaceSpec(Strict):
    """One NIC; a MAC left out is generated from the fleet's and the VM's name."""

    mac: Mac | None = None
    network: Name | None = None
    bridge: Name | None = None

    @model_validator(mode="after")
    def _not_both(self) -> "InterfaceSpec":
        if self.network and self.bridge:
            raise ValueError("an interface is on a network or on a bridge, not on both")
        return self


class MigrationSpec(Strict):
    """How the VM moves; what is left out comes from Fleet.defaults.migration."""

    method: Literal["live", "cold", "auto"] | None = None
    auto_converge: bool | None = None
    post_copy: bool | None = None
    max_downtime: Duration | None = None
    compress: bool | None = None
    bandwidth: Rate | None = None
    timeout: Duration | None = None
    on_timeout: Literal["abort", "suspend", "post-copy"] | None = None
    connections: Connections | None = None
    unsafe: bool | None = None
    measure: Watch | None = None
    storage: Literal["shared", "copy"] | None = None
    old_copy: Literal["keep", "delete"] | None = None
    encrypt: Literal["auto", "required", "off"] | None = None


class CheckSpec(Strict):
    """One proof that the VM is alive, asked from the host it runs on: a TCP port that opens, or an SSH banner."""

    tcp: Port | None = None
    ssh: Literal["banner"] | None = None
    port: Port = 22
    address: Annotated[str, Field(pattern=r"^[0-9.]{7,15}$")] | None = None
    timeout: Duration = 60.0

    @model_validator(mode="after")
    def _exactly_one(self) -> "CheckSpec":
        if (self.tcp is None) == (self.ssh is None):
            raise ValueError("a check is exactly one of tcp, ssh")
        return self


class VirtualMachineSpec(Strict):
    """One VM. A field left out is not managed."""

    placement: PlacementSpec
    power: Literal["running", "stopped", "unmanaged"] = "unmanaged"
    autostart: bool | None = None
    source: SourceSpec | None = None
    vcpus: Annotated[int, Field(ge=1, le=1024)] | None = None
    memory: Size | None = None
    interfaces: list[InterfaceSpec] | None = None
    migration: MigrationSpec = MigrationSpec()
    checks: list[CheckSpec] = []
    prune: Literal["never", "allowed"] = "never"
