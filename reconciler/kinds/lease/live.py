"""Leases on real hosts: each end is proven, and what is gone already counts as done.

The private key is made on the source and never leaves it; what travels is the public half and the host's public keys.
"""

from collections.abc import Sequence

from reconciler.errors import HostError, Refused
from reconciler.kinds.lease.actions import ClosePort, GrantAccess, OpenPort, RevokeAccess
from reconciler.kinds.lease.reach import tried
from reconciler.kinds.lease.signing import certify, ended
from reconciler.kinds.lease.state import FOLDER, KNOWN_HOSTS, PRIORITY, TAG
from reconciler.kinds.lease.wire import key_line, rich_rule
from reconciler.model.action import Action, Passage
from reconciler.model.fleet import HostCard
from reconciler.model.outcome import Done
from reconciler.model.snapshot import Migration
from reconciler.ports import Hands
from reconciler.readings import Reply

_MAKE_KEY = f"""set -e; umask 077; d={FOLDER}/$1; mkdir -p "$d"; rm -f "$d"/key*
ssh-keygen -q -t "$2" $([ "$3" = 0 ] || echo -b "$3") -N '' -C "{TAG}$1" -f "$d/key"
systemd-run --quiet --collect --unit="reconciler-lease-$5" --on-active="$4" --timer-property=AccuracySec=1s \
rm -rf "$d" >/dev/null 2>&1 || true
cat "$d/key.pub"
"""
_UNTIL = """v=$(ssh -V 2>&1 | sed 's/^OpenSSH_\\([0-9]*\\)\\.\\([0-9]*\\).*/\\1 \\2/'); set -- "$1" $v
if [ "$2" -gt 9 ] || { [ "$2" -eq 9 ] && [ "$3" -ge 1 ]; }; then date -u -d "+$1 seconds" +%Y%m%d%H%M%SZ
else date -d "+$1 seconds" +%Y%m%d%H%M%S; fi"""
_LOCKED = """set -e; umask 077; h=$(getent passwd "$1" | cut -d: -f6); [ -n "$h" ] || { echo "no user $1" >&2; exit 3; }
f="$h/.ssh/authorized_keys"; [ -d "$h/.ssh" ] || install -d -m 700 -o "$1" -g "$(id -gn "$1")" "$h/.ssh"
[ -e "$f" ] || install -m 600 -o "$1" -g "$(id -gn "$1")" /dev/null "$f"
exec 9<"$h/.ssh"; flock -w 10 9; n=$(mktemp "$h/.ssh/.reconciler.XXXXXX"); trap 'rm -f "$n"' EXIT; cp -p "$f" "$n"
"""
_ADD_LINE = (
    _LOCKED
    + """[ -z "$(tail -c1 "$n")" ] || echo >>"$n"
cat >>"$n"; command -v restorecon >/dev/null && restorecon "$n" || true; mv "$n" "$f"; trap - EXIT"""
)
_DROP_LINE = (
    _LOCKED
    + """grep -vF "$2" "$f" >"$n" || [ $? -eq 1 ]
command -v restorecon >/dev/null && restorecon "$n" || true; mv "$n" "$f"; trap - EXIT; ! grep -qF "$2" "$f\""""
)
_FORGET = f"""set -e; exec 9</etc/ssh; flock -w 10 9; f={KNOWN_HOSTS}
if [ -f $f ] && grep -qF "{TAG}$1" $f; then umask 022; n=$(mktemp $f.XXXXXX)
grep -vF "{TAG}$1" $f >"$n" || [ $? -eq 1 ]; chmod 644 "$n"; if [ -s "$n" ]; then mv "$n" $f; else rm -f "$n" $f; fi; fi
rm -rf "{FOLDER}/$1"; rmdir {FOLDER} /run/reconciler 2>/dev/null || true
systemctl stop "reconciler-lease-$2.timer" 2>/dev/null || true; [ ! -e "{FOLDER}/$1" ]"""
_REMEMBER = f"umask 022; exec 9</etc/ssh; flock -w 10 9; cat >>{KNOWN_HOSTS}"
_NO_ANSWER = ("Connection refused", "Connection timed out", "No route to host", "Could not resolve", "kex_exchange")
_SSH = [
    "ssh",
    "-F",
    "none",
    "-o",
    "BatchMode=yes",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "PreferredAuthentications=publickey",
]


def run(action: Action, hands: Hands) -> Done:
    """Carry out one lease action; raises Refused when a host says no, and never leaves the rest undone for that."""
    if isinstance(action, ClosePort | RevokeAccess) and _serves(action.during, hands):
        return Done("left alone: its migration still runs; the hosts end it by themselves", changed=False)
    match action:
        case GrantAccess():
            return _grant(action.way, action.domain, hands)
        case OpenPort():
            return _open(action.way, action.port, hands)
        case ClosePort():
            return _close(action, hands)
        case RevokeAccess():
            return _revoke(action, hands)
        case _:
            raise TypeError(f"not a lease action: {action.id}")


def _serves(during: Sequence[Migration], hands: Hands) -> bool:
    """Does one of these migrations still run? Its source says so; one that does not answer is no answer."""
    return any(hands.hypervisor.running_job(hands.hosts[m.host], m.uuid) for m in during)


def _script(card: HostCard, hands: Hands, what: str, script: str, *arguments: str, stdin: str = "") -> str:
    reply = hands.shell.run(card, ["sh", "-c", script, "sh", *arguments], stdin=stdin)
    _must(card, reply, what)
    return reply.out


def _must(card: HostCard, reply: Reply, what: str) -> None:
    if reply.code != 0:
        raise Refused(card.name, f"could not {what}: {(reply.err or reply.out).strip()[:300]}")


def key_path(lease: str, domain: str) -> str:
    """Where the private half lies on the source host, in memory only."""
    return f"{FOLDER}/{lease}.{domain}/key"


def known_as(host: HostCard) -> str:
    """How known_hosts spells a host whose sshd may listen on another port."""
    port = host.connection.port
    return host.fqdn if port == 22 else f"[{host.fqdn}]:{port}"


def _grant(way: Passage, domain: str, hands: Hands) -> Done:
    source, there = hands.hosts[way.source], hands.hosts[way.destination]
    _route(source, there, way, hands)
    name, kind = f"{way.lease}.{domain}", way.key_type.partition("-")
    public = _script(
        source, hands, "make a key", _MAKE_KEY, name, kind[0], kind[2] or "0", str(way.lifetime), way.lease
    )
    hands.at("lease.keyed")
    host_keys = _script(there, hands, "read its SSH host keys", "cat /etc/ssh/ssh_host_*_key.pub")
    known = "".join(
        f"{known_as(there)} {' '.join(k.split()[:2])} {TAG}{name}\n" for k in host_keys.splitlines() if k.strip()
    )
    _script(source, hands, "note the destination's host keys", _REMEMBER, stdin=known)
    until = certify(way, name, public, hands) if way.authority else _let_in(way, domain, public, hands)
    hands.at("lease.granted")
    reply = _login(source, there, way.user, way.lease, domain, hands)
    if "Permission denied" in reply.err or reply.code == 255:
        fix = f"is PubkeyAuthentication on and root login allowed on {there.name}? see sshd's log there"
        if way.authority:
            fix += (
                "; is access.authorityKey the public half of access.authorityFile, and do both machines' clocks agree?"
            )
        raise Refused(there.name, f"the leased login does not work: {reply.err.strip()[-300:]}", fix)
    return Done(f"until {until}", facts={"until": until})


def _let_in(way: Passage, domain: str, public: str, hands: Hands) -> str:
    """The key's line on the destination; gives its end as sshd there reads it."""
    there = hands.hosts[way.destination]
    until = _script(there, hands, "read its clock", _UNTIL, str(way.lifetime)).strip()
    try:
        line = key_line(way, domain, public, until)
    except ValueError as error:
        raise Refused(there.name, str(error)) from None
    _script(there, hands, f"let {way.source} in", _ADD_LINE, way.user, stdin=line + "\n")
    return until


def _route(source: HostCard, there: HostCard, way: Passage, hands: Hands) -> None:
    """The destination's name as the source sees it, and the address the source comes from."""
    found = hands.shell.run(source, ["getent", "ahostsv4", there.fqdn]).out.split()
    if not found:
        raise Refused(source.name, f"cannot resolve {there.fqdn}", "declare the address of each Host, or fix DNS")
    out = hands.shell.run(source, ["ip", "-4", "-o", "route", "get", found[0]]).out.split()
    leaves = out[out.index("src") + 1] if "src" in out else ""
    if leaves != way.peer:
        fix = f"declare spec.migration.address: {leaves} on {source.name}" if leaves else "see its routes"
        raise Refused(source.name, f"reaches {there.fqdn} ({found[0]}) from {leaves or 'nowhere'}, not {way.peer}", fix)


def _login(source: HostCard, there: HostCard, user: str, lease: str, domain: str, hands: Hands) -> Reply:
    port = str(there.connection.port)
    command = [*_SSH, "-p", port, "-i", key_path(lease, domain), f"{user}@{there.fqdn}", "true"]
    return hands.shell.run(source, command, deadline=30)


def _open(way: Passage, port: int, hands: Hands) -> Done:
    there, source = hands.hosts[way.destination], hands.hosts[way.source]
    if hands.shell.run(there, ["ss", "-Hltn", f"sport = :{port}"]).out.strip():
        raise Refused(there.name, f"port {port} is in use by now", "plan again; another one will be chosen")
    rule = rich_rule(way.peer, port)
    command = ["firewall-cmd", f"--zone={way.zone}", f"--add-rich-rule={rule}", f"--timeout={way.lifetime}"]
    reply = hands.shell.run(there, command)
    if reply.code != 0 and "ALREADY_ENABLED" not in reply.out + reply.err:
        _must(there, reply, f"open port {port}")
    hands.at("lease.opened")
    said = tried(source, way.target, port, hands)
    if said:
        fix = "is there a filter between the hosts, or a rule of higher precedence in nftables?"
        raise Refused(source.name, f"cannot reach {way.target}:{port}: {said}", fix)
    return Done(f"{port}/tcp answers {way.peer}")


def _close(action: ClosePort, hands: Hands) -> Done:
    card = hands.hosts[action.place.host]
    if action.permanent:
        return _close_permanent(card, action.zone, hands)
    zone, rule = f"--zone={action.zone}", rich_rule(action.peer, action.port)
    reply = hands.shell.run(card, ["firewall-cmd", zone, f"--remove-rich-rule={rule}"])
    if reply.code != 0 and "NOT_ENABLED" not in reply.out + reply.err:
        _must(card, reply, f"close port {action.port}")
    if hands.shell.run(card, ["firewall-cmd", zone, f"--query-rich-rule={rule}"]).code == 0:
        raise Refused(card.name, f"the rule for {action.port}/tcp is still there after its removal")
    rules = hands.shell.run(card, ["nft", "list", "ruleset"])
    left = [x for x in rules.out.splitlines() if f"saddr {action.peer} " in x and f"dport {action.port} " in x]
    if left:
        raise Refused(
            card.name,
            f"firewalld forgot the rule but nftables keeps it: {left[0].strip()}",
            "`systemctl restart firewalld` when nothing migrates",
        )
    return Done(
        f"{action.port}/tcp is closed, proven in nftables" if rules.code == 0 else "closed", changed=reply.code == 0
    )


def _close_permanent(card: HostCard, zone: str, hands: Hands) -> Done:
    removed = 0
    for permanent in (["--permanent"], []):
        listed = hands.shell.run(card, ["firewall-cmd", *permanent, f"--zone={zone}", "--list-rich-rules"])
        for rule in listed.out.splitlines():
            if f'priority="{PRIORITY}"' in rule:
                remove = ["firewall-cmd", *permanent, f"--zone={zone}", f"--remove-rich-rule={rule}"]
                _must(card, hands.shell.run(card, remove), "remove a rule made permanent")
                removed += 1
    return Done(f"{removed} rules removed", changed=removed > 0)


def _revoke(action: RevokeAccess, hands: Hands) -> Done:
    """Destination first; the key lives on until its refusal is proven, then both halves are gone."""
    name, text = (
        f"{action.lease}.{action.domain}",
        "the key line is gone" if action.destination else "the private key is gone",
    )
    if action.certified:
        _script(hands.hosts[action.source], hands, "delete the private key", _FORGET, name, action.lease)
        return Done(ended(action, hands), facts={"refused": False})
    if action.destination:
        there = hands.hosts[action.destination]
        _script(there, hands, "remove the key", _DROP_LINE, action.user, f"{TAG}{action.lease}.")
        hands.at("lease.dropped")
    if action.source and action.destination:
        text = _prove_refused(action, hands)
    if action.source:
        source = hands.hosts[action.source]
        _script(source, hands, "delete the private key", _FORGET, name, action.lease)
    return Done(text, facts={"refused": "refused" in text})


def _prove_refused(action: RevokeAccess, hands: Hands) -> str:
    source, there = hands.hosts[action.source], hands.hosts[action.destination]
    key = key_path(action.lease, action.domain)
    if hands.shell.run(source, ["test", "-e", key]).code != 0:
        return "no key is left, nothing to refuse"
    noted = ["grep", "-qF", "--", f"{TAG}{action.lease}.{action.domain}", KNOWN_HOSTS]
    if hands.shell.run(source, noted).code != 0:
        return "no login was opened, the key is gone"
    reply = _login(source, there, action.user, action.lease, action.domain, hands)
    if "Permission denied" not in reply.err:
        said = (reply.err or reply.out).strip()[-200:]
        if any(words in reply.err for words in _NO_ANSWER):
            fix = f"the next pass deletes the key on {source.name}"
            raise HostError(there.name, f"the key line is gone, but no login could be tried: {said}", fix)
        fix = f"look at authorized_keys of {action.user} there"
        raise HostError(there.name, f"a revoked login was not refused: {said}", fix)
    return f"login from {source.name} is refused, key deleted"
