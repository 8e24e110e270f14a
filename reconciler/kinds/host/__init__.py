"""Kind Host: FQDN, resolution of the other hosts, services, and the card by which the fleet knows it."""

from reconciler.kind import Kind
from reconciler.kinds.host.actions import MakeMover, RunService, SetHostname, TrustAuthority, WriteHostsBlock
from reconciler.kinds.host.adopt import adopt
from reconciler.kinds.host.crossing import hurdles
from reconciler.kinds.host.live import run
from reconciler.kinds.host.plan import compare, plan
from reconciler.kinds.host.resolve import resolve
from reconciler.kinds.host.spec import HostSpec
from reconciler.kinds.host.state import HostState
from reconciler.kinds.host.wire import facts, read

KIND = Kind(
    name="host",
    yaml="Host",
    spec=HostSpec,
    states=(HostState,),
    actions=(SetHostname, WriteHostsBlock, RunService, MakeMover, TrustAuthority),
    resolve=resolve,
    facts=facts,
    read=read,
    compare=compare,
    plan=plan,
    run=run,
    hurdles=hurdles,
    uses_inventory=False,
    adopt=adopt,
)
