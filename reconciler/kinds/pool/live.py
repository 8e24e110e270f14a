"""Pool actions on the real host: libvirt does the work, the mount table and a token are the proof."""

from reconciler.errors import Refused
from reconciler.kinds.pool.actions import (
    BuildPool,
    DefinePool,
    ProveShared,
    SetPoolAutostart,
    StartPool,
    StopPool,
    SweepTokens,
)
from reconciler.kinds.pool.mounted import mounted
from reconciler.kinds.pool.proof import prove_shared, sweep
from reconciler.kinds.pool.wire import amend_pool, read_pool
from reconciler.model.action import Action
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import PoolReading


def run(action: Action, hands: Hands) -> Done:
    """Carry out one pool action; raises Refused when libvirt says no or the proof fails."""
    card, pool = hands.hosts[action.place.host], action.place.name
    match action:
        case DefinePool(xml=xml):
            return _define(card, pool, xml, hands)
        case BuildPool(target=target):
            if _seen(card, pool, hands).active:
                return Done(f"pool {pool} is active already", changed=False)
            hands.hypervisor.build_pool(card, pool)
            return Done(f"{target} is there")
        case StartPool():
            return _start(card, action, hands)
        case StopPool():
            return _stop(card, pool, hands)
        case SetPoolAutostart(on=on):
            changed = _seen(card, pool, hands).autostart != on
            hands.hypervisor.set_pool_autostart(card, pool, on)
            return Done(f"autostart is {'on' if on else 'off'}", changed=changed)
        case ProveShared():
            return prove_shared(action, hands)
        case SweepTokens():
            return sweep(action, hands)
        case _:
            raise TypeError(f"not a pool action: {action.id}")


def _define(card: HostCard, pool: str, xml: str, hands: Hands) -> Done:
    """A pool that exists keeps what nobody declares; one that is so already is left alone."""
    found = _find(card, pool, hands)
    if found is not None and read_pool(found.xml)[2] == read_pool(xml)[2]:
        return Done(f"pool {pool} is defined so already", changed=False)
    if found is not None and found.active:
        raise Refused(card.name, f"pool {pool} became active; it can be redefined only while inactive", "plan again")
    hands.hypervisor.define_pool(card, amend_pool(found.xml, xml) if found else xml)
    return Done(f"pool {pool} is defined")


def _find(card: HostCard, pool: str, hands: Hands) -> PoolReading | None:
    return next((reading for reading in hands.hypervisor.inventory(card).pools if reading.name == pool), None)


def _seen(card: HostCard, pool: str, hands: Hands) -> PoolReading:
    found = _find(card, pool, hands)
    if found is None:
        raise Refused(card.name, f"libvirt knows no pool {pool}", "make a new plan")
    return found


def _start(card: HostCard, action: StartPool, hands: Hands) -> Done:
    """Its target is made first: a pass killed between define and build leaves a pool that cannot start."""
    pool = action.place.name
    changed = not _seen(card, pool, hands).active
    if changed:
        try:
            hands.hypervisor.build_pool(card, pool)
            hands.hypervisor.start_pool(card, pool)
        except Refused as error:
            reason = f"libvirt could not start pool {pool}: {error.reason.strip()}"
            raise Refused(card.name, reason, _fix(action)) from error
    if action.source and not mounted(card, action.target, hands):
        raise Refused(card.name, f"pool {pool} is active, but nothing is mounted at {action.target}", _fix(action))
    hands.hypervisor.refresh_pool(card, pool)
    return Done(f"pool {pool} is active", changed=changed)


def _fix(action: StartPool) -> str:
    """What is usually wrong when a mount fails."""
    host, pool = action.place.host, action.place.name
    if not action.source:
        return f"is {action.target} a directory libvirt may read? `virsh pool-build {pool}` on {host} makes it"
    return (
        f"on {host}: does the server's name resolve, does it export {action.source} to this host, "
        f"and is {action.target} a directory (`virsh pool-build {pool}`)?"
    )


def _stop(card: HostCard, pool: str, hands: Hands) -> Done:
    if not _seen(card, pool, hands).active:
        return Done(f"pool {pool} is inactive already", changed=False)
    hands.hypervisor.stop_pool(card, pool)
    return Done(f"pool {pool} is inactive; its files stay")
