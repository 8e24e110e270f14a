"""One migration, peer to peer or between two connections of ours: run in a thread, followed, nudged as its watch says.

Knows libvirt's flags and fields; judges nothing about the outcome but whether libvirt called it a success. It looks
four times a second: libvirt's event of a new iteration would need an event loop, and brings no numbers with it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any

from reconciler.errors import HostError
from reconciler.readings import JobNumbers, MigrationRequest, Nudge, Watch

_POLL = 0.25
_STANDS_STILL = 60.0
_HEAVY = 3
"""So many times a look's patience is given to a nudge: QEMU on a busy host takes long to stop a guest that writes."""


class Migrating:
    """`run` blocks until libvirt's call has ended and returns the job's last numbers; raises libvirt's own error.

    `connections` are the source's, and the destination's where it is not the source that opens it.
    The call has no limit but the request's; where the daemon answers no `poke` the connection is cut, which ends it;
    a poke is told how many times its patience it may take.
    """

    def __init__(
        self,
        lib: Any,
        connections: tuple[Any, Any],
        request: MigrationRequest,
        watch: Watch,
        poke: Callable[[int], AbstractContextManager[Any]],
    ) -> None:
        self._lib, self._request, self._watch, self._poke = lib, request, watch, poke
        source, self._destination = connections
        with poke(1):
            self._domain = source.lookupByUUIDString(request.uuid)
        self._error: Exception | None = None
        self._last = JobNumbers()
        self._suspended = False
        self._switched = request.resume
        self._broken = False
        self._copied, self._since = 0, time.monotonic()

    def run(self) -> JobNumbers:
        self._prepare()
        thread = threading.Thread(target=self._call, daemon=True, name="migrate")
        end = time.monotonic() + self._request.timeout
        thread.start()
        aborted = False
        while thread.is_alive():
            thread.join(_POLL)
            nudge = self._look()
            self._moves_on()
            if not aborted and not self._switched and time.monotonic() > end:
                aborted, nudge = True, Nudge("abort")
            if nudge and thread.is_alive():
                self._nudge(nudge)
        if self._error:
            self._wake()
            raise self._error
        return self._last

    def _moves_on(self) -> None:
        """What is resumed and has copied nothing for a minute is broken again, so that it can be resumed again.

        Raises where even that does not end libvirt's call, which is then left to itself.
        """
        if self._last.processed != self._copied:
            self._copied, self._since = self._last.processed, time.monotonic()
        still = time.monotonic() - self._since
        if not self._request.resume or still < _STANDS_STILL:
            return
        if not self._broken:
            self._broken = True
            with suppress(HostError), self._poke(_HEAVY):
                self._domain.abortJobFlags(self._lib.VIR_DOMAIN_ABORT_JOB_POSTCOPY)
        if still >= 2 * _STANDS_STILL:
            why = f"it stands still at {self._copied} bytes since {still:.0f} s; libvirt's call is left to itself"
            raise TimeoutError(why)

    def _nudge(self, nudge: Nudge) -> None:
        """Carried out; one that comes too early or too late is refused by libvirt, and the watch may give it again."""
        with suppress(HostError), self._poke(_HEAVY):
            match nudge.what:
                case "downtime":
                    self._domain.migrateSetMaxDowntime(nudge.milliseconds, 0)
                case "post-copy":
                    self._domain.migrateStartPostCopy(0)
                    self._switched = True
                case "suspend":
                    self._domain.suspend()
                    self._suspended = True
                case "abort":
                    self._domain.abortJob()

    def _wake(self) -> None:
        """A guest suspended just when its copy had failed is no migration's to wake up; any other one libvirt wakes."""
        if self._suspended:
            with suppress(HostError), self._poke(1):
                if tuple(self._domain.state(0)) == (self._lib.VIR_DOMAIN_PAUSED, self._lib.VIR_DOMAIN_PAUSED_USER):
                    self._domain.resume()

    def _prepare(self) -> None:
        if self._request.max_downtime_ms and not self._request.resume:
            with self._poke(1):
                self._domain.migrateSetMaxDowntime(self._request.max_downtime_ms, 0)

    def _call(self) -> None:
        lib, request = self._lib, self._request
        parameters: dict[str, Any] = {lib.VIR_MIGRATE_PARAM_URI: request.data} if request.data else {}
        if request.tls_name:
            parameters[lib.VIR_MIGRATE_PARAM_TLS_DESTINATION] = request.tls_name
        if request.bandwidth:
            parameters[lib.VIR_MIGRATE_PARAM_BANDWIDTH] = max(1, request.bandwidth // 2**20)
            if request.post_copy:
                parameters[lib.VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY] = max(1, request.bandwidth // 2**20)
        if request.disks:
            parameters[lib.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = list(request.disks)
            parameters[lib.VIR_MIGRATE_PARAM_DISKS_PORT] = request.disks_port
        if request.connections:
            parameters[lib.VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS] = request.connections
        try:
            if self._destination is None:
                self._domain.migrateToURI3(request.destination, parameters, self._flags())
            else:
                self._domain.migrate3(self._destination, parameters, self._flags())
        except lib.libvirtError as error:
            self._error = error

    def _flags(self) -> int:
        lib, request = self._lib, self._request
        flags = lib.VIR_MIGRATE_LIVE | (lib.VIR_MIGRATE_PEER2PEER if self._destination is None else 0)
        flags |= lib.VIR_MIGRATE_PERSIST_DEST | lib.VIR_MIGRATE_UNDEFINE_SOURCE
        flags |= 0 if request.resume else lib.VIR_MIGRATE_ABORT_ON_ERROR
        for on, name in (
            (request.auto_converge, "AUTO_CONVERGE"),
            (request.post_copy, "POSTCOPY"),
            (request.compress, "COMPRESSED"),
            (request.unsafe, "UNSAFE"),
            (bool(request.disks), "NON_SHARED_DISK"),
            (request.channel == "tls", "TLS"),
            (request.channel == "tunnel", "TUNNELLED"),
            (request.connections > 0, "PARALLEL"),
            (request.resume, "POSTCOPY_RESUME"),
        ):
            flags |= getattr(lib, f"VIR_MIGRATE_{name}") if on else 0
        return int(flags)

    def _look(self) -> Nudge | None:
        try:
            with self._poke(1):
                seen = numbers(self._domain.jobStats())
        except HostError:
            return None
        if not seen:
            return None
        if self._switched:
            seen = replace(seen, phase="post-copy", post_copy=True)
        self._last = seen
        return self._watch(seen)


def numbers(stats: dict[str, Any]) -> JobNumbers | None:
    """libvirt's fields as ours; None where there is no job."""
    if not stats.get("type"):
        return None
    iteration = int(stats.get("memory_iteration", 0))
    return JobNumbers(
        phase=_phase(iteration, int(stats.get("disk_remaining", 0))),
        total=int(stats.get("data_total", 0)),
        processed=int(stats.get("data_processed", 0)),
        remaining=int(stats.get("data_remaining", 0)),
        rate=int(stats.get("memory_bps", 0)),
        dirty_rate=int(stats.get("memory_dirty_rate", 0)) * int(stats.get("memory_page_size", 4096)),
        iteration=iteration,
        elapsed_ms=int(stats.get("time_elapsed", 0)),
        downtime_ms=int(stats.get("downtime", 0)),
        disks=int(stats.get("disk_processed", 0)),
    )


def _phase(iteration: int, disks_left: int) -> str:
    if iteration == 0 and disks_left:
        return "copying disks"
    return "first copy" if iteration <= 1 else f"iteration {iteration}"
