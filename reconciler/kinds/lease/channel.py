"""How the memory of one move crosses: by QEMU's own TLS, in a tunnel through the leased login, or in the clear.

Pure: decides from what both hosts' certificates say, what is declared, and what the move is able to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.kinds.lease.state import Papers
from reconciler.model.action import Passage
from reconciler.model.crossing import Blocker
from reconciler.model.desired import View
from reconciler.model.ref import Place

_GUIDE = "see docs/guides/encrypt-moves.md"


@dataclass(frozen=True, slots=True)
class Channel:
    """The way with its channel chosen; `missing` says what kept it from TLS, and `fix` what would change that."""

    way: Passage
    missing: str = ""
    fix: str = _GUIDE


def choose(way: Passage, view: View) -> Channel | Blocker:
    """TLS where both hosts have working certificates, else a tunnel, else in the clear unless that is forbidden."""
    if way.encrypt == "off":
        return Channel(replace(way, channel="plain"), "migration.encrypt is off", "leave it out")
    missing = "; ".join(_without_tls(way, view))
    if not missing:
        there: Papers = view.snapshot.get(Place("papers", way.destination, way.destination))
        name = "" if way.target in there.covers else view.fleet.hosts[way.destination].fqdn
        return Channel(replace(way, channel="tls", tls_name=name))
    untunnelled = _without_tunnel(way)
    if not untunnelled:
        return Channel(replace(way, channel="tunnel"), missing)
    if way.encrypt == "required":
        return Blocker(
            f"it must be encrypted: no TLS, since {missing}; no tunnel, since {untunnelled}",
            f"{_GUIDE}, or declare migration.encrypt: auto",
        )
    return Channel(replace(way, channel="plain"), f"no TLS, since {missing}; no tunnel, since {untunnelled}")


def _without_tunnel(way: Passage) -> str:
    """Why this move cannot go in a tunnel; empty when it can."""
    if way.managed:
        return "neither host logs in on the other (access mode none)"
    return way.untunnelled or ("its disks are copied on a channel of their own" if way.disks else "")


def _without_tls(way: Passage, view: View) -> Iterator[str]:
    """What keeps the two hosts from TLS, as a client and a server."""
    papers: dict[str, Papers] = {}
    for host in (way.source, way.destination):
        seen: Papers | None = view.snapshot.get(Place("papers", host, host))
        if seen is None or seen.wrong:
            yield f"{host} {seen.wrong if seen else 'did not tell of certificates'}"
            continue
        papers[host] = seen
        yield from _in_time(host, seen, view.now, way.lifetime)
    if len(papers) < 2:
        return
    here, there = papers[way.source], papers[way.destination]
    if here.authority != there.authority:
        yield f"{way.source} and {way.destination} trust different authorities"
    fqdn = view.fleet.hosts[way.destination].fqdn
    if not {way.target, fqdn} & set(there.covers):
        yield f"the certificate of {way.destination} is neither for {way.target} nor for {fqdn}"


def _in_time(host: str, seen: Papers, now: int, lifetime: int) -> Iterator[str]:
    if seen.until < now:
        yield f"a certificate of {host} expired on {day(seen.until)}"
    elif seen.until < now + lifetime:
        yield f"a certificate of {host} expires on {day(seen.until)}, sooner than the lease"
    if seen.since > now:
        yield f"a certificate of {host} is valid from {day(seen.since)} on only"


def day(seconds: int) -> str:
    """A time as its day in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
