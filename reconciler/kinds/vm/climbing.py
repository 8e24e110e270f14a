"""The ladder beside one running move: gives each look at the job to it, tells what it says, keeps what was climbed.

Does nothing to the job itself; the hypervisor carries a nudge out.
"""

from collections.abc import Callable
from dataclasses import replace

from reconciler.errors import HostError
from reconciler.kinds.vm.ladder import begin, step
from reconciler.model.fleet import MovePolicy
from reconciler.model.outcome import Done
from reconciler.ports import Clock
from reconciler.readings import JobNumbers, Nudge


class Climbing:
    """`look` is the watch of a migration. `tell(job, rung, said)` hears every look."""

    def __init__(self, policy: MovePolicy, clock: Clock, tell: Callable[[JobNumbers, str, str], None]) -> None:
        self._climb, self._clock, self._tell = begin(policy), clock, tell
        self._began = clock.now()
        self._said = ""
        self.dirtied = 0

    def look(self, job: JobNumbers) -> Nudge | None:
        """One look; what the ladder wants done, if anything.

        The most that the guest wrote is kept: later it may be slowed down, to converge.
        """
        self.dirtied = max(self.dirtied, job.dirty_rate)
        answer = step(self._climb, job, self._clock.now() - self._began)
        self._climb = answer.climb
        self._said = answer.said or self._said
        self._tell(job, self._rung(job), answer.said)
        return answer.nudge

    def _rung(self, job: JobNumbers) -> str:
        """The last rung, while the job's own phase does not say it."""
        last = self._climb.rungs[-1] if self._climb.rungs else ""
        return "" if last == job.phase else last

    @property
    def post_copy(self) -> bool:
        """Was the guest seen running at the destination before its memory was there?"""
        return self._climb.stage == "post-copy"

    def kept(self, done: Done) -> Done:
        """The outcome with what was climbed: rungs in order, milliseconds allowed in the end, post-copy or not."""
        climb = self._climb
        text = f"{done.text}, after {', '.join(climb.rungs)}" if climb.rungs else done.text
        mine = {"rungs": list(climb.rungs), "allowed_downtime_ms": climb.downtime, "post_copy": self.post_copy}
        return replace(done, text=text, facts={**done.facts, **mine})

    def explained(self, error: HostError) -> HostError:
        """The error of a migration that the ladder itself gave up, with its reason for that."""
        if self._climb.stage == "aborted":
            error.reason = f"{error.reason} ({self._said})"
        return error
