"""A plan as a file: self-contained, versioned, and sealed so that an edit is noticed.

Carries the specs' texts, so that `apply FILE` needs nothing else. The seal finds damage and edits, not a forger.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.engine import codec
from reconciler.errors import PlanError, StalePlan
from reconciler.kind import Kind
from reconciler.model.action import Refusal
from reconciler.model.forecast import Forecast
from reconciler.model.plan import Plan, Source
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot

VERSION = 1
LIFETIME = 24 * 3600


def as_data(plan: Plan) -> dict[str, Any]:
    """The plan for machines (`-o json`), without the specs' texts."""
    return {
        "version": VERSION,
        "fleet": plan.fleet,
        "made": plan.made,
        "source": codec.dump(plan.source),
        "empty": plan.empty,
        "expectedBytes": plan.expected_bytes,
        "changes": [
            {"place": str(c.place), "verb": c.verb, "path": c.path, "old": c.old, "new": c.new}
            for difference in plan.differences
            for c in difference.changes
        ],
        "actions": [codec.dump_action(action) for action in plan.actions],
        "refusals": [{**codec.dump(refusal), "place": str(refusal.place)} for refusal in plan.refusals],
        "held": [{**codec.dump(item), "place": str(item.place)} for item in plan.held],
        "forecast": codec.dump(plan.forecast),
        "touched": {str(place): state for place, state in sorted(plan.touched.items())},
    }


def write(plan: Plan, texts: Sequence[tuple[str, str]], attached: Mapping[str, str]) -> str:
    """The file's text."""
    data = {**as_data(plan), "specs": [list(pair) for pair in texts], "attached": dict(attached)}
    return json.dumps({**data, "seal": _seal(data)}, indent=1, default=str) + "\n"


def _seal(data: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(data, default=str))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def is_plan(text: str) -> bool:
    """Does this look like a saved plan rather than a spec?"""
    return text.lstrip().startswith("{") and '"seal"' in text


def read(text: str, kinds: Sequence[Kind]) -> tuple[Plan, list[tuple[str, str]], dict[str, str]]:
    """Plan, specs' texts and attached files; raises PlanError for another version, StalePlan for an edit."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanError(f"not a plan: line {error.lineno}: {error.msg}") from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise PlanError("the plan is of another version", "make a new one")
    seal = data.pop("seal", "")
    if seal != _seal(data):
        raise StalePlan(["the file was edited or damaged after it was made"])
    refusals = [codec.read(Refusal, {**item, "place": _place(item["place"])}) for item in data["refusals"]]
    plan = Plan(
        data["fleet"],
        data["made"],
        codec.read(Source, data["source"]),
        actions=tuple(codec.read_action(item, kinds) for item in data["actions"]),
        refusals=tuple(refusals),
        touched={Place.parse(place): state for place, state in data["touched"].items()},
        forecast=codec.read(Forecast, data.get("forecast", {})),
    )
    return plan, [(file, text) for file, text in data["specs"]], dict(data["attached"])


def _place(text: str) -> dict[str, str]:
    place = Place.parse(text)
    return {"kind": place.kind, "host": place.host, "name": place.name}


def touched(plan: Plan, snapshot: Snapshot) -> Plan:
    """The plan with a print of every object it rests on, as seen in that snapshot.

    A move rests on whatever is on the host it goes to: that is what leaves room for it.
    """
    names = {action.place.name for action in plan.actions}
    full = _filled(plan)
    places = {p for action in plan.actions for p in (action.place, *action.requires) if p.kind != "lease"}
    places |= {p for p in snapshot.objects if p.kind == "vm" and (p.name in names or p.host in full)}
    places |= {Place(p.kind, p.host, p.host) for p in places if Place(p.kind, p.host, p.host) in snapshot.objects}
    return replace(plan, touched=_Prints(sorted(places), snapshot))


class _Prints(Mapping[Place, Any]):
    """Each place with its object as seen, made plain when it is asked for: most plans are shown and not saved."""

    def __init__(self, places: Iterable[Place], snapshot: Snapshot) -> None:
        self._places = dict.fromkeys(places)
        self._snapshot = snapshot

    def __getitem__(self, place: Place) -> Any:
        if place not in self._places:
            raise KeyError(place)
        return codec.steady(self._snapshot.get(place))

    def __contains__(self, place: object) -> bool:
        return place in self._places

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _filled(plan: Plan) -> set[str]:
    """The hosts that something goes to."""
    return {action.between[-1] for action in plan.actions if action.between}


def differences(plan: Plan, now: int, current: Source, snapshot: Snapshot) -> list[str]:
    """What no longer fits: age, commit, specs, and each object that changed, with its fields."""
    found = []
    if now - plan.made > LIFETIME:
        found.append(f"it was made {(now - plan.made) // 3600} hours ago; plans live {LIFETIME // 3600} hours")
    if current.digest and current.digest != plan.source.digest:
        was, now_at = plan.source.commit[:12] or "no commit", current.commit[:12] or "no commit"
        found.append(f"the specs in {plan.source.path} changed (made from {was}, now {now_at})")
    for place, before in plan.touched.items():
        after = codec.steady(snapshot.get(place))
        if before != after:
            found.append(f"{place} {_told(before, after)}")
    filled = _filled(plan)
    new = [p for p in snapshot.objects if p.kind == "vm" and p.host in filled and p not in plan.touched]
    found += [f"{place} is there now" for place in sorted(new)]
    for silence in snapshot.silences:
        if any(place.host == silence.host and place.kind in silence.kinds for place in plan.touched):
            found.append(f"{silence.host}: {silence.reason}")
    return found


def _told(before: Any, after: Any) -> str:
    if before is None or after is None:
        return "is there now" if before is None else "is gone"
    fields = [f"{k}: {before.get(k)!r} -> {after.get(k)!r}" for k in after if before.get(k) != after.get(k)]
    return "changed: " + "; ".join(field[:160] for field in fields)
