"""FakeShell: the commands the product sends, answered from the world in memory.

Strict: a command or script it does not know raises, naming it; scripts are the product's own constants.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import Unreachable
from reconciler.kinds.firewall import wire as firewall_wire
from reconciler.kinds.host import live as host_live
from reconciler.kinds.host import mover, trust
from reconciler.kinds.host import wire as host_wire
from reconciler.kinds.lease import papers
from reconciler.kinds.lease import wire as lease_wire
from reconciler.kinds.pool import proof
from reconciler.kinds.pool import wire as pool_wire
from reconciler.kinds.vm import offline, proving
from reconciler.kinds.vm import wire as vm_wire
from reconciler.model.fleet import HostCard
from reconciler.readings import Reply
from tests.fakes import shell_firewall, shell_lease
from tests.fakes.machines import File, Host
from tests.fakes.world import TAG, TOKEN, World, address_of

_BRIDGES = "ls -d /sys/class/net/*/bridge 2>/dev/null | cut -d/ -f5"
_PROBE = 'exec 3<>"/dev/tcp/$0/$1"'
OK = Reply(0, "")


@dataclass(frozen=True)
class Call:
    """One command on one host."""

    world: World
    host: Host
    argv: tuple[str, ...]
    stdin: str

    @property
    def rest(self) -> tuple[str, ...]:
        """A script's own arguments."""
        return self.argv[4:]


class FakeShell:
    """A Shell of the world."""

    def __init__(self, world: World, life: int = 0) -> None:
        self._world, self._life = world, life

    def run(self, host: HostCard, argv: Sequence[str], *, stdin: str = "", deadline: float = 30.0) -> Reply:
        return self._exchange(host, " ".join(argv)[:60], {"": argv}, stdin)[""]

    def batch(
        self, host: HostCard, commands: Mapping[str, Sequence[str]], *, deadline: float = 30.0
    ) -> Mapping[str, Reply]:
        return self._exchange(host, f"{len(commands)} facts", commands, "")

    def _exchange(
        self, host: HostCard, what: str, commands: Mapping[str, Sequence[str]], stdin: str
    ) -> Mapping[str, Reply]:
        """One trip to the host: counted before its effect and after it."""
        with self._world.lock:
            self._world.call(f"{host.name}: {what}", self._life)
            there = self._world.hosts.get(host.name) or self._world.at_address(host.address)
            if there is None or not there.up or there.address != host.address:
                raise Unreachable(host.name, f"cannot be reached at {host.address}", "is it up?")
            calls = {name: Call(self._world, there, tuple(argv), stdin) for name, argv in commands.items()}
            replies = {name: _answer(call) for name, call in calls.items()}
            self._world.called(self._life)
            return replies

    def close(self) -> None:
        """Nothing is open."""


def _answer(call: Call) -> Reply:
    if call.argv[:2] == ("sh", "-c"):
        handler = SCRIPTS.get(call.argv[2])
        if handler is None:
            raise call.world.wrong(f"a script the fake does not know: {call.argv[2]}")
        return handler(call)
    for pattern, handler in COMMANDS:
        if re.fullmatch(pattern, " ".join(call.argv)):
            return handler(call)
    raise call.world.wrong(f"a command the fake does not know: {call.argv}")


def _says(text: Callable[[Call], str]) -> Callable[[Call], Reply]:
    return lambda call: Reply(0, text(call) + "\n")


def _identity(call: Call) -> Reply:
    """A file's number, and no time of birth: what is on one storage has one number on every host."""
    storage, name = call.world.storage(call.host, call.argv[-1])
    return Reply(0, f"{id(storage.files[name])} 0\n") if name in storage.files else Reply(1, "", "No such file")


def _fqdn(call: Call) -> Reply:
    said = call.host.fqdn
    return Reply(0, said + "\n") if said else Reply(1, "", "hostname: Name or service not known")


def _getent(call: Call) -> Reply:
    found = call.host.resolve(call.argv[-1])
    return Reply(0, f"{found} STREAM {call.argv[-1]}\n") if found else Reply(2, "")


def _resolve(call: Call) -> Reply:
    return Reply(0, "".join(f"{name} {call.host.resolve(name)}\n" for name in call.rest))


def _units(call: Call) -> Reply:
    lines = []
    for unit in call.rest:
        active, enabled = call.host.units.get(unit, ("inactive", ""))
        lines += [f"{unit} {unit}.service {active} {enabled}", f"{unit} {unit}.socket inactive "]
    return Reply(0, "\n".join(lines) + "\n")


def _enable(call: Call) -> Reply:
    name = call.argv[-1]
    if name == "firewalld":
        call.host.firewall.start()
        return OK
    if name not in call.host.units:
        return Reply(1, "", f"Unit {name}.service does not exist")
    call.host.units[name] = ("active", "enabled")
    return OK


def _unit_of_firewalld(call: Call) -> Reply:
    firewall = call.host.firewall
    active, enabled = "active" if firewall.running else "inactive", "enabled" if firewall.enabled else "disabled"
    return Reply(0, f"LoadState=loaded\nActiveState={active}\nUnitFileState={enabled}\n")


def _set_hostname(call: Call) -> Reply:
    call.host.static = call.argv[-1]
    return OK


def _replace_hosts(call: Call) -> Reply:
    if not call.stdin.startswith("127.0.0.1"):
        raise call.world.wrong("/etc/hosts would lose what others wrote")
    call.host.etc_hosts = call.stdin
    return OK


def _neighbours(call: Call) -> Reply:
    running = [d for h in call.world.hosts.values() for d in h.domains.values() if d.state == "running"]
    macs = sorted({mac for domain in running for mac in domain.macs})
    return Reply(0, "".join(f"{address_of(mac)} dev br0 lladdr {mac} REACHABLE\n" for mac in macs))


def _check(call: Call) -> Reply:
    if not call.world.guest(call.argv[5]):
        return Reply(124, "", "")
    return Reply(0, "SSH-2.0-OpenSSH_9.2" if call.argv[4] == proving._BANNER else "")


def _mounts(call: Call) -> Reply:
    return Reply(0, "".join(f"{t} {' '.join(call.host.mounts.get(t, ()))}\n" for t in call.rest))


def _space(call: Call) -> Reply:
    """Of the paths it names, or of every active pool's target, in blocks of one byte."""
    paths = call.rest or [pool.target for pool in call.host.pools.values() if pool.active]
    return Reply(0, "".join(f"{call.world.storage(call.host, path)[0].free} 1 {path}\n" for path in paths))


def _mountpoint(call: Call) -> Reply:
    return OK if call.argv[-1] in call.host.mounts else Reply(32, "")


def _random(call: Call) -> Reply:
    call.world.randoms += 1
    return Reply(0, f"00000000-0000-4000-8000-{call.world.randoms:012d}\n")


def _write_token(call: Call) -> Reply:
    path, content = call.rest
    storage, name = call.world.storage(call.host, path)
    if storage is call.host.root:
        raise call.world.wrong(f"{call.host.name}: a token would be written to the root disk: {path}")
    storage.files[name] = File(content + "\n", made=call.world.time)
    return OK


def _read(call: Call) -> Reply:
    storage, name = call.world.storage(call.host, call.argv[-1])
    file = storage.files.get(name)
    return Reply(0, file.content) if file else Reply(1, "", f"cat: {call.argv[-1]}: No such file or directory")


def _remove(call: Call) -> Reply:
    if TOKEN not in call.argv[-1]:
        raise call.world.wrong(f"{call.host.name}: would remove {call.argv[-1]}")
    storage, name = call.world.storage(call.host, call.argv[-1])
    storage.files.pop(name, None)
    return OK


def _tokens(call: Call) -> Reply:
    """Paths of the fleet's own tokens."""
    fleet, *targets = call.rest
    found = []
    for target in targets:
        storage, _ = call.world.storage(call.host, f"{target}/x")
        found += [f"{target}/{name}\n" for name in storage.files if name.startswith(f"{TOKEN}{fleet}.")]
    return Reply(0, "".join(found))


def _sweep(call: Call) -> Reply:
    """Tokens older than an hour."""
    storage, _ = call.world.storage(call.host, call.argv[1])
    old = [name for name, file in storage.files.items() if TOKEN in name and file.made < call.world.time - 3600]
    for name in old:
        del storage.files[name]
    return OK


def _firewall_cmd(call: Call) -> Reply:
    return shell_firewall.firewall_cmd(call.world, call.host, call.argv[1:])


def _mover(call: Call) -> Reply:
    user = call.rest[0]
    return Reply(
        0, "ready\n" if user in call.host.movers else "without rights\n" if user in call.host.keys else "absent\n"
    )


def _make_mover(call: Call) -> Reply:
    call.host.keys.setdefault(call.rest[0], [])
    call.host.movers.add(call.rest[0])
    return OK


def _trust(call: Call) -> Reply:
    (call.host.trusts,) = call.rest
    return OK


def _gate(call: Call) -> Reply:
    address, firewall = call.rest[0] or call.host.address, call.host.firewall
    lines = [f"address {address}"]
    if firewall.running:
        zone = firewall.zone_of(call.host.nic)
        lines += [f"zone {zone}", shell_firewall.settings(firewall.runtime[zone])]
    return Reply(0, "\n".join(lines) + "\n")


def _rules(call: Call) -> Reply:
    zones = call.host.firewall.runtime.items()
    found = {name: sorted(zone.rules) for name, zone in zones if zone.interfaces}
    return Reply(0, "".join(f"{n} {json.dumps({'type': 'as', 'data': [rules]})}\n" for n, rules in found.items()))


def _made_permanent(call: Call) -> Reply:
    zones = call.host.firewall.permanent.items()
    found = [name for name, zone in zones if any(shell_firewall.LEASE in rule for rule in zone.rules)]
    return Reply(0, "".join(f"/etc/firewalld/zones/{name}.xml\n" for name in found))


def _keys(call: Call) -> Reply:
    return Reply(0, "".join(f"{u} {line}\n" for u in call.rest for line in call.host.keys.get(u, ()) if TAG in line))


def _secrets(call: Call) -> Reply:
    tagged = {word.removeprefix(TAG) for line in call.host.known_hosts for word in line.split() if word.startswith(TAG)}
    return Reply(0, "\n".join([*sorted(call.host.leases), *sorted(tagged)]) + "\n")


def _missing(call: Call) -> Reply:
    """Files of the root file system that no test has made are there as well."""
    stores = [(path, *call.world.storage(call.host, path)) for path in call.rest]
    lost = [path for path, store, name in stores if store is not call.host.root and name not in store.files]
    return Reply(0, "".join(f"{path}\n" for path in lost))


SCRIPTS: dict[str, Callable[[Call], Reply]] = {
    host_wire._RESOLVE: _resolve,
    host_wire._UNITS: _units,
    host_live._REPLACE: _replace_hosts,
    _BRIDGES: _says(lambda call: "\n".join(call.host.bridges)),
    vm_wire._LOCKS: _says(lambda call: call.host.locks),
    vm_wire._USERFAULT: _says(lambda call: call.host.userfault),
    firewall_wire._RUNTIME: lambda call: Reply(0, shell_firewall.runtime(call.host.firewall, call.rest)),
    firewall_wire._PERMANENT: lambda call: Reply(0, shell_firewall.permanent(call.host.firewall)),
    firewall_wire._BOUND: _says(lambda call: f"reached {call.host.nic}"),
    pool_wire._MOUNTS: _mounts,
    pool_wire._TOKENS: _tokens,
    pool_wire._SPACE: _space,
    vm_wire._SPACE: _space,
    offline.MISSING: _missing,
    proof._WRITE: _write_token,
    proof._REMOVE: _remove,
    lease_wire._GATE: _gate,
    mover.LOOK: _mover,
    mover.MAKE: _make_mover,
    trust.LOOK: _says(lambda call: "ready" if call.host.trusts == call.rest[0] else "absent"),
    trust.MAKE: _trust,
    papers.LOOK: lambda call: Reply(0, call.host.papers),
    lease_wire._RULES: _rules,
    lease_wire._PERMANENT: _made_permanent,
    lease_wire.KEYS: _keys,
    lease_wire._SECRETS: _secrets,
    **shell_lease.SCRIPTS,
}
COMMANDS: list[tuple[str, Callable[[Call], Reply]]] = [
    (r"stat -c %i %W -- /\S+", _identity),
    ("cat /etc/hostname", _says(lambda call: call.host.static)),
    ("cat /etc/hosts", lambda call: Reply(0, call.host.etc_hosts)),
    ("cat /proc/meminfo", _says(lambda call: f"MemTotal: {call.host.memory // 1024} kB")),
    ("cat /proc/sys/kernel/random/uuid", _random),
    (rf"cat (-- )?/.*/{re.escape(TOKEN)}[0-9a-z.-]+", _read),
    (rf"rm -f /.*/{re.escape(TOKEN)}[0-9a-f]+", _remove),
    (rf"find /\S+ -maxdepth 1 -type f -name {re.escape(TOKEN)}\* -mmin \+60 -delete", _sweep),
    ("hostname -f", _fqdn),
    (r"hostname \S+", lambda call: OK),
    (r"hostnamectl set-hostname --static \S+", _set_hostname),
    (r"getent ahostsv4 \S+", _getent),
    (r"date \+%s", _says(lambda call: str(int(call.world.time)))),
    ("ssh -V", lambda call: Reply(0, "", "OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.14 4 Jun 2024\n")),
    ("uname -m", _says(lambda call: "x86_64")),
    (r"systemctl show -p LoadState -p ActiveState -p UnitFileState firewalld\.service", _unit_of_firewalld),
    ("systemctl is-active firewalld", lambda call: OK if call.host.firewall.running else Reply(3, "inactive\n")),
    (r"systemctl enable --now \S+", _enable),
    (r"env LC_ALL=C mountpoint \S+", _mountpoint),
    ("ip -4 -o neigh show", _neighbours),
    (r"timeout 6 bash -c (?s:.*)", _check),
    (r"firewall-cmd .*", _firewall_cmd),
    ("nft list ruleset", lambda call: Reply(0, shell_firewall.ruleset(call.host))),
    *shell_lease.COMMANDS,
]
