"""What a scheduled pass may not do now is held: by the fleet's or an object's mode, a suspension, a change window.

Pure. Closing an access is never held but where nothing at all may be done; a person's own `apply` is not asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reconciler.engine.once import Wanted
from reconciler.engine.prune import prune
from reconciler.model.action import Action
from reconciler.model.disruption import Disruption
from reconciler.model.fleet import DAYS, MODE, MODES, Fleet, Window
from reconciler.model.forecast import Forecast
from reconciler.model.plan import Held, Plan
from reconciler.model.ref import Place, Ref

_WEEK, _SHOWN = 8, 5


@dataclass(frozen=True, slots=True)
class _Reason:
    why: str
    until: int = 0


def hold(plan: Plan, wanted: Wanted, now: float) -> Plan:
    """The plan with what may not be done now moved from `actions` to `held`; what needs it is held with it."""
    rules = _Rules(wanted, int(now))
    reasons = {a.id: reason for a in plan.actions if not a.serving and (reason := rules.against(a))}
    kept = prune([action for action in plan.actions if action.id not in reasons])
    ids = {action.id for action in kept}
    held = []
    for action in plan.actions:
        if action.id in reasons:
            held.append(_held(action, reasons[action.id]))
        elif action.id not in ids and not action.serving and not action.closes:
            first = next((reasons[n] for n in action.needs if n in reasons), _Reason("what it needs is held"))
            reasons[action.id] = first
            held.append(_held(action, first))
    return replace(plan, actions=kept, held=tuple(held))


def suspended(fleet: Fleet, now: float) -> str:
    """Why scheduled passes change nothing now; empty where they may."""
    pause = fleet.suspension
    if pause is None or (pause.until and now >= pause.until):
        return ""
    return "suspended" + (f": {pause.reason}" if pause.reason else "")


def notes(plan: Plan, wanted: Wanted, now: float) -> tuple[str, ...]:
    """For a person who looks at a plan: what stays on hosts in maintenance, whether a host may be lost; what the
    schedule would not do, and why."""
    grouped: dict[str, dict[str, None]] = {}
    for item in hold(plan, wanted, now).held:
        if item.place.kind != "lease":
            grouped.setdefault(item.why + until(item.until), {})[str(item.place.ref)] = None
    staying = tuple(f"{host} will not be empty; there stay: {who}" for host, who in plan.forecast.staying)
    away = (f"{vm} stays away from home for now: {why}" for vm, why in plan.forecast.away)
    held = (f"a scheduled pass would leave {_listed(list(refs))} as it is: {why}" for why, refs in grouped.items())
    return (*staying, *away, *_losses(plan.forecast), *held)


def _losses(forecast: Forecast) -> Iterator[str]:
    """What the loss of a host would mean, where the fleet shall survive one."""
    if forecast.host_failures and not forecast.exposed:
        yield "whichever one host is lost, its VMs find room on the others"
    for one in sorted(forecast.exposed, key=lambda exposed: not exposed.new)[:_SHOWN]:
        since = "; before this plan there was" if one.new else ""
        yield f"if {one.host} were lost, no room was found for {_listed(one.vms)}{since}"
    if len(forecast.exposed) > _SHOWN:
        yield f"the same is so of {len(forecast.exposed) - _SHOWN} more hosts"


def _listed(refs: Sequence[str]) -> str:
    return ", ".join(refs[:_SHOWN]) + (f" and {len(refs) - _SHOWN} more" if len(refs) > _SHOWN else "")


def until(moment: int) -> str:
    """`, until MOMENT` in UTC; empty where nobody knows."""
    return f", until {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC" if moment else ""


def _held(action: Action, reason: _Reason) -> Held:
    text = action.explain()
    return Held(action.place, action.id, text, reason.why, reason.until, action.disruption.value)


class _Rules:
    """The policy of one fleet at one moment."""

    def __init__(self, wanted: Wanted, now: int) -> None:
        self.fleet, self.now = wanted.fleet, now
        marked = {document.origin: document.annotations.get(MODE, "apply") for document in wanted.documents}
        self.modes: Mapping[Place, str] = {i.place: marked.get(i.origin, "apply") for i in wanted.desired}
        self.anywhere: dict[Ref, str] = {}
        for place, mode in self.modes.items():
            self.anywhere[place.ref] = min(mode, self.anywhere.get(place.ref, mode), key=MODES.index)

    def against(self, action: Action) -> _Reason | None:
        """Why this may not be done now, or None."""
        if self.fleet.mode == "observe":
            return _Reason("the fleet's mode is observe")
        if action.closes or action.place.kind == "lease":
            return None
        if self.fleet.mode == "propose":
            return _Reason("the fleet's mode is propose: a person applies it")
        mode = self._mode(action)
        if mode != "apply":
            return _Reason(f"the mode of {action.place.ref} is {mode}")
        paused = suspended(self.fleet, self.now)
        if paused:
            return _Reason(paused, self.fleet.suspension.until if self.fleet.suspension else 0)
        return None if action.followed else self._window(action)

    def _mode(self, action: Action) -> str:
        """The object's own, at this place or, for what moves, at any."""
        return self.modes.get(action.place) or self.anywhere.get(action.place.ref, "apply")

    def _window(self, action: Action) -> _Reason | None:
        """Above `live`, only inside a window that allows that class."""
        if not self.fleet.windows or not action.disruption.exceeds(Disruption.LIVE):
            return None
        fit = [w for w in self.fleet.windows if not action.disruption.exceeds(Disruption(w.disruption))]
        if not fit:
            return _Reason(f"no change window allows {action.disruption}")
        if any(_open(window, self.now) for window in fit):
            return None
        return _Reason(f"{action.disruption} waits for a change window", min(_opens(w, self.now) for w in fit))


def _open(window: Window, now: int) -> bool:
    return any(begin <= now < end for begin, end in _spans(window, now))


def _opens(window: Window, now: int) -> int:
    return min(begin for begin, _ in _spans(window, now) if begin > now)


def _spans(window: Window, now: int) -> list[tuple[int, int]]:
    """Beginning and end, seconds UTC, of every one from yesterday to a week ahead."""
    zone = ZoneInfo(window.timezone)
    today = datetime.fromtimestamp(now, zone).date()
    spans = []
    for day in (today + timedelta(days=number) for number in range(-1, _WEEK)):
        if DAYS[day.weekday()] in window.days:
            last = day if window.end > window.start else day + timedelta(days=1)
            begin, end = (
                datetime.combine(date + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60), zone)
                for date, minute in ((day, window.start), (last, window.end))
            )
            spans.append((int(begin.timestamp()), int(end.timestamp())))
    return spans
