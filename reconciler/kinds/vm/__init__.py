"""Kind vm: domains, wherever they are: how they come to be, where they run, what they have, how they move."""

from reconciler.kind import Kind
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
from reconciler.kinds.vm.adopt import adopt
from reconciler.kinds.vm.compare import compare
from reconciler.kinds.vm.copy_actions import ClearCopy, DeleteOldCopy
from reconciler.kinds.vm.cpu import ask
from reconciler.kinds.vm.crossing import ways
from reconciler.kinds.vm.home_action import NoteHome
from reconciler.kinds.vm.live import run
from reconciler.kinds.vm.measure import Measure
from reconciler.kinds.vm.offline_actions import DropArrival, FinishArrival, ForgetStop, MoveOffline, ShutToMove
from reconciler.kinds.vm.pace import measured
from reconciler.kinds.vm.plan import plan
from reconciler.kinds.vm.prune_actions import AllowPrune, DeleteDomain
from reconciler.kinds.vm.resolve import attachments, resolve
from reconciler.kinds.vm.spec import VirtualMachineSpec
from reconciler.kinds.vm.state import DomainState, Room
from reconciler.kinds.vm.tenancy import settle, tenancy
from reconciler.kinds.vm.turns import weave
from reconciler.kinds.vm.wire import facts, read

KIND = Kind(
    name="vm",
    yaml="VirtualMachine",
    spec=VirtualMachineSpec,
    states=(DomainState, Room),
    actions=(
        AdoptDomain,
        CloneDomain,
        DefineDomain,
        StartDomain,
        StopDomain,
        SetAutostart,
        SetResources,
        MoveLive,
        FollowMove,
        ResumeDomain,
        RecoverMove,
        FinishMove,
        ProveDomain,
        Measure,
        ClearCopy,
        DeleteOldCopy,
        ShutToMove,
        MoveOffline,
        FinishArrival,
        DropArrival,
        ForgetStop,
        AllowPrune,
        NoteHome,
        DeleteDomain,
    ),
    resolve=resolve,
    facts=facts,
    read=read,
    compare=compare,
    plan=plan,
    run=run,
    weave=weave,
    ways=ways,
    ask=ask,
    pace=measured,
    attachments=attachments,
    adopt=adopt,
    tenancy=tenancy,
    settle=settle,
)
