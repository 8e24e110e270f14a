"""A migration that goes on by itself: begun by a call, ended by the world's time, whoever began it.

Knows no reconciler: it ends in the same way when nobody is left to look.
"""

from dataclasses import dataclass

from tests.fakes.machines import Domain, Host
from tests.fakes.world import World

LASTS = 8.0


@dataclass
class Copying:
    """One job. `how` is its end: arrived, refused (the source goes on), paused (it runs nowhere).

    `life` is that of the reconciler that manages it, and with which it ends; -1 where the source does.
    """

    source: Host
    there: Host
    domain: Domain
    ends_at: float
    how: str = "arrived"
    life: int = -1

    def end(self) -> None:
        """What both libvirtds do when the job is over."""
        here, uuid = self.domain, self.domain.uuid
        here.migrating = False
        if self.how == "arrived":
            arrived = self.there.domains[uuid]
            arrived.state, arrived.live, arrived.reason = "running", here.live, ""
            del self.source.domains[uuid]
            return
        del self.there.domains[uuid]
        if self.how == "paused":
            here.state, here.reason = "paused", "migrating"


def begin(world: World, source: Host, there: Host, domain: Domain, how: str = "arrived") -> Copying:
    """The destination has an incoming, paused domain; the guest still runs on the source."""
    domain.migrating = True
    there.domains[domain.uuid] = Domain(
        domain.uuid, domain.name, domain.config, "paused", domain.live, reason="migrating"
    )
    job = Copying(source, there, domain, world.time + LASTS, how)
    world.copying[domain.uuid] = job
    return job
