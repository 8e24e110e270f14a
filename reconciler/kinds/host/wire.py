"""A host's own language: the commands that ask for its state, /etc/hosts read and written. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kind import Sight
from reconciler.kinds.host import trust
from reconciler.kinds.host.mover import LOOK, rule
from reconciler.kinds.host.state import HostState
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place

BEGIN = "# reconciler begin: managed, edit the specs instead"
END = "# reconciler end"
_RESOLVE = 'for name; do printf "%s %s\\n" "$name" "$(getent ahostsv4 "$name" | cut -d" " -f1 | head -n1)"; done'
_UNITS = (
    'for unit; do for u in "$unit.service" "$unit.socket" "virtqemud.socket"; do '
    '[ "$u" = virtqemud.socket ] && [ "$unit" != libvirtd ] && continue; '
    'printf "%s %s %s %s\\n" "$unit" "$u" "$(systemctl is-active "$u")" "$(systemctl is-enabled "$u" 2>/dev/null)"; '
    "done; done"
)


def facts(host: HostCard, fleet: Fleet, desired: Sequence[Desired]) -> Mapping[str, Sequence[str]]:
    """Commands by name; names of other hosts are arguments, never part of a script."""
    mover, authority = fleet.access.user, fleet.access.authority
    services = sorted({s for item in desired if item.place.kind == "host" for s in item.value.services})
    return {
        "static": ["cat", "/etc/hostname"],
        "fqdn": ["hostname", "-f"],
        "hosts": ["cat", "/etc/hosts"],
        "clock": ["date", "+%s"],
        "resolve": ["sh", "-c", _RESOLVE, "sh", *sorted(card.fqdn for card in fleet.hosts.values())],
        "units": ["sh", "-c", _UNITS, "sh", *services],
        "memory": ["cat", "/proc/meminfo"],
        "arch": ["uname", "-m"],
        "bridges": ["sh", "-c", "ls -d /sys/class/net/*/bridge 2>/dev/null | cut -d/ -f5"],
        **({"mover": ["sh", "-c", LOOK, "sh", mover, rule(mover)]} if mover != "root" else {}),
        **({"trust": ["sh", "-c", trust.LOOK, "sh", authority]} if authority else {}),
    }


def read(sight: Sight) -> Sequence[tuple[Place, Any]]:
    """The host's state from its replies; libvirt's numbers where it answered."""
    out = {name: reply.out.strip() for name, reply in sight.replies.items()}
    inventory = sight.inventory
    resolves = dict(line.split(" ", 1) for line in out["resolve"].splitlines() if " " in line)
    state = HostState(
        static_name=out["static"],
        fqdn=out["fqdn"],
        block=read_block(sight.replies["hosts"].out),
        resolves={name: address.strip() for name, address in sorted(resolves.items())},
        services=_services(out["units"]),
        memory=int(out["memory"].split()[1]) * 1024,
        cpus=inventory.cpus if inventory else 0,
        arch=out["arch"],
        machines=inventory.machines if inventory else (),
        networks=tuple((n.name, n.bridge) for n in inventory.networks if n.active) if inventory else (),
        bridges=tuple(sorted(out["bridges"].split())),
        mover=out.get("mover", ""),
        trust=out.get("trust", ""),
        clock=int(out["clock"] or 0),
    )
    return [(Place("host", sight.host.name, sight.host.name), state)]


def _services(text: str) -> dict[str, str]:
    """`active enabled` when any unit behind the name is (libvirtd may be only a socket), else what the service says."""
    units: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        words = [*line.split(" "), "", "", ""][:4]
        units.setdefault(words[0], []).append((words[2], words[3]))
    services = {}
    for name, seen in sorted(units.items()):
        active = "active" if any(a == "active" for a, _ in seen) else seen[0][0] or "unknown"
        enabled = "enabled" if any(e == "enabled" for _, e in seen) else seen[0][1] or "absent"
        services[name] = f"{active} {enabled}"
    return services


def read_block(text: str) -> tuple[tuple[str, str], ...]:
    """The address and FQDN pairs between our two marks."""
    lines = text.splitlines()
    if BEGIN not in lines:
        return ()
    inside = lines[lines.index(BEGIN) + 1 :]
    inside = inside[: inside.index(END)] if END in inside else inside
    return tuple((words[0], words[1]) for words in (line.split() for line in inside) if len(words) >= 2)


def write_block(text: str, entries: Sequence[tuple[str, str]]) -> str:
    """The file with our block replaced or appended; every other line stays as it is."""
    lines = text.splitlines()
    kept, inside = [], False
    for line in lines:
        if line == BEGIN:
            inside = True
        elif line == END:
            inside = False
        elif not inside:
            kept.append(line)
    block = [BEGIN, *(f"{address} {fqdn} {fqdn.partition('.')[0]}" for address, fqdn in entries), END]
    return "\n".join([*kept, *block]) + "\n"
