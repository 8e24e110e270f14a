"""How the VMs that a plan moves live write now, asked of their hosts before the plan that counts is made.

Pure but for `paced`, which lets hosts measure and changes nothing there. What is not known in time stays unknown.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from reconciler.engine.once import Tools, Wanted
from reconciler.kind import Kind
from reconciler.model.plan import Plan
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from reconciler.ports import Hands

WIDEST = 256
_TAKES = 1.0


def moving(made: Plan, snapshot: Snapshot) -> tuple[Place, ...]:
    """Where those are now that the plan moves live; who goes over a third host is there once."""
    left = {Place(a.place.kind, a.passage.source, a.place.name) for a in made.actions if a.passage}
    return tuple(sorted(place for place in left if place in snapshot.objects))


def paced(places: Sequence[Place], wanted: Wanted, snapshot: Snapshot, kinds: Sequence[Kind], tools: Tools) -> Snapshot:
    """The same snapshot with what their hosts measured, all at once; it is a value like any other snapshot.

    A host that does not answer costs the deadline once, and its VMs, like those that cannot be measured, are as before.
    """
    pace = {kind.name: kind.pace for kind in kinds}
    hands = Hands(wanted.fleet.hosts, tools.hypervisor, tools.shell, tools.clock)

    def ask(place: Place) -> Any:
        state = snapshot.objects[place]
        try:
            return pace[place.kind](place, state, hands, tools.deadline)
        except Exception:  # a refusal, silence, or an answer that nobody can read: nothing is known, and nothing lost
            return state

    threads = ThreadPoolExecutor(max_workers=WIDEST, thread_name_prefix="pace")
    futures = {threads.submit(ask, place): place for place in places}
    rounds = -(-len(places) // WIDEST)
    finished, _ = wait(futures, timeout=tools.deadline + _TAKES * (1 + rounds))
    threads.shutdown(wait=False, cancel_futures=True)
    found = {futures[future]: future.result() for future in finished}
    return replace(snapshot, objects={place: found.get(place, state) for place, state in snapshot.objects.items()})
