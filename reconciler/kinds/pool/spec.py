"""The YAML of kind StoragePool: a libvirt pool on a set of hosts."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.fields import AbsolutePath, Address, Hosts, Size, Strict


class SourceSpec(Strict):
    """Where a network pool comes from; leave `protocolVersion` out only if the server speaks what mount picks."""

    host: Address
    dir: AbsolutePath
    format: Literal["nfs", "glusterfs", "cifs"] = "nfs"
    protocol_version: Annotated[str, Field(pattern=r"^[1-9](\.[0-9])?$")] | None = None


class StoragePoolSpec(Strict):
    """A pool: what it is, where it is mounted, whether it is up, and whether all hosts see the same files."""

    hosts: Hosts = "all"
    type: Literal["dir", "netfs"]
    source: SourceSpec | None = None
    target: AbsolutePath
    state: Literal["active", "inactive"] | None = "active"
    autostart: bool | None = None
    shared: bool = False
    min_free: Size = 0

    @model_validator(mode="after")
    def _source_fits_type(self) -> "StoragePoolSpec":
        if self.type == "netfs" and self.source is None:
            raise ValueError("a netfs pool needs `source` with host, dir and format")
        if self.type == "dir" and self.source is not None:
            raise ValueError("a dir pool has no `source`")
        return self
