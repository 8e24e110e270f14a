"""The proof that hosts share a pool's files: a token written on one is read on the others, and taken away again.

Called by live only. It never writes where nothing is mounted, and leaves no file behind.
"""

from collections.abc import Sequence

from reconciler.errors import Refused
from reconciler.kinds.pool.actions import ProveShared, SweepTokens
from reconciler.kinds.pool.mounted import mounted
from reconciler.kinds.pool.wire import MARK
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands

_OLD = "60"
_WRITE = 'set -eC; umask 077; printf "%s\\n" "$2" >"$1"; sync -d "$1" 2>/dev/null || sync "$1" || true'
_REMOVE = 'rm -f -- "$1"; [ ! -e "$1" ]'


def prove_shared(action: ProveShared, hands: Hands) -> Done:
    """Raises Refused naming both hosts and what was seen when one does not see what the other wrote."""
    cards = [hands.hosts[name] for name in action.hosts]
    for card in cards:
        _check_mount(card, action, hands)
    writer, readers = cards[0], cards[1:]
    _sweep(writer, action, hands)
    token, content = _random(writer, hands), _random(writer, hands)
    path = f"{action.target}/{MARK}{action.fleet}.{token}"
    try:
        _write(writer, path, content, hands)
        hands.at("pool.token-written")
        _read(writer, readers, path, content, hands)
    finally:
        _remove(writer, path, hands)
    return Done(f"{', '.join(action.hosts)} see the same files in {action.target}", changed=False)


def _check_mount(card: HostCard, action: ProveShared, hands: Hands) -> None:
    """A network pool must be a mount point itself; a folder must lie on something other than the root file system."""
    if action.network:
        if not mounted(card, action.target, hands):
            raise Refused(card.name, f"nothing is mounted at {action.target}; not written to", "start the pool there")
        return
    found = hands.shell.run(card, ["findmnt", "-n", "-o", "TARGET", "-T", action.target])
    if found.code != 0 or found.out.strip() in ("", "/"):
        fix = "mount the shared storage there, or declare `shared: false`"
        raise Refused(card.name, f"{action.target} is on the host's own root file system; not written to", fix)


def _sweep(card: HostCard, action: ProveShared, hands: Hands) -> None:
    """Other fleets' tokens, once they are an hour old; this fleet's own are swept by any pass that sees them."""
    which = ["-maxdepth", "1", "-type", "f", "-name", f"{MARK}*", "-mmin", f"+{_OLD}"]
    hands.shell.run(card, ["find", action.target, *which, "-delete"])


def _random(card: HostCard, hands: Hands) -> str:
    """From the host's kernel: the core draws no random numbers, so that a pass can be replayed."""
    reply = hands.shell.run(card, ["cat", "/proc/sys/kernel/random/uuid"])
    text = reply.out.strip()
    if reply.code != 0 or len(text) != 36 or not set(text) <= set("0123456789abcdef-"):
        raise Refused(card.name, f"no random number from the kernel: {(reply.err or text)[:200]!r}")
    return text


def _write(card: HostCard, path: str, content: str, hands: Hands) -> None:
    reply = hands.shell.run(card, ["sh", "-c", _WRITE, "sh", path, content])
    if reply.code != 0:
        said = (reply.err or reply.out).strip()[:300]
        raise Refused(card.name, f"could not write {path}: {said}", "root needs write access there (no_root_squash)")


def _read(writer: HostCard, readers: Sequence[HostCard], path: str, content: str, hands: Hands) -> None:
    for card in readers:
        reply = hands.shell.run(card, ["cat", "--", path])
        if reply.code != 0 or reply.out.strip() != content:
            seen = (reply.err or reply.out).strip()[:200] or "an empty file"
            reason = f"does not see what {writer.name} wrote to {path}; it sees: {seen}"
            raise Refused(card.name, reason, f"{writer.name} and {card.name} must mount the same storage")


def sweep(action: SweepTokens, hands: Hands) -> Done:
    """Delete what a killed proof left; the lock on the fleet says that no proof is running."""
    card = hands.hosts[action.place.host]
    for path in action.tokens:
        _remove(card, path, hands)
    return Done(f"{len(action.tokens)} deleted")


def _remove(card: HostCard, path: str, hands: Hands) -> None:
    reply = hands.shell.run(card, ["sh", "-c", _REMOVE, "sh", path])
    if reply.code != 0:
        raise Refused(card.name, f"could not remove {path}: {reply.err.strip()[:200]}", f"remove it on {card.name}")
