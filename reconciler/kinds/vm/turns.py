"""Cold moves take turns: no more VMs are off for one at a time than the limits on moves allow. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kinds.vm.actions import StartDomain
from reconciler.kinds.vm.offline_actions import ShutToMove
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View


def weave(actions: Sequence[Action], view: View) -> tuple[Sequence[Action], Sequence[Refusal]]:
    """Each VM that is shut down for a move waits for the one that makes room on each host, and in the fleet."""
    limits = view.fleet.limits
    starts = {action.place.name: action.id for action in actions if isinstance(action, StartDomain)}
    earlier: list[tuple[tuple[str, ...], str]] = []
    woven: list[Action] = []
    for action in actions:
        if not isinstance(action, ShutToMove) or action.place.name not in starts:
            woven.append(action)
            continue
        waits = [start for _, start in earlier][-limits.moves :][:1] if len(earlier) >= limits.moves else []
        for host in action.between:
            here = [start for hosts, start in earlier if host in hosts]
            waits += here[-limits.moves_per_host :][:1] if len(here) >= limits.moves_per_host else []
        earlier.append((action.between, starts[action.place.name]))
        woven.append(replace(action, after=tuple(dict.fromkeys((*action.after, *waits)))))
    return woven, ()
