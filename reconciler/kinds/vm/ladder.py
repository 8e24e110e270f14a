"""How a copy that does not converge is helped: which rung comes next, and why. Pure; carries nothing out.

Fed with a job's numbers at every look and the seconds since it began, it answers with at most one nudge. An iteration
is stalled when what remains at its beginning is not a tenth less than at the beginning of the one before. For each such
iteration oVirt climbs one step of downtime (150, 200, 300, 400 ms), Nova ten steps up to 500 ms; both have post-copy
last. A time limit on *progress* made false failures in Nova and was retired: only the whole move has one.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from reconciler.model.fleet import MovePolicy
from reconciler.model.units import show_size
from reconciler.readings import JobNumbers, Nudge

FIRST = 300
"""Milliseconds of downtime that libvirt and QEMU allow unasked."""
MOST = 500
"""Milliseconds allowed at most where maxDowntime is not declared, as in Nova."""
STEP = 1.5
STALLED = 0.9
REST = 1.0
"""Seconds a rung stands at least before the next."""
AGAIN = 2.0
"""Seconds after which post-copy is asked for again: QEMU refuses it before the copy has begun."""
GRACE = 60.0
"""Seconds, at least, that a last rung has to end the copy: as long again as the whole move had, or this."""

Stage = Literal["copying", "asked", "post-copy", "suspended", "aborted"]


@dataclass(frozen=True, slots=True)
class Climb:
    """Where on the ladder a move is. `downtime` is milliseconds allowed now, `since` the second of the last rung."""

    policy: MovePolicy = field(default_factory=MovePolicy)
    downtime: int = FIRST
    stage: Stage = "copying"
    since: float = 0.0
    iteration: int = 0
    remaining: int = 0
    rungs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The climb after one look; what to do to the job, and the sentence that says so."""

    climb: Climb
    nudge: Nudge | None = None
    said: str = ""


def begin(policy: MovePolicy) -> Climb:
    """The foot of the ladder. A declared maxDowntime below what libvirt allows holds from the start."""
    return Climb(policy, min(FIRST, _most(policy)))


def grace(policy: MovePolicy) -> float:
    """Seconds after the timeout by which the last rung has ended the copy, or it is aborted."""
    return max(GRACE, policy.timeout)


def step(climb: Climb, job: JobNumbers, elapsed: float) -> Step:
    """One look at the job, `elapsed` seconds after it began."""
    if climb.stage == "aborted":
        return Step(climb)
    if job.post_copy:
        return Step(replace(climb, stage="post-copy"))
    match climb.stage:
        case "asked" | "post-copy":
            return _asked(climb, elapsed)
        case "suspended":
            late = elapsed >= climb.since + grace(climb.policy)
            return _abort(climb, elapsed, "did not end though the guest stood still") if late else Step(climb)
    if elapsed >= climb.policy.timeout:
        return _timed_out(climb, job, elapsed)
    stalled = climb.remaining > 0 and job.remaining >= STALLED * climb.remaining
    if job.iteration <= climb.iteration:
        return Step(climb)
    noted = replace(climb, iteration=job.iteration, remaining=job.remaining)
    if not stalled or elapsed < climb.since + REST:
        return Step(noted)
    return _higher(noted, job, elapsed)


def _most(policy: MovePolicy) -> int:
    return round(policy.max_downtime * 1000) or MOST


def _higher(climb: Climb, job: JobNumbers, elapsed: float) -> Step:
    """More downtime while more is allowed; then post-copy where that is allowed; then there is nothing but waiting."""
    most, why = _most(climb.policy), f"does not converge: {_pace(job)}"
    if climb.downtime < most:
        new = min(most, round(climb.downtime * STEP))
        rung = f"downtime {climb.downtime} -> {new} ms"
        higher = replace(climb, downtime=new, since=elapsed, rungs=(*climb.rungs, rung))
        return Step(higher, Nudge("downtime", new), f"{why}; {rung}")
    if climb.policy.post_copy:
        return _post_copy(climb, elapsed, why)
    return Step(climb)


def _pace(job: JobNumbers) -> str:
    copies = f"copies {show_size(job.rate)}/s, {show_size(job.remaining)} remain"
    return f"dirtied {show_size(job.dirty_rate)}/s, {copies}" if job.dirty_rate else copies


def _post_copy(climb: Climb, elapsed: float, why: str) -> Step:
    switched = replace(climb, stage="asked", since=elapsed, rungs=(*climb.rungs, "post-copy"))
    return Step(switched, Nudge("post-copy"), f"{why}; post-copy: it runs at the destination while the rest is copied")


def _asked(climb: Climb, elapsed: float) -> Step:
    if elapsed >= climb.policy.timeout + grace(climb.policy):
        return _abort(climb, elapsed, "post-copy did not begin")
    again = elapsed >= climb.since + AGAIN
    return (
        Step(replace(climb, since=elapsed), Nudge("post-copy"), "post-copy asked for again") if again else Step(climb)
    )


def _timed_out(climb: Climb, job: JobNumbers, elapsed: float) -> Step:
    why = f"not there after {climb.policy.timeout:.0f} s: {_pace(job)}"
    match climb.policy.on_timeout:
        case "post-copy" if climb.policy.post_copy:
            return _post_copy(climb, elapsed, why)
        case "suspend":
            stopped = replace(climb, stage="suspended", since=elapsed, rungs=(*climb.rungs, "suspended"))
            return Step(stopped, Nudge("suspend"), f"{why}; suspended: the guest stands still until it has arrived")
        case _:
            return _abort(climb, elapsed, why)


def _abort(climb: Climb, elapsed: float, why: str) -> Step:
    ended = replace(climb, stage="aborted", since=elapsed, rungs=(*climb.rungs, "aborted"))
    return Step(ended, Nudge("abort"), f"{why}; aborted: it goes on where it was")
