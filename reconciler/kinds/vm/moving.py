"""A live move on real hosts: asked once more, migrated peer to peer, then read on both sides.

It opens, closes and proves nothing: the actions woven around it do. It never starts or destroys a domain.
"""

from dataclasses import replace
from urllib.parse import urlencode

from reconciler.errors import HostError, NeedsHuman, Refused, Unreachable
from reconciler.kinds.vm import copies
from reconciler.kinds.vm.actions import FinishMove, FollowMove, MoveLive
from reconciler.kinds.vm.climbing import Climbing
from reconciler.kinds.vm.fitting import fits
from reconciler.kinds.vm.halves import failed
from reconciler.kinds.vm.ladder import begin, grace
from reconciler.kinds.vm.pace import arrive, remember
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.model.units import show_duration, show_size
from reconciler.ports import Hands
from reconciler.readings import DomainReading, JobNumbers, MigrationRequest


class Underway(Refused):
    """Its migration goes on without us: it is followed, not judged."""


KEYS = "/run/reconciler/leases"
Half = tuple[DomainReading | Unreachable | None, HostCard]


def move(action: MoveLive, hands: Hands) -> Done:
    """The move; raises Refused where it did not happen and NeedsHuman where the truth is unknown."""
    source, there = hands.hosts[action.origin], hands.hosts[action.place.host]
    arrived = _already(action, source, there, hands)
    if arrived:
        return arrived
    fits(action, there, hands)
    for pool in action.pools:
        hands.hypervisor.refresh_pool(there, pool)
    copies.begin(action, hands)
    hands.at("move.ready")
    climbing = Climbing(action.policy, hands.clock, lambda job, rung, said: tell(job, hands, rung, said))
    try:
        numbers = hands.hypervisor.migrate(source, request(action, there), climbing.look, there)
    except HostError as error:
        hands.at("move.failed")
        try:
            return after_failure(action, source, there, climbing.explained(error), hands)
        except Underway:
            raise
        except Refused as refused:
            raise copies.failed(action, refused, hands) from None
    hands.at("move.migrated")
    settle(action, source, there, hands)
    numbers = replace(numbers, dirty_rate=climbing.dirtied)
    done = climbing.kept(finished(action.uuid, there, numbers, hands))
    return replace(done, text=done.text + copies.said(action))


def finished(uuid: str, there: HostCard, last: JobNumbers, hands: Hands) -> Done:
    """The whole job's numbers from where it arrived; the last ones seen where that host does not tell."""
    try:
        job = hands.hypervisor.finished_job(there, uuid) or last
    except HostError:
        job = last
    remember(uuid, there, replace(job, dirty_rate=max(job.dirty_rate, last.dirty_rate)), hands)
    iterations = max(job.iteration, last.iteration)
    facts = {
        "bytes": job.processed,
        "rate": job.rate,
        "iterations": iterations,
        "milliseconds": job.elapsed_ms,
        "downtime_ms": job.downtime_ms,
    }
    disks = max(job.disks, last.disks)
    facts |= {"disk_bytes": disks} if disks else {}
    facts |= {"dirty_rate": last.dirty_rate} if last.dirty_rate else {}
    took = show_duration(max(job.elapsed_ms, last.elapsed_ms) / 1000)
    text = f"{show_size(job.processed)} in {took}, {iterations} iterations, downtime {job.downtime_ms} ms"
    text += f", and {show_size(disks)} of disks" if disks else ""
    return Done(text, facts=facts)


def _already(action: MoveLive, source: HostCard, there: HostCard, hands: Hands) -> Done | None:
    """Both hosts are asked first; only `running here, absent there` is a reason to begin."""
    here, other = (hands.hypervisor.domain(card, action.uuid) for card in (source, there))
    if here is None and other is not None and other.state == "running":
        return Done("is there already", changed=False)
    if here is None or here.state != "running":
        raise Refused(
            source.name, f"{action.place.name} is {here.state if here else 'gone'}, not running", "plan again"
        )
    if other is not None:
        raise NeedsHuman(f"{action.place.name} is on {there.name} too ({other.state}); nothing was moved", "plan again")
    if here.migrating:
        raise Refused(source.name, f"{action.place.name} is being migrated already", "wait until it has ended")
    return None


def request(action: MoveLive, there: HostCard) -> MigrationRequest:
    way, policy = action.way, action.policy
    key = f"{KEYS}/{way.lease}.{action.place.name}/key"
    options = urlencode({"keyfile": key, "no_tty": 1, "proxy": "native"}, safe="/")
    port = "" if there.connection.port == 22 else f":{there.connection.port}"
    return MigrationRequest(
        uuid=action.uuid,
        destination="" if way.managed else f"qemu+ssh://{way.user}@{action.address}{port}/system?{options}",
        data="" if way.channel == "tunnel" else f"tcp://{way.target}:{way.port}",
        bandwidth=policy.bandwidth,
        max_downtime_ms=begin(policy).downtime,
        auto_converge=policy.auto_converge and not policy.post_copy,
        post_copy=policy.post_copy,
        compress=policy.compress,
        unsafe=policy.unsafe,
        disks=tuple(disk.target for disk in action.copies),
        disks_port=way.disks_port,
        managed=way.managed,
        channel=way.channel,
        tls_name=way.tls_name,
        timeout=policy.timeout + grace(policy) + 60.0,
        connections=policy.connections,
    )


def tell(job: JobNumbers, hands: Hands, rung: str = "", said: str = "") -> None:
    facts = {
        "rate": job.rate,
        "dirty_rate": job.dirty_rate,
        "iteration": job.iteration,
        "remaining": job.remaining,
        "seconds_left": round(job.remaining / job.rate, 1) if job.rate else None,
        "said": said,
    }
    hands.tell(f"{job.phase}, {rung}" if rung else job.phase, job.processed, job.total, facts)


def after_failure(action: MoveLive, source: HostCard, there: HostCard, error: HostError, hands: Hands) -> Done:
    """libvirt said no, or nothing: the two hosts say what is true (it may well have arrived)."""
    states = [asked(card, action.uuid, hands) for card in (source, there)]
    here, other = states
    if isinstance(here, Unreachable) or isinstance(other, Unreachable):
        raise NeedsHuman(
            f"{action.place.name}: the move ended without an answer ({error.reason}), and "
            f"{(here if isinstance(here, Unreachable) else other)}",
            "bring that host back and plan again",
        )
    if isinstance(here, DomainReading) and here.migrating:
        raise Underway(
            source.name, f"the migration of {action.place.name} goes on without us: {error.reason}"
        ) from None
    _broken(action, (here, source), (other, there), error)
    if runs(other) and not runs(here):
        settle(action, source, there, hands)
        return Done(f"arrived, though libvirt reported: {error.reason}")
    if runs(other) and runs(here):
        raise NeedsHuman(
            f"ALARM: {action.place.name} runs on {source.name} AND {there.name}", "stop the wrong one by hand"
        )
    if not runs(here):
        said = ", ".join(
            f"{s.state if isinstance(s, DomainReading) else 'absent'} on {c.name}"
            for s, c in ((here, source), (other, there))
        )
        raise NeedsHuman(
            f"{action.place.name} runs nowhere after a failed move: {said}", "look at both hosts' libvirtd log"
        )
    fix = f"it still runs on {source.name}; `journalctl -u libvirtd` there says more"
    raise Refused(source.name, f"the move failed: {error.reason}", fix) from None


def _broken(action: MoveLive, here: Half, other: Half, error: HostError) -> None:
    """In post-copy there is no way back: what has two halves is left as it is, and taken up by the next pass."""
    (mine, source), (theirs, there) = here, other
    if not isinstance(mine, DomainReading) or not isinstance(theirs, DomainReading):
        return
    if mine.state == "paused" and (failed(mine) or mine.reason == "post-copy") and theirs.state != "shutoff":
        why = f"post-copy broke, {action.place.name} has memory on {source.name} and on {there.name}: {error.reason}"
        fix = "neither half was touched; when the link between them is back, apply again: it is recovered"
        raise HostError(source.name, why, fix) from None
    if failed(mine) or failed(theirs):
        said = f"{mine.state} on {source.name}, {theirs.state} on {there.name}"
        fix = "nothing was touched; both hosts' libvirtd log"
        raise NeedsHuman(f"post-copy of {action.place.name} broke and one half is gone: it is {said}", fix) from None


def asked(card: HostCard, uuid: str, hands: Hands) -> DomainReading | Unreachable | None:
    """Asked for half a minute: a daemon that restarts after the fault answers again."""
    end = hands.clock.now() + 30
    while True:
        try:
            return hands.hypervisor.domain(card, uuid)
        except Unreachable as error:
            if hands.clock.now() >= end:
                return error
            hands.clock.sleep(2.0)


def runs(state: object) -> bool:
    return isinstance(state, DomainReading) and state.state == "running"


def settle(action: MoveLive | FollowMove | FinishMove, source: HostCard, there: HostCard, hands: Hands) -> None:
    """What libvirt does not carry: autostart, and when it came. Its promise is checked: persistent there, gone here."""
    arrived = hands.hypervisor.domain(there, action.uuid)
    if arrived is None or not arrived.persistent:
        raise NeedsHuman(f"{action.place.name} is not stored on {there.name}", "virsh dumpxml it there and define it")
    hands.hypervisor.set_autostart(there, action.uuid, action.autostart)
    arrive(action.uuid, there, arrived.config, hands)
    hands.at("move.settled")
    copies.settle(action.uuid, source, there, hands)
    left = hands.hypervisor.domain(source, action.uuid)
    if left is not None and left.state != "shutoff":
        raise NeedsHuman(
            f"ALARM: {action.place.name} is {left.state} on {source.name} after it moved", "stop nothing yet; look"
        )
    if left is not None:
        hands.hypervisor.undefine_domain(source, action.uuid)
