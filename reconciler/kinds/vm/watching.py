"""How a VM performs on a real host: its counters read at short intervals, and compared across a move.

Only reads. What cannot be measured is said, and is never a failure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reconciler.errors import HostError
from reconciler.kinds.vm.measure import Measure
from reconciler.kinds.vm.performance import Judged, Window, compare, overall, seen, told
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import Counters

WINDOWS = 8
ENOUGH = 4


def watch(action: Measure, hands: Hands) -> Done:
    """What was found, with every window in the facts; compared where there is something to compare with."""
    before: Sequence[Window] = hands.facts(action.before).get("windows", ()) if action.before else ()
    if action.before and not before:
        return Done("not measured: there is nothing from before the move to compare with", changed=False)
    try:
        windows, memory = _windows(action, hands.hosts[action.place.host], hands)
    except HostError as error:
        return Done(f"not measured: {error.reason}", changed=False)
    if not windows:
        return Done(f"not measured: it does not run on {action.place.host}", changed=False)
    seconds = round(sum(window["seconds"] for window in windows), 3)
    facts: dict[str, Any] = {"host": action.place.host, "seconds": seconds, "memory": memory, "windows": windows}
    if not action.before:
        return Done(f"{seen(windows) or 'idle'}, in {seconds:.1f} s", changed=False, facts=facts)
    judged = compare(before, windows)
    found = {"verdict": overall(judged), "measures": {j.measure.name: _numbers(j) for j in judged}}
    return Done(told(judged), changed=False, facts={**facts, **found})


def _windows(action: Measure, card: HostCard, hands: Hands) -> tuple[list[Window], int]:
    """What each short interval added to the counters, and the memory at the end; fewer when others wait for it."""
    windows: list[Window] = []
    last = hands.hypervisor.counters(card, action.uuid)
    for _ in range(WINDOWS):
        if last is None or (len(windows) >= ENOUGH and hands.hurried()):
            break
        hands.clock.sleep(action.window / WINDOWS)
        now = hands.hypervisor.counters(card, action.uuid)
        window = _growth(last, now) if now else {}
        windows += [window] if window else []
        last = now
    return (windows, last.rss) if last else ([], 0)


def _growth(old: Counters, new: Counters) -> Mapping[str, float]:
    """Empty where a counter went back, as at a new QEMU, or where no time passed."""
    earlier, later = asdict(old), asdict(new)
    grown = {name: later[name] - earlier[name] for name in later if name not in ("at", "rss")}
    seconds = round(new.at - old.at, 6)
    return {"seconds": seconds, **grown} if seconds > 0 and min(grown.values()) >= 0 else {}


def _numbers(judged: Judged) -> dict[str, Any]:
    """One measure for machines: nanoseconds, bytes or packets, per request or second."""
    return {
        "unit": f"{judged.measure.of} per {judged.measure.per.rstrip('s')}",
        "before": round(judged.before, 1),
        "after": round(judged.after, 1),
        "change_percent": round(judged.change * 100, 1),
        "bound_percent": round(judged.bound * 100, 1),
        "verdict": judged.verdict,
    }
