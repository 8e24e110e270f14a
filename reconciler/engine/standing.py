"""How every declared object stands after a look at it: in sync, drifted, pending, refused or unknown, and since when.

Pure. What it stood like before is given; nothing is remembered here, and nothing is decided by it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.engine import codec
from reconciler.engine.hold import until
from reconciler.engine.once import Wanted
from reconciler.model.action import Refusal
from reconciler.model.desired import Desired
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from reconciler.model.standing import Standing, Word


def standings(
    plan: Plan, wanted: Wanted, snapshot: Snapshot, before: Mapping[Place, Standing], now: float
) -> tuple[Standing, ...]:
    """One for each declared object, in order of place; `plan` is the pass's own, with what it holds."""
    items = sorted((place_of(item, snapshot), number) for number, item in enumerate(wanted.desired))
    stood = ((replace(wanted.desired[n], place=place), _digest(wanted.desired[n])) for place, n in items)
    return tuple(_standing(one, plan, snapshot, before.get(one[0].place), int(now)) for one in stood)


def place_of(item: Desired, snapshot: Snapshot) -> Place:
    """Where it is declared; where a policy places it, the host it was seen on, if any."""
    if item.place.host:
        return item.place
    return next((place for place, _ in snapshot.named(item.place.kind, item.place.name)), item.place)


def unhealed(stood: Iterable[Standing], plan: Plan, outcomes: Sequence[Outcome]) -> tuple[Standing, ...]:
    """The same after the plan was carried out: whose action failed says so, and is not counted as healed."""
    bad = {outcome.action: outcome for outcome in outcomes if outcome.status in ("failed", "skipped")}
    failed = {_object(action.place): bad[action.id] for action in reversed(plan.actions) if action.id in bad}

    def told(standing: Standing) -> Standing:
        outcome = failed.get(_object(standing.place))
        return replace(standing, why=outcome.text or outcome.status) if outcome and not standing.why else standing

    return tuple(told(standing) for standing in stood)


def _standing(one: tuple[Desired, str], plan: Plan, snapshot: Snapshot, before: Standing | None, now: int) -> Standing:
    item, digest = one
    fields = _fields(item.place, plan)
    word, why = _word(item, plan, snapshot, bool(fields))
    if word == "pending" and before and before.digest == digest and before.word in ("in-sync", "drifted"):
        word = "drifted"
    since = before.since if before and before.word == word else now
    again = before if before and word == before.word == "drifted" and before.fields == fields else None
    healed = again.healed + (not again.why) if again else 0
    return Standing(item.place, word, fields, why, since, digest, healed)


def _word(item: Desired, plan: Plan, snapshot: Snapshot, differs: bool) -> tuple[Word, str]:
    """`pending` stands for anything that differs."""
    silence = snapshot.silence(item.place.host, item.place.kind)
    if silence:
        return "unknown", f"{silence.host}: {silence.reason}"
    refusal = _refusal(item.place, plan.refusals)
    if refusal:
        anywhere = any(place.ref == item.place.ref for place in snapshot.objects)
        hidden = item.place.kind == "vm" and not anywhere and any("vm" in s.kinds for s in snapshot.silences)
        return ("unknown" if hidden else "refused"), refusal.reason
    later = dict(plan.forecast.reasons).get(item.place.name, "") if item.place.kind == "vm" else ""
    if later:
        return "pending", f"waits for another pass: {later}"
    if not differs:
        return "in-sync", ""
    held = next((item_ for item_ in plan.held if _object(item_.place) == _object(item.place)), None)
    return "pending", f"{held.why}{until(held.until)}" if held else ""


def _refusal(place: Place, refusals: Sequence[Refusal]) -> Refusal | None:
    return next((refusal for refusal in refusals if _object(refusal.place) == _object(place)), None)


def _fields(place: Place, plan: Plan) -> tuple[str, ...]:
    """Declared fields that differ; `exists` where the whole object is missing."""
    changes = [c for d in plan.differences if _object(d.place) == _object(place) for c in d.changes]
    return tuple(dict.fromkeys(change.path or "exists" for change in changes))


def _digest(item: Desired) -> str:
    """Over what is declared of it, wherever in the specs that stands."""
    text = json.dumps([str(item.place), codec.dump(item.value)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _object(place: Place) -> object:
    """A VM is the same one on any host; everything else is a thing of its host."""
    return place.ref if place.kind == "vm" else place
