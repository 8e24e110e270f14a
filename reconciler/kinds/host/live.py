"""Host actions on the real host; each looks first, does one thing, and proves it."""

from typing import Any

from reconciler.errors import Refused
from reconciler.kinds.host import trust
from reconciler.kinds.host.actions import MakeMover, RunService, SetHostname, TrustAuthority, WriteHostsBlock
from reconciler.kinds.host.mover import MAKE, rule
from reconciler.kinds.host.wire import write_block
from reconciler.model.action import Action
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.ports import Hands
from reconciler.readings import Reply

_REPLACE = (
    "set -e; umask 022; new=$(mktemp /etc/.hosts.XXXXXX); trap 'rm -f \"$new\"' EXIT; "
    'cat >"$new"; chmod --reference=/etc/hosts "$new"; chown --reference=/etc/hosts "$new"; '
    'if command -v chcon >/dev/null; then chcon --reference=/etc/hosts "$new" 2>/dev/null || true; fi; '
    'mv "$new" /etc/hosts || cat "$new" >/etc/hosts'
)


def run(action: Action, hands: Hands) -> Done:
    """Carry out one host action; raises Refused when the host says no."""
    card = hands.hosts[action.place.host]
    match action:
        case SetHostname(fqdn=fqdn):
            return _set_hostname(card, fqdn, hands)
        case WriteHostsBlock(entries=entries):
            return _write_block(card, entries, hands)
        case MakeMover(user=user):
            made = hands.shell.run(card, ["sh", "-c", MAKE, "sh", user, rule(user)], deadline=90)
            _must(card, made, f"make user {user} for moves")
            return Done(f"{user} may use libvirt")
        case TrustAuthority(authority=authority):
            told = hands.shell.run(card, ["sh", "-c", trust.MAKE, "sh", authority], deadline=60)
            _must(card, told, "let sshd trust the authority")
            return Done("sshd reads it, and accepts what it signs")
        case RunService(service=service):
            _must(
                card, hands.shell.run(card, ["systemctl", "enable", "--now", service], deadline=60), f"start {service}"
            )
            return Done(f"{service} is active and enabled")
        case _:
            raise TypeError(f"not a host action: {action.id}")


def _set_hostname(card: HostCard, fqdn: str, hands: Hands) -> Done:
    _must(card, hands.shell.run(card, ["hostnamectl", "set-hostname", "--static", fqdn]), "set the host name")
    hands.shell.run(card, ["hostname", fqdn])
    said = hands.shell.run(card, ["hostname", "-f"]).out.strip()
    if said != fqdn:
        fix = f"give {fqdn} an entry in DNS, or declare the host's address so that /etc/hosts gets one"
        raise Refused(card.name, f"host name set, but `hostname -f` says {said!r}", fix)
    return Done(f"`hostname -f` says {said}")


def _write_block(card: HostCard, entries: tuple[tuple[str, str], ...], hands: Hands) -> Done:
    before = hands.shell.run(card, ["cat", "/etc/hosts"])
    _must(card, before, "read /etc/hosts")
    after = write_block(before.out, entries)
    if after != before.out:
        _must(card, hands.shell.run(card, ["sh", "-c", _REPLACE], stdin=after), "write /etc/hosts")
    for address, fqdn in entries:
        found: list[Any] = hands.shell.run(card, ["getent", "ahostsv4", fqdn]).out.split()
        if address not in found:
            fix = f"look for another entry of {fqdn} in /etc/hosts or DNS"
            raise Refused(card.name, f"{fqdn} resolves to {found[0] if found else 'nothing'}, not to {address}", fix)
    return Done(f"{len(entries)} names resolve", changed=after != before.out)


def _must(card: HostCard, reply: Reply, what: str) -> None:
    if reply.code != 0:
        raise Refused(card.name, f"could not {what}: {(reply.err or reply.out).strip()[:300]}")
