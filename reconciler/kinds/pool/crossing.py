"""What the pools of a VM's disks have against its move: not up, other storage, an unknown file system. Pure.

That both hosts see the same files is proven with a token right before a move; here only names are compared.
"""

from collections.abc import Iterator, Sequence

from reconciler.kinds.pool.mount import same_source
from reconciler.kinds.pool.state import PoolDesired, PoolState
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle
from reconciler.model.desired import View
from reconciler.model.ref import Place

SHARED_TYPES = frozenset(
    (
        "nfs",
        "nfs4",
        "gfs2",
        "ocfs2",
        "afs",
        "smb3",
        "cifs",
        "ceph",
        "gpfs",
        "fuse.glusterfs",
        "fuse.quobyte",
        "acfs",
        "beegfs",
    )
)


def hurdles(crossing: Crossing, view: View) -> Sequence[Hurdle]:
    """For each shared pool the VM's disks are in."""
    return [hurdle for pool in crossing.pools for hurdle in _pool(pool, crossing, view)]


def _pool(name: str, crossing: Crossing, view: View) -> Iterator[Hurdle]:
    host = crossing.destination
    item = view.at(Place("pool", host, name))
    here: PoolState | None = view.snapshot.get(Place("pool", crossing.source, name))
    there: PoolState | None = view.snapshot.get(Place("pool", host, name))
    if item is None or here is None:
        return
    want: PoolDesired = item.value
    if there is None or not there.active:
        said = f"pool {name} is not {'up' if there else 'defined'} on {host}"
        if want.active:
            yield Caution(f"{said} yet", "apply brings it up first")
        else:
            yield Blocker(said, "declare state: active")
        return
    if there.definition.target != here.definition.target:
        paths = f"{here.definition.target} on {crossing.source}, {there.definition.target} on {host}"
        yield Blocker(f"pool {name} has another path there: {paths}", "give it the same target on both hosts")
    if here.mounted_source and not same_source(here.mounted_source, there.mounted_source):
        sources = f"{here.mounted_source} and {there.mounted_source or 'nothing'}"
        yield Blocker(f"pool {name} is other storage there: {sources}", "mount the same source on both hosts")
    yield from _file_system(name, here, there)


def _file_system(name: str, here: PoolState, there: PoolState) -> Iterator[Hurdle]:
    for kind in sorted({here.mounted_type, there.mounted_type} - SHARED_TYPES - {""}):
        fix = "list its path in shared_filesystems of qemu.conf (libvirt 10 or newer)"
        yield Caution(f"pool {name} is on {kind}, which libvirt may not know as shared and refuse", fix)
