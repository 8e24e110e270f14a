"""What a storage pool is and shall be: its definition, whether it is up, what is mounted, and how much room is left.

Values only; sizes are bytes.
"""

from dataclasses import dataclass, field

VOLATILE = {"volatile": True}


@dataclass(frozen=True, slots=True)
class Definition:
    """The part of a pool's XML that people declare; `protocol` is the NFS version, empty for what mount picks."""

    type: str
    target: str = ""
    host: str = ""
    dir: str = ""
    format: str = ""
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class VolumeState:
    """One volume; sizes in bytes."""

    name: str
    path: str
    capacity: int = field(default=0, metadata=VOLATILE)
    allocation: int = field(default=0, metadata=VOLATILE)


@dataclass(frozen=True, slots=True)
class PoolState:
    """One pool of one host. `mounted_type` and `mounted_source` are what is mounted at the target, empty when
    nothing is (or nobody asked, as the pool is not declared). `capacity` is zero while it is inactive. `tokens` are
    paths of this fleet's storage proofs that were not taken away.
    """

    uuid: str
    definition: Definition
    active: bool = False
    autostart: bool = False
    mounted_type: str = ""
    mounted_source: str = ""
    capacity: int = field(default=0, metadata=VOLATILE)
    allocation: int = field(default=0, metadata=VOLATILE)
    available: int = field(default=0, metadata=VOLATILE)
    volumes: tuple[VolumeState, ...] = field(default=(), metadata=VOLATILE)
    tokens: tuple[str, ...] = field(default=(), metadata=VOLATILE)


@dataclass(frozen=True, slots=True)
class PoolDesired:
    """One StoragePool document on one host; None means: not managed. `min_free` is bytes."""

    definition: Definition
    active: bool | None = True
    autostart: bool | None = None
    shared: bool = False
    min_free: int = 0
