"""Does one host get through to another: a TCP connection, tried from the source. It asks, and changes nothing.

What is closed until a lease opens it is no obstacle; what gives no answer at all may be one.
"""

from collections.abc import Iterator, Sequence

from reconciler.errors import HostError
from reconciler.model.crossing import Blocker, Caution, Crossing, Hurdle, Note
from reconciler.model.fleet import HostCard
from reconciler.ports import Hands

_TRY = 'exec 3<>"/dev/tcp/$0/$1"'
_REJECTED = ("No route to host", "prohibited", "unreachable")


def tried(source: HostCard, target: str, port: int, hands: Hands) -> str:
    """Empty where the packet got there, a refusal included: nobody listens yet; else what was said instead."""
    said = hands.shell.run(source, ["timeout", "5", "bash", "-c", _TRY, target, str(port)])
    if said.code == 0 or "refused" in said.err:
        return ""
    return said.err.strip()[-200:] or "no answer"


def ask(crossing: Crossing, hands: Hands) -> Sequence[Hurdle]:
    """The destination's sshd, where the source has to log in, and a port for memory, for a live move."""
    if not crossing.guest:
        return ()
    try:
        return list(_ask(crossing, hands.hosts[crossing.source], hands.hosts[crossing.destination], hands))
    except HostError as error:
        return [Caution(f"{crossing.source} could not try whether it reaches {crossing.destination}: {error.reason}")]


def _ask(crossing: Crossing, source: HostCard, there: HostCard, hands: Hands) -> Iterator[Hurdle]:
    login = tried(source, there.address, there.connection.port, hands) if crossing.login else ""
    if login and "not known" not in login:
        fix = "is sshd there open to it, and is nothing in between?"
        at = f"{there.address}:{there.connection.port}"
        yield Blocker(f"{source.name} does not reach sshd of {there.name} at {at}: {_last(login)}", fix, "live")
    target, port = there.migration_address or there.address, there.migration_ports[0]
    data = tried(source, target, port, hands) if port else ""
    if not data:
        yield Note(f"{source.name} gets through to {target}, port {port}" if port else f"{there.name} names no port")
    elif any(word in data for word in _REJECTED):
        yield Note(f"{target} is closed to {source.name} at port {port}; a lease opens one for the move")
    else:
        fix = "a filter drops it, there or in between; the move tries its port once it is open, and stops if it is not"
        yield Caution(f"{source.name} gets {_last(data)} from {target}, port {port}", fix)


def _last(said: str) -> str:
    """The end of what bash says, which names the reason."""
    return said.rsplit(": ", 1)[-1]
