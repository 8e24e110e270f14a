"""A controller at work: its settings, its passes from the queue, and whoever listens to what came of them.

Reads no words and shows nothing; signals and systemd are told by the command.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.adapters.journal import events_of
from reconciler.errors import ReconcilerError
from reconciler.loop.durable import Asked, Controller
from reconciler.loop.history import recorded, remembered, said_in
from reconciler.loop.passing import Doors, pass_over, who
from reconciler.loop.settings import Settings
from reconciler.model.passed import Passed

Listener = Callable[[Passed], None]
_log = logging.getLogger("reconciler.loop")


@dataclass(frozen=True, slots=True)
class Service:
    """What a controller of these settings does with what is asked; `listeners` hear every pass it made.

    `reminded` hear first what the fleet's pass before that said, whoever made it.
    """

    settings: Settings
    doors: Doors
    listeners: Sequence[Listener] = ()
    reminded: Sequence[Listener] = ()

    def work(self, asked: Asked) -> tuple[Mapping[str, Any], float]:
        """One pass, whatever happens in it; raises only where the fleet is another controller's."""
        fleet = self.settings.fleets.get(asked.fleet)
        if fleet is None:
            raise ReconcilerError(f"fleet {asked.fleet} is not in this controller's settings")
        blank = Passed("", asked.fleet, asked.trigger, asked.by or who())
        memory = remembered(asked.last)
        try:
            passed, memory, interval = pass_over(fleet, blank, memory, self.doors)
        except Exception as error:  # a bug must not end the loop
            _log.exception("pass of fleet %s", asked.fleet)
            text = f"unexpected {type(error).__name__}: {error}"
            passed, interval = replace(blank, verdict="error", exit=1, error=text), 0.0
        self._tell(passed, said_in(asked.last))
        return recorded(passed, memory, events_of(passed.run) if passed.outcomes else ()), interval

    def _tell(self, passed: Passed, before: Passed | None) -> None:
        reminders = [(listener, before) for listener in self.reminded] if before else []
        for listener, heard in [*reminders, *((listener, passed) for listener in self.listeners)]:
            try:
                listener(heard)
            except Exception:
                _log.exception("a listener of fleet %s", passed.fleet)

    def once(self, controller: Controller) -> Sequence[Passed]:
        """One pass of each fleet now, also where another controller makes it."""
        from reconciler.engine import codec

        asked = [controller.ledger.ask(name, "once", who()) for name in self.settings.fleets]
        return [codec.read(Passed, controller.ledger.result(one)["passed"]) for one in asked]
