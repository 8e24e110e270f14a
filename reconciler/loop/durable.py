"""One controller: takes passes from its fleets' queues, one at a time of each, and goes on with those of the dead.

What a pass does is given; what DBOS does not give without a service beside it (who is dead?) is asked of `signs`.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbos import DBOS

from reconciler.loop.ledger import WORKFLOW, Ledger, config, prepare, queue_of
from reconciler.loop.signs import Signs, signs_for

EVERY = 5.0
"""Seconds between two looks at the others; a dead one's passes go on after `signs.rounds` looks and a poll."""
_POLL, _POLL_PER_FLEET = 0.5, 0.04
"""Seconds between two looks into a fleet's queue: each costs milliseconds, so that many fleets make them rarer."""
_BEAT = 1.0
_KEEP = 90 * 86400.0
_TIDY = 3600.0
_UNKNOWN = 300.0
_log = logging.getLogger("reconciler.loop")


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a pass is made: `trigger` is schedule, signal, trigger or once; `by` is who; `last`: what the last said."""

    fleet: str
    trigger: str
    by: str
    last: Mapping[str, Any]


Work = Callable[[Asked], tuple[Mapping[str, Any], float]]
"""One pass: its record as plain data, and the seconds from one pass to the next."""


class Controller:
    """Use as a context manager, once per process. Passes of `fleets` are taken and no others.

    `keeps` them going; else only what is asked for runs. Others of the same database may have other fleets.
    """

    def __init__(self, database: str, work: Work, fleets: Sequence[str], keeps: bool = True, *,
                 every: float = EVERY) -> None:  # fmt: skip
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._work, self._fleets, self._keeps, self._every = work, tuple(fleets), keeps, every
        self._database = database
        prepare(database)
        self._signs: Signs = signs_for(database)
        self._found: dict[str, int] = {}
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._heart = threading.Thread(target=self._live, name="signs of life", daemon=True)
        self._tidied = 0.0

    def __enter__(self) -> "Controller":
        logging.getLogger("dbos").setLevel(logging.ERROR)
        self._signs.live(self.name)
        DBOS(config=config(self._database, self.name))

        @DBOS.workflow(name=WORKFLOW)
        def reconcile(fleet: str, trigger: str, by: str) -> Mapping[str, Any]:
            return self._reconcile(fleet, trigger, by)

        poll = max(_POLL, _POLL_PER_FLEET * len(self._fleets))
        DBOS.listen_queues([queue_of(fleet) for fleet in self._fleets])
        DBOS.launch()
        for name in map(queue_of, self._fleets):
            DBOS.register_queue(name, global_concurrency=1, polling_interval_sec=poll, on_conflict="always_update")
        self.ledger = Ledger(self._database, patient=True)
        self._round()
        self._watcher.start()
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(0)

    def stop(self, patience: float) -> None:
        """Take no more passes, wait this many seconds for those that run, and leave. May be said twice."""
        if self._stop.is_set():
            return
        self._stop.set()
        DBOS.destroy(workflow_completion_timeout_sec=int(patience), destroy_registry=True)
        logging.getLogger("dbos").handlers.clear()
        self._watcher.join(self._every + 1)
        self._heart.join(self._every + 1)
        self.ledger.close()
        self._signs.close()

    def _reconcile(self, fleet: str, trigger: str, by: str) -> Mapping[str, Any]:
        """The workflow: no steps, for a pass that is begun again observes anew."""
        with self._signs.alone(fleet):
            record, interval = self._work(Asked(fleet, trigger, by, self.ledger.last(fleet)))
        if self._keeps:
            self.ledger.follow(fleet, interval or _UNKNOWN, DBOS.workflow_id or "")
        return record

    def _live(self) -> None:
        """Beside `_watch`, which waits for a ledger that does not answer up to a minute longer than it is away."""
        silent = False
        while not self._stop.wait(min(self._every, _BEAT)):
            try:
                self._signs.live(self.name)
                silent = False
            except Exception as error:
                if not silent:
                    _log.warning("the loop's database: %s", error)
                silent = True

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._round()
            except Exception as error:
                self._found.clear()
                _log.warning("the loop's database: %s", error)

    def _round(self) -> None:
        waiting = [row for row in self.ledger.waiting() if row.fleet in self._fleets]
        self._take_over({row.controller for row in waiting if row.status == "PENDING"} - {self.name})
        going = {row.fleet for row in waiting}
        for fleet in self._fleets if self._keeps else ():
            if fleet not in going:
                self.ledger.begin(fleet)
        if time.time() - self._tidied > _TIDY:
            self._tidied = time.time()
            self.ledger.forget(self._tidied - _KEEP)

    def _take_over(self, others: set[str]) -> None:
        """Hand back to their queues what dead ones left; who has the fleet takes it from there."""
        self._found = {name: self._found.get(name, 0) + 1 for name in others if self._signs.dead(name)}
        gone = [name for name, times in self._found.items() if times >= self._signs.rounds]
        if gone:
            _log.warning("going on with the passes of %s", ", ".join(gone))
            DBOS._recover_pending_workflows(gone)
