"""A migration in memory, look by look: guests that do not converge, post-copy, links that break, and what follows.

Strict as libvirt is: a nudge that was not allowed, a step back, an end that never comes are impossible worlds.
"""

from dataclasses import replace

from reconciler.errors import Refused, Unreachable
from reconciler.readings import JobNumbers, MigrationRequest, Watch
from tests.fakes.machines import Domain, Host
from tests.fakes.world import World

TOTAL, RATE = 2**28, 2**26
LONGEST = 20_000
UNATTENDED = 20.0


class Laddered:
    """One copy of a domain from `source` to `there`.

    `broken` is how it ends otherwise: refused, paused (runs nowhere), lost (moved, answer lost), post-copy (its link
    breaks in post-copy), unattended (in post-copy only the control link breaks, QEMU goes on by itself).
    """

    def __init__(self, world: World, source: Host, there: Host, request: MigrationRequest, broken: str) -> None:
        self._world, self._source, self._there, self._request = world, source, there, request
        self._broken = broken
        self._domain = source.domains[request.uuid]
        self._needs = world.busy.get(self._domain.name, 0)
        self._allowed = request.max_downtime_ms or 300
        self._began = world.time

    def run(self, watch: Watch) -> JobNumbers:
        """To its end; raises what libvirt would say."""
        if self._request.resume:
            return self._resume(watch)
        for look in range(1, LONGEST):
            job = self._job(look)
            nudge = watch(job)
            if self._broken in ("refused", "paused"):
                raise self._fails()
            if nudge:
                self._nudged(nudge.what, nudge.milliseconds)
            if self._post_copy or self._allowed >= self._needs or self._domain.state == "paused":
                if self._post_copy:
                    watch(self._job(look + 1))
                return self._arrives(look + 1)
            self._world.pass_time(1.0)
        raise self._world.wrong(f"the migration of {self._domain.name} never ends")

    @property
    def _post_copy(self) -> bool:
        return self._domain.reason == "post-copy"

    def _job(self, look: int) -> JobNumbers:
        elapsed = int((self._world.time - self._began) * 1000)
        phase = "post-copy" if self._post_copy else "first copy" if look == 1 else f"iteration {look}"
        job = JobNumbers(phase, TOTAL, TOTAL // 2, TOTAL // 2, RATE, RATE, look, elapsed, post_copy=self._post_copy)
        return job if self._needs else replace(job, dirty_rate=2**20)

    def _fails(self) -> Exception:
        if self._broken == "refused":
            return Refused(self._source.name, "libvirt says: operation failed: migration out job: unexpectedly failed")
        self._domain.state = "paused"
        return Unreachable(self._source.name, "libvirtd did not answer: end of file")

    def _nudged(self, what: str, milliseconds: int) -> None:
        domain, source = self._domain, self._source
        if what == "downtime":
            if milliseconds <= self._allowed:
                raise self._world.wrong(f"downtime of {domain.name} goes back to {milliseconds} ms")
            self._allowed = milliseconds
        elif what == "suspend":
            domain.state, domain.reason = "paused", "migrating"
        elif what == "abort":
            raise Refused(source.name, "libvirt says: operation aborted: migration out job: canceled by client")
        else:
            self._switch()

    def _switch(self) -> None:
        """Post-copy begins: two halves from now on, and both are needed."""
        domain = self._domain
        if not self._request.post_copy or self._request.connections:
            raise self._world.wrong(f"post-copy of {domain.name} was not asked for, or is over parallel connections")
        self._there.domains[domain.uuid] = replace(domain, state="running", reason="post-copy", autostart=False)
        domain.state, domain.reason = "paused", "post-copy"
        if self._broken in ("post-copy", "unattended"):
            domain.reason = "post-copy failed"
            if self._broken == "unattended":
                domain.unattended_until = self._world.time + UNATTENDED
            else:
                self._there.domains[domain.uuid].reason = "post-copy failed"
            raise Unreachable(self._source.name, "libvirtd did not answer: client socket is closed")

    def _resume(self, watch: Watch) -> JobNumbers:
        other = self._there.domains.get(self._domain.uuid)
        if self._domain.reason != "post-copy failed" or other is None:
            raise Refused(self._source.name, "libvirt says: domain is not in post-copy-failed")
        if self._domain.unattended_until is not None and self._broken == "post-copy":
            raise Refused(self._source.name, "libvirt says: End of file while reading data: : Input/output error")
        if self._domain.unattended_until is not None:
            raise Refused(self._source.name, "libvirt says: QEMU reports migration is still running")
        if not self._request.post_copy:
            raise self._world.wrong("a post-copy is taken up again as what it was not")
        if self._broken == "post-copy":
            raise Refused(self._source.name, "libvirt says: internal error: client socket is closed")
        self._domain.reason = other.reason = "post-copy"
        watch(self._job(9))
        return self._arrives(10)

    def _arrives(self, looks: int) -> JobNumbers:
        domain = self._source.domains.pop(self._request.uuid)
        self._there.domains[domain.uuid] = Domain(domain.uuid, domain.name, domain.config, "running", domain.live)
        if self._broken == "lost":
            raise Unreachable(self._source.name, "libvirtd did not answer: end of file")
        return JobNumbers("done", TOTAL, TOTAL, 0, 2**30, 0, looks, 400, 20)
