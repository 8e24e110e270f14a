"""Which host a VM was drained from, and what is noted of that on the domain. Pure.

Sends nobody home: that is for placing to say, where it fits.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.kinds.vm.home_action import NoteHome
from reconciler.kinds.vm.state import DomainState, VmDesired
from reconciler.model.action import Action, Refusal
from reconciler.model.desired import View
from reconciler.model.ref import Place

HOME = "drained from"
Steps = list[Action | Refusal]


def home_of(want: VmDesired, at: str, state: DomainState, view: View) -> str:
    """The host to note once it is where it is wanted; the first of several drains counts, as long as it may be there.

    Empty at home and without a drain. A declared host needs no note to go back to, but the word to go back cold does.
    """
    declared = (want.declared,) if want.drain == "cold" and want.declared else ()
    allowed = want.policy.hosts if want.policy else declared
    if state.home in allowed:
        return state.home if want.host != state.home else ""
    card = view.fleet.hosts.get(at)
    drained = want.host != at and at in allowed and card is not None and card.maintenance
    return at if drained else ""


def noting(
    want: VmDesired,
    seen: tuple[Place, DomainState],
    view: View,
    before: Sequence[str],
    go: Callable[[list[str]], Steps],
) -> Steps:
    """The steps that `go` gives after `before`, and the note: before it leaves, or once it is home.

    So a pass that is killed between never forgets a home, and never keeps a note of where it did not leave.
    """
    place, state = seen
    home = home_of(want, place.host, state, view)
    if home == state.home:
        return go([*before])
    note = NoteHome(place=place, uuid=state.uuid, home=home, was=state.home, needs=tuple(before))
    if want.host != state.home:
        reason = f"{home} is in maintenance" if home else f"its placement allows {state.home} no longer"
        return [replace(note, reason=reason), *go([*before, note.id])]
    steps = go([*before])
    ends = tuple(step.id for step in steps if isinstance(step, Action) and step.between)
    if place.host != want.host and not ends:
        return steps
    there = Place("vm", want.host, want.name)
    return [*steps, replace(note, place=there, needs=(*before, *ends), reason="it is home")]
