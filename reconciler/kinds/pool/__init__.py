"""Kind StoragePool: libvirt pools on the selected hosts, up or not, and proven to be shared where they must be."""

from reconciler.kind import Kind
from reconciler.kinds.pool.actions import (
    BuildPool,
    DefinePool,
    ProveShared,
    SetPoolAutostart,
    StartPool,
    StopPool,
    SweepTokens,
)
from reconciler.kinds.pool.adopt import adopt
from reconciler.kinds.pool.crossing import hurdles
from reconciler.kinds.pool.live import run
from reconciler.kinds.pool.plan import compare, plan, weave
from reconciler.kinds.pool.resolve import resolve
from reconciler.kinds.pool.spec import StoragePoolSpec
from reconciler.kinds.pool.state import PoolState
from reconciler.kinds.pool.wire import facts, read

KIND = Kind(
    name="pool",
    yaml="StoragePool",
    spec=StoragePoolSpec,
    states=(PoolState,),
    actions=(DefinePool, BuildPool, StartPool, StopPool, SetPoolAutostart, SweepTokens, ProveShared),
    resolve=resolve,
    facts=facts,
    read=read,
    compare=compare,
    plan=plan,
    run=run,
    hurdles=hurdles,
    weave=weave,
    adopt=adopt,
)
