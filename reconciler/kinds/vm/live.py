"""VM actions on real hosts: hands each to the file that knows it, and keeps the small ones.

Before anything starts, every host is asked whether the VM runs there (law 3); silence is no answer.
"""

from reconciler.errors import NeedsHuman, Refused
from reconciler.kinds.vm import copies
from reconciler.kinds.vm.actions import (
    AdoptDomain,
    CloneDomain,
    DefineDomain,
    FinishMove,
    FollowMove,
    MoveLive,
    ProveDomain,
    RecoverMove,
    ResumeDomain,
    SetAutostart,
    SetResources,
    StartDomain,
    StopDomain,
)
from reconciler.kinds.vm.cloning import clone
from reconciler.kinds.vm.copy_actions import ClearCopy, DeleteOldCopy
from reconciler.kinds.vm.domain_xml import with_resources
from reconciler.kinds.vm.following import follow, moved
from reconciler.kinds.vm.home_action import NoteHome
from reconciler.kinds.vm.measure import Measure
from reconciler.kinds.vm.offline import drop, finish, forget, move_offline, note, prepare
from reconciler.kinds.vm.offline_actions import DropArrival, FinishArrival, ForgetStop, MoveOffline, ShutToMove
from reconciler.kinds.vm.proving import prove
from reconciler.kinds.vm.prune_actions import AllowPrune, DeleteDomain
from reconciler.kinds.vm.recovering import conclude, recover
from reconciler.kinds.vm.removing import allow, remove
from reconciler.kinds.vm.resuming import resume
from reconciler.kinds.vm.stopping import present, stop
from reconciler.kinds.vm.watching import watch
from reconciler.kinds.vm.wire import MARK, read_domain, write_mark
from reconciler.model.action import Action
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import DomainReading


def run(action: Action, hands: Hands) -> Done:
    """Carry out one VM action."""
    card = hands.hosts[action.place.host]
    match action:
        case CloneDomain():
            return clone(action, hands)
        case RecoverMove():
            return recover(action, hands)
        case FinishMove():
            return conclude(action, hands)
        case MoveLive():
            return moved(action, hands)
        case FollowMove():
            return follow(action, hands)
        case ResumeDomain():
            return resume(action, hands)
        case MoveOffline():
            return move_offline(action, hands)
        case FinishArrival():
            return finish(action, hands)
        case DropArrival():
            return drop(action, hands)
        case ForgetStop():
            return forget(action, hands)
        case ShutToMove(uuid=uuid, wait=wait):
            going = prepare(action, hands)
            return stop(card, uuid, wait, hands) if going else Done("is off already", changed=False)
        case ProveDomain():
            return prove(action, hands)
        case Measure():
            return watch(action, hands)
        case ClearCopy():
            return copies.clear(action, hands)
        case DeleteOldCopy():
            return copies.delete_old(action, hands)
        case AllowPrune():
            return allow(action, hands)
        case NoteHome(uuid=uuid, home=home):
            note(card, present(card, uuid, hands), hands, home=home)
            return Done("noted" if home else "the note is gone")
        case DeleteDomain():
            return remove(action, hands)
        case DefineDomain():
            return _define(action, card, hands)
        case AdoptDomain(uuid=uuid, fleet=fleet):
            hands.hypervisor.set_metadata(card, uuid, MARK, write_mark(fleet))
            return Done("marked")
        case StartDomain(uuid=uuid):
            return _start(card, uuid, hands)
        case StopDomain(uuid=uuid, wait=wait):
            return stop(card, uuid, wait, hands)
        case SetAutostart(uuid=uuid, on=on):
            hands.hypervisor.set_autostart(card, uuid, on)
            return Done(f"autostart {'on' if on else 'off'}")
        case SetResources(uuid=uuid, vcpus=vcpus, memory=memory):
            xml = hands.hypervisor.domain_xml(card, uuid)
            hands.hypervisor.define_domain(card, with_resources(xml, vcpus, memory))
            return Done("defined")
        case _:
            raise TypeError(f"not a VM action: {action.id}")


def _define(action: DefineDomain, card: HostCard, hands: Hands) -> Done:
    for other in hands.others(card.name):
        if hands.hypervisor.domain(other, action.uuid) is not None:
            raise NeedsHuman(f"{action.place.name} is on {other.name} by now", "plan again")
    hands.hypervisor.define_domain(card, action.xml)
    return Done(f"uuid {action.uuid}")


def _start(card: HostCard, uuid: str, hands: Hands) -> Done:
    here = present(card, uuid, hands)
    if here.state == "running":
        _awake(card, here, hands)
        return Done("runs already", changed=False)
    for other in hands.others(card.name):
        seen = hands.hypervisor.domain(other, uuid)
        if seen is not None and seen.state != "shutoff":
            raise NeedsHuman(
                f"{here.name} is {seen.state} on {other.name}; it was not started on {card.name}",
                "find out which host shall have it",
            )
    hands.at("start.asked")
    hands.hypervisor.start_domain(card, uuid)
    now = present(card, uuid, hands)
    if now.state != "running":
        fix = f"see its log in {card.name}:/var/log/libvirt/qemu"
        raise Refused(card.name, f"{here.name} was started and is {now.state}", fix)
    _awake(card, now, hands)
    return Done("running")


def _awake(card: HostCard, reading: DomainReading, hands: Hands) -> None:
    """A cold move ends when it runs again."""
    if read_domain(reading, {}).resume:
        hands.at("start.started")
        note(card, reading, hands, resume="")
