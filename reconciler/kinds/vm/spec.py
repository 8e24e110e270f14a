"""The YAML of kind VirtualMachine: where it runs, how it comes to be, what it has, how it moves."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.fields import Connections, Duration, Mac, Name, Port, Rate, Size, Strict, Watch

VolumeName = Annotated[Name, Field(max_length=63)]


class PlacementSpec(Strict):
    """Where the VM shall run."""

    host: Name


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
