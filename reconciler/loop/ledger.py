"""What the queue holds and what came of it, as rows of DBOS: asking for passes, looking at them, forgetting old ones.

Runs nothing; any program with the database's URL may use it beside the controllers.
"""

import hashlib
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbos import DBOSClient, DBOSConfig
from dbos import Serializer as _Serializer

from reconciler.adapters.journal import state_folder

APPLICATION, WORKFLOW = "reconciler", "reconcile"
VERSION = "passes-2"
"""Of the shape of a pass' words in the queue, not of the program: controllers of two releases share the work."""
_WAITING = ["ENQUEUED", "DELAYED", "PENDING"]


@dataclass(frozen=True, slots=True)
class Row:
    """One pass in the queue: waiting (delayed, enqueued), running (pending), or over; times are seconds, UTC."""

    id: str
    fleet: str
    status: str
    created: float
    controller: str = ""
    trigger: str = ""
    by: str = ""
    attempts: int = 0
    record: Mapping[str, Any] = field(default_factory=dict)


class Json(_Serializer):
    """Plain JSON: nothing in a shared database may become code in a controller, as pickles would."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=str)

    def deserialize(cls, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "reconciler_json"


def config(database: str, controller: str) -> DBOSConfig:
    """DBOS' settings for a controller."""
    return {
        "name": APPLICATION,
        "system_database_url": database,
        "application_version": VERSION,
        "executor_id": controller,
        "serializer": Json(),
        "log_level": "ERROR",
        "enable_otlp": False,
        "notification_listener_polling_interval_sec": 1.0,
        "max_executor_threads": 64,
    }


class Ledger:
    """The rows of one database, which a controller has made before; raises OSError where there is none.

    A `patient` one waits for a database that does not answer.
    """

    def __init__(self, database: str, patient: bool = False) -> None:
        if database.startswith("sqlite:///") and not Path(database.removeprefix("sqlite:///")).exists():
            raise FileNotFoundError(f"no controller has used {_shown(database)} yet")
        logging.getLogger("dbos").setLevel(logging.ERROR)
        try:
            self._client = DBOSClient(
                system_database_url=database,
                serializer=Json(),
                application_name=APPLICATION,
                retry_connection_errors=patient,
            )
            self.rows(limit=1)
        except Exception as error:
            text = str(error).splitlines()[0]
            if "no such table" in text or "UndefinedTable" in text:
                raise FileNotFoundError(f"no controller has used {_shown(database)} yet") from None
            raise OSError(f"the database of the loop does not answer: {text}") from None

    def ask(self, fleet: str, trigger: str, by: str) -> str:
        """A pass as soon as may be; gives its id. One that waits for its turn already will do: it looks anew."""
        for row in self.rows(fleet, status=["ENQUEUED"], version=VERSION):
            return row.id
        return self._enqueue(f"{fleet}/{_stamp(time.time())}-{trigger}-{secrets.token_hex(3)}", fleet, trigger, by)

    def begin(self, fleet: str) -> str:
        """The first pass of a fleet, or the first again: however many controllers say so, it is one."""
        last = self.rows(fleet, limit=1)
        after = hashlib.sha256(last[0].id.encode()).hexdigest()[:8] if last else "0"
        return self._enqueue(f"{fleet}/start-{after}", fleet, "schedule", "")

    def follow(self, fleet: str, interval: float, own: str = "") -> str:
        """The pass after `own` by the interval, with a tenth of it as jitter; said twice it is still one."""
        now = time.time()
        slot = (int(now / interval) + 1) * interval
        if own == f"{fleet}/{_stamp(slot)}":  # another controller's clock is ahead of this one's
            slot += interval
        spread = int.from_bytes(hashlib.sha256(f"{fleet} {slot}".encode()).digest()[:4]) / 2**32
        due = slot + spread * interval / 10
        return self._enqueue(f"{fleet}/{_stamp(slot)}", fleet, "schedule", "", max(0.0, due - now))

    def rows(self, fleet: str = "", *, status: list[str] | None = None, limit: int | None = None,
             full: bool = False, version: str | None = None) -> Sequence[Row]:  # fmt: skip
        """Newest first; `full` reads what the passes were asked and what they said too."""
        found = self._client.list_workflows(
            name=WORKFLOW,
            workflow_id_prefix=f"{fleet}/" if fleet else None,
            status=status,
            app_version=version,
            limit=limit,
            sort_desc=True,
            load_input=full,
            load_output=full,
        )
        return [_row(item) for item in found]

    def waiting(self) -> Sequence[Row]:
        """What is still to end, of all fleets."""
        return self.rows(status=_WAITING, version=VERSION)

    def last(self, fleet: str) -> Mapping[str, Any]:
        """What the pass that ended last said; empty before the first."""
        ended = [row.record for row in self.rows(fleet, status=["SUCCESS"], limit=4, full=True) if row.record]
        return max(ended, key=lambda record: float(record.get("ended", 0)), default={})

    def result(self, identity: str) -> Mapping[str, Any]:
        """Wait until that pass is over, and what it said."""
        said: Any = self._client.retrieve_workflow(identity).get_result(polling_interval_sec=0.2)
        return said if isinstance(said, dict) else {}

    def forget(self, before: float) -> int:
        """Delete passes that ended before; a fleet's newest stays. Gives how many were deleted."""
        when = datetime.fromtimestamp(before, UTC).isoformat()
        old = self._client.list_workflows(
            name=WORKFLOW, end_time=when, status=["SUCCESS"], limit=1000,
            sort_desc=True, load_input=False, load_output=False,
        )  # fmt: skip
        newest = {
            fleet: self.rows(fleet, status=["SUCCESS"], limit=1)[0].id
            for fleet in {_fleet(item.workflow_id) for item in old}
        }
        gone = [item.workflow_id for item in old if newest[_fleet(item.workflow_id)] != item.workflow_id]
        if gone:
            self._client.delete_workflows(gone)
        return len(gone)

    def close(self) -> None:
        self._client.destroy()

    def _enqueue(self, identity: str, fleet: str, trigger: str, by: str, delay: float = 0.0) -> str:
        options: Any = {
            "workflow_name": WORKFLOW,
            "queue_name": queue_of(fleet),
            "workflow_id": identity,
            "app_version": VERSION,
            **({"delay_seconds": delay} if delay > 0 else {}),
        }
        self._client.enqueue(options, fleet, trigger, by)
        return identity


def queue_of(fleet: str) -> str:
    """Its name: each fleet has one of its own, so that a controller takes only passes of the fleets it knows."""
    return f"passes/{fleet}"


def database_in(url: str) -> str:
    """That database, or by default the embedded one in the state folder."""
    return url or f"sqlite:///{state_folder()}/loop.sqlite"


def prepare(database: str) -> None:
    """The embedded one's file, which nobody else may read; PostgreSQL's database is made by its administrator."""
    if database.startswith("sqlite:///"):
        path = Path(database.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _shown(database: str) -> str:
    """Without the login."""
    return re.sub(r"//[^/]*@", "//", database)


def _row(item: Any) -> Row:
    words = [str(word) for word in (item.input or {}).get("args", ())] if isinstance(item.input, dict) else []
    words = (words or [_fleet(item.workflow_id)]) + ["", ""]
    record = item.output if isinstance(item.output, dict) else {}
    created = (item.created_at or 0) / 1000
    return Row(item.workflow_id, _fleet(item.workflow_id), item.status, created, item.executor_id or "",
               words[1], words[2], item.recovery_attempts or 0, record)  # fmt: skip


def _fleet(identity: str) -> str:
    return identity.split("/", 1)[0]


def _stamp(when: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when))
