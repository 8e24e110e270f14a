"""A lease in the hosts' own languages: authorized_keys lines, rich rules, and the answers that show them. Pure."""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.kind import Sight
from reconciler.kinds.lease.papers import LOOK, read_papers
from reconciler.kinds.lease.state import FOLDER, KNOWN_HOSTS, PRIORITY, TAG, Gate, LeaseState
from reconciler.model.action import Passage
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place

_BUS = (
    "busctl --json=short call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1"
)
_GATE = f"""a="$1"; [ -n "$a" ] || a=$(echo "$SSH_CONNECTION" | cut -d' ' -f3)
echo "address $a"; date +'clock %s'
i=$(ip -4 -o addr show to "$a" | awk '{{print $2; exit}}')
d=$({_BUS} getDefaultZone 2>/dev/null | sed 's/.*\\["\\(.*\\)"\\].*/\\1/')
[ -n "$d" ] || exit 0
z=$({_BUS}.zone getZoneOfInterface s "$i" 2>/dev/null | sed 's/.*\\["\\(.*\\)"\\].*/\\1/')
[ -n "$z" ] || z=$d
echo "zone $z"
{_BUS}.zone getZoneSettings2 s "$z"
"""
_RULES = f"""for z in $({_BUS}.zone getActiveZones 2>/dev/null | grep -o '"[^"]*":{{' | tr -d '":{{' | sort -u); do
r=$({_BUS}.zone getRichRules s "$z" 2>/dev/null) && echo "$z $r"; done; exit 0"""
KEYS = f"""for u; do f="$(getent passwd "$u" | cut -d: -f6)/.ssh/authorized_keys"
[ -f "$f" ] && grep -F "{TAG}" "$f" | sed "s/^/$u /"; done; exit 0"""
_SECRETS = f"""ls -1 {FOLDER} 2>/dev/null
grep -hoE "{TAG}[^ ]+" {KNOWN_HOSTS} 2>/dev/null | sed "s/^{TAG}//" | sort -u; exit 0"""
_PERMANENT = f"""grep -l 'priority="{PRIORITY}"' /etc/firewalld/zones/*.xml 2>/dev/null; exit 0"""
_KEY_TYPES = ("ssh-ed25519", "ssh-rsa")
_RULE = re.compile(r'source address="([0-9.]+)(?:/32)?" port port="(\d+)" protocol="tcp" accept')


def facts(host: HostCard, fleet: Fleet, desired: Sequence[Desired]) -> Mapping[str, Sequence[str]]:
    """Commands by name; the scripts are fixed, addresses and users are arguments."""
    users = sorted({"root", fleet.access.user})
    return {
        "gate": ["sh", "-c", _GATE, "sh", host.migration_address],
        "rules": ["sh", "-c", _RULES],
        "permanent": ["sh", "-c", _PERMANENT],
        "keys": ["sh", "-c", KEYS, "sh", *users],
        "secrets": ["sh", "-c", _SECRETS],
        "listening": ["ss", "-Hltn"],
        "papers": ["sh", "-c", LOOK, "sh", host.fqdn, host.migration_address],
    }


def read(sight: Sight) -> Sequence[tuple[Place, Any]]:
    """The gate, and everything of a lease that is on the host."""
    host, out = sight.host.name, {name: reply.out for name, reply in sight.replies.items()}
    gate = read_gate(out["gate"], out["listening"])
    gate = replace(gate, address=_ipv4(sight.host.migration_address) or gate.address)
    pieces = [*read_keys(out["keys"]), *read_secrets(out["secrets"]), *read_rules(out["rules"])]
    pieces += [LeaseState("port-permanent", zone=zone) for zone in _zones(out["permanent"])]
    papers = read_papers(out["papers"])
    standing = [(Place("gate", host, host), gate), (Place("papers", host, host), papers)]
    return [*standing, *((Place("lease", host, _name(p)), p) for p in pieces)]


def _name(piece: LeaseState) -> str:
    match piece.what:
        case "port":
            return f"port-{piece.zone}-{piece.peer}-{piece.port}"
        case "port-permanent":
            return f"port-permanent-{piece.zone}"
        case _:
            return f"{piece.what}-{piece.lease}"


def read_gate(text: str, listening: str) -> Gate:
    """Address, zone, and the TCP ports the zone's standing rules open to everyone."""
    address = re.search(r"^address (\S+)$", text, re.M)
    zone = re.search(r"^zone (\S+)$", text, re.M)
    settings: Mapping[str, Any] = {}
    for line in text.splitlines():
        if line.startswith('{"type"'):
            settings = json.loads(line)["data"][0]
    ports = settings.get("ports", {}).get("data", [])
    allowed = [_range(port) for port, protocol in ports if protocol == "tcp"]
    if settings.get("target", {}).get("data") == "ACCEPT":
        allowed = [(1, 65535)]
    used = {int(w[3].rpartition(":")[2]) for w in (line.split() for line in listening.splitlines()) if len(w) > 3}
    where = _ipv4(address[1]) if address else ""
    clock = re.search(r"^clock (\d{1,12})$", text, re.M)
    return Gate(
        where,
        zone[1] if zone else "",
        bool(zone),
        tuple(sorted(allowed)),
        tuple(sorted(used)),
        int(clock[1]) if clock else 0,
    )


def _ipv4(text: str) -> str:
    """The text where it is one IPv4 address, else nothing: it becomes another host's key line and rule."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return ""


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def read_keys(text: str) -> list[LeaseState]:
    """Lines of ours in authorized_keys, each led by the user it lets in as."""
    keys = []
    for line in text.splitlines():
        user, _, rest = line.partition(" ")
        until = re.search(r'expiry-time="(\d+Z?)"', rest)
        lease, _, domain = rest.rpartition(TAG)[2].strip().partition(".")
        peer = re.search(r'from="([^"]*)"', rest)
        keys.append(
            LeaseState("key", lease, domain, user, peer=peer[1] if peer else "", until=until[1] if until else "")
        )
    return keys


def read_secrets(text: str) -> list[LeaseState]:
    """Folders and known_hosts lines of ours, by lease and domain."""
    pairs = sorted({tuple(line.split(".", 1)) for line in text.split() if "." in line})
    return [LeaseState("secret", pair[0], pair[1]) for pair in pairs]


def read_rules(text: str) -> list[LeaseState]:
    """Rich rules that carry our priority, in any active zone."""
    rules = []
    for line in text.splitlines():
        zone, _, answer = line.partition(" ")
        for rule in json.loads(answer)["data"][0]:
            found = _RULE.search(rule)
            if f'priority="{PRIORITY}"' in rule and found:
                rules.append(LeaseState("port", zone=zone, peer=found[1], port=int(found[2])))
    return rules


def _zones(text: str) -> list[str]:
    return sorted({path.rpartition("/")[2].removesuffix(".xml") for path in text.split()})


def rich_rule(peer: str, port: int) -> str:
    """The rule that lets one peer reach one port; its priority is our mark."""
    return (
        f'rule priority="{PRIORITY}" family="ipv4" source address="{peer}/32" port port="{port}" protocol="tcp" accept'
    )


def key_line(way: Passage, domain: str, public: str, until: str) -> str:
    """The authorized_keys line: nothing but libvirt's proxy, from one address, until a time, marked as ours."""
    half = public_half(public)
    if not re.fullmatch(r"[0-9]+Z?", until):
        raise ValueError("the destination host's clock gave no time")
    options = f'restrict,from="{way.peer}",expiry-time="{until}",command="virt-ssh-helper qemu:///system"'
    return f"{options} {half} {TAG}{way.lease}.{domain}"


def public_half(public: str) -> str:
    """Type and key of what a host's ssh-keygen gave; raises ValueError where that is anything else."""
    words = public.split()
    if len(words) < 2 or words[0] not in _KEY_TYPES or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", words[1]):
        raise ValueError("the source host's ssh-keygen gave no public key")
    return f"{words[0]} {words[1]}"
