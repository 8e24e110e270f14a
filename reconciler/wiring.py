"""The only file that knows the kinds, the adapters and the engine: it puts them together and does nothing else.

A new kind is one line in KINDS, in the order in which kinds are resolved and planned.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from reconciler.engine.once import Tools
from reconciler.kind import Kind
from reconciler.kinds import firewall, fleet, host, lease, pool, vm
from reconciler.model.outcome import Outcome, Progress
from reconciler.ports import Journal, NoLocks

KINDS: tuple[Kind, ...] = (
    fleet.KIND,
    host.KIND,
    firewall.KIND,
    pool.KIND,
    vm.KIND,
    lease.KIND,
)


@contextmanager
def real_tools(
    *,
    journal: Journal | None = None,
    deadline: float = 15.0,
    tell: Callable[[Progress | Outcome], None] = lambda event: None,
) -> Iterator[Tools]:
    """Real hosts; every connection is closed at the end. SSH and libvirt are imported only here."""
    from reconciler.adapters import failpoint
    from reconciler.adapters.clock import SystemClock
    from reconciler.adapters.fence import HostLocks
    from reconciler.adapters.hypervisor import LibvirtHypervisor
    from reconciler.adapters.journal import NoJournal
    from reconciler.adapters.patience import closing
    from reconciler.adapters.shell import SshShell
    from reconciler.adapters.signer import KeygenSigner

    shell = SshShell(connect_timeout=min(10.0, deadline))
    hypervisor: Any = LibvirtHypervisor(shell)
    kept = journal or NoJournal()
    locks = HostLocks(shell, kept.run, hypervisor.forget) if journal else NoLocks()
    try:
        signer = KeygenSigner()
        yield Tools(shell, hypervisor, SystemClock(), kept, failpoint.at, tell, deadline, locks, closing, signer)
    finally:
        hypervisor.close()
        shell.close()
