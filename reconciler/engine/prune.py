"""What has lost its reason leaves the plan: after a refusal, whatever needed it, served only it, or closed after it.

Pure; refuses nothing itself.
"""

from collections.abc import Sequence

from reconciler.model.action import Action


def prune(actions: Sequence[Action]) -> tuple[Action, ...]:
    """The actions that still make sense together, in their order."""
    kept = tuple(actions)
    while True:
        ids = {action.id for action in kept}
        needed = {before for action in kept for before in (*action.needs, *action.after)}
        fewer = tuple(action for action in kept if _makes_sense(action, ids, needed))
        if len(fewer) == len(kept):
            return kept
        kept = fewer


def _makes_sense(action: Action, ids: set[str], needed: set[str]) -> bool:
    if not all(need in ids for need in action.needs):
        return False
    if action.serving and action.id not in needed:
        return False
    return not (action.closes and action.after and not any(before in ids for before in action.after))
