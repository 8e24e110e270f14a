"""Kind lease: temporary access between two hosts for one move, and the sweep of whatever was left of one."""

from reconciler.kind import Kind
from reconciler.kinds.lease.actions import ClosePort, GrantAccess, OpenPort, RevokeAccess
from reconciler.kinds.lease.crossing import hurdles
from reconciler.kinds.lease.live import run
from reconciler.kinds.lease.plan import compare, plan
from reconciler.kinds.lease.reach import ask
from reconciler.kinds.lease.resolve import resolve
from reconciler.kinds.lease.state import Gate, LeaseState, Papers
from reconciler.kinds.lease.weave import weave
from reconciler.kinds.lease.wire import facts, read

KIND = Kind(
    name="lease",
    yaml="",
    spec=None,
    states=(LeaseState, Gate, Papers),
    actions=(GrantAccess, OpenPort, ClosePort, RevokeAccess),
    resolve=resolve,
    facts=facts,
    read=read,
    compare=compare,
    plan=plan,
    run=run,
    hurdles=hurdles,
    ask=ask,
    weave=weave,
    uses_inventory=False,
)
