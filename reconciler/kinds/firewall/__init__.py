"""Kind Firewall: firewalld's state and zones, runtime and permanent, on the selected hosts."""

from reconciler.kind import Kind
from reconciler.kinds.firewall.actions import AddToZone, NewZone, Reload, RemoveFromZone, StartFirewall
from reconciler.kinds.firewall.adopt import adopt
from reconciler.kinds.firewall.live import run
from reconciler.kinds.firewall.plan import compare, plan
from reconciler.kinds.firewall.resolve import resolve
from reconciler.kinds.firewall.spec import FirewallSpec
from reconciler.kinds.firewall.state import FirewallState
from reconciler.kinds.firewall.weave import weave
from reconciler.kinds.firewall.wire import facts, read

KIND = Kind(
    name="firewall",
    yaml="Firewall",
    spec=FirewallSpec,
    states=(FirewallState,),
    actions=(StartFirewall, NewZone, Reload, AddToZone, RemoveFromZone),
    resolve=resolve,
    facts=facts,
    read=read,
    compare=compare,
    plan=plan,
    run=run,
    weave=weave,
    uses_inventory=False,
    adopt=adopt,
)
