"""What stands against a declared way of copying memory: post-copy and parallel connections. Pure.

Only where the move's policy allows it; a plain copy needs nothing of this.
"""

from collections.abc import Iterator

from reconciler.kinds.vm.state import Room, VmDesired
from reconciler.model.crossing import Blocker

_PARALLEL_POST_COPY = (10, 1)
"""Below this QEMU a VM that switches to post-copy over parallel connections ends shut off."""


def switching(want: VmDesired, there: Room, copies: bool, *versions: tuple[int, ...]) -> Iterator[Blocker]:
    """`copies`: do disks go along? `versions` are QEMU's on both hosts, empty where unknown."""
    if not want.moves.post_copy:
        return
    if copies:
        fix = "leave out migration.postCopy, or put the disks into a shared pool"
        yield Blocker("its disks are copied, and a post-copy that broke could then not be recovered", fix)
    if there.userfault == "0":
        fix = f"`sysctl -w vm.unprivileged_userfaultfd=1` on {want.host} and in its sysctl.d, or postCopy: false"
        yield Blocker(f"post-copy is allowed, and QEMU may not use userfaultfd on {want.host}", fix)
    if want.moves.connections and any(version < _PARALLEL_POST_COPY for version in versions):
        fix = "leave out migration.connections or migration.postCopy"
        yield Blocker("post-copy over parallel connections needs QEMU 10.1 or newer on both hosts", fix)
