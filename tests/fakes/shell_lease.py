"""Keys, host keys and ports of leases on fake hosts: who may log in from where, and until when.

Login and reachability are decided by the world's state, exactly as sshd and firewalld would.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.kinds.lease import live, signing
from reconciler.readings import Reply
from tests.fakes.machines import Host, LeaseFolder
from tests.fakes.world import TAG, World

if TYPE_CHECKING:
    from tests.fakes.shell import Call

FOLDER = "/run/reconciler/leases"
OK = Reply(0, "")


def _make_key(call: "Call") -> Reply:
    name, kind, _, lifetime, lease = call.rest
    if not name.startswith(lease):
        raise call.world.wrong(f"the timer of {lease} would not end {name}")
    public = f"ssh-{kind} AAAAlease{name.replace('.', '').replace('_', '').replace('-', '')} {TAG}{name}"
    call.host.leases[name] = LeaseFolder(public, call.world.time + float(lifetime))
    return Reply(0, public + "\n")


def _remember(call: "Call") -> Reply:
    call.host.known_hosts += call.stdin.splitlines()
    return OK


def _until(call: "Call") -> Reply:
    return Reply(0, f"{int(call.world.time + float(call.rest[0])):014d}Z\n")


def _add_line(call: "Call") -> Reply:
    (user,) = call.rest
    line = call.stdin.rstrip("\n")
    if "\n" in line or "restrict," not in line or "expiry-time=" not in line or "command=" not in line:
        raise call.world.wrong(f"a key line that lets in more than it must: {line!r}")
    if user not in call.host.keys:
        return Reply(3, "", f"no user {user}")
    call.host.keys[user].append(line)
    return OK


def _drop_line(call: "Call") -> Reply:
    user, tag = call.rest
    call.host.keys[user] = [line for line in call.host.keys.get(user, ()) if tag not in line]
    return OK


def _forget(call: "Call") -> Reply:
    name, _ = call.rest
    call.host.known_hosts = [line for line in call.host.known_hosts if f"{TAG}{name}" not in line]
    call.host.leases.pop(name, None)
    return OK


def _keep(call: "Call") -> Reply:
    folder = call.host.leases.get(call.rest[0])
    if folder is None:
        return Reply(1, "", "No such file or directory")
    folder.certificate = call.stdin
    return OK


def _host_keys(call: "Call") -> Reply:
    return Reply(0, f"{call.host.host_key} root@{call.host.name}\n")


def _has_key(call: "Call") -> Reply:
    return OK if call.argv[-1].split("/")[-2] in call.host.leases else Reply(1, "")


def _noted(call: "Call") -> Reply:
    return OK if any(call.argv[-2] in line for line in call.host.known_hosts) else Reply(1, "")


def login(world: World, source: Host, key: str, user: str, fqdn: str) -> Reply:
    """An SSH login with a leased key: resolved, host key known, key in authorized_keys, right address, in time."""
    there = world.by_address(source.resolve(fqdn))
    if there is None or not there.up:
        return Reply(255, "", f"ssh: Could not resolve hostname {fqdn}")
    if not there.firewall.admits(there.nic, source.address, 22):
        return Reply(255, "", f"ssh: connect to host {fqdn} port 22: No route to host")
    if not any(line.startswith(f"{fqdn} {there.host_key} ") for line in source.known_hosts):
        return Reply(255, "", "Host key verification failed.")
    folder = source.leases.get(key.split("/")[-2])
    public = folder.public.split()[1] if folder else "none"
    for line in there.keys.get(user, ()):
        until = re.search(r'expiry-time="(\d+)Z?"', line)
        in_time = until is not None and int(until[1]) > world.time
        if f" {public} " in line and f'from="{source.address}"' in line and in_time:
            return OK
    if folder and _certified(world, source, there, folder, user):
        return OK
    return Reply(255, "", f"{user}@{fqdn}: Permission denied (publickey).")


def _certified(world: World, source: Host, there: Host, folder: LeaseFolder, user: str) -> bool:
    """A certificate for that key, by the authority the host trusts, for this user and address, in time."""
    authority, key, terms, until = world.certificates.get(folder.certificate, ("", "", None, 0.0))
    if terms is None or not there.trusts or authority != there.trusts or until <= world.time:
        return False
    return (key, terms.user, terms.source) == (folder.public.split()[1], user, source.address)


def _ssh(call: "Call") -> Reply:
    key, (user, _, fqdn) = call.argv[call.argv.index("-i") + 1], call.argv[-2].partition("@")
    return login(call.world, call.host, key, user, fqdn)


def _route(call: "Call") -> Reply:
    return Reply(0, f"{call.argv[-1]} dev br0 src {call.host.address} uid 0\n")


def _listening(call: "Call") -> Reply:
    ports = call.host.listening
    if call.argv[-1].startswith("sport"):
        ports = ports & {int(call.argv[-1].rpartition(":")[2])}
    return Reply(0, "".join(f"LISTEN 0 128 0.0.0.0:{port} 0.0.0.0:*\n" for port in sorted(ports)))


def _probe(call: "Call") -> Reply:
    address, port = call.argv[-2], int(call.argv[-1])
    there = call.world.by_address(address)
    if there is None or not there.firewall.admits(there.nic, call.host.address, port):
        return Reply(1, "", f"bash: connect: No route to host\nbash: /dev/tcp/{address}/{port}: No route to host")
    if port in there.listening:
        return OK
    return Reply(1, "", "bash: connect: Connection refused")


SCRIPTS: dict[str, Callable[["Call"], Reply]] = {
    live._MAKE_KEY: _make_key,
    live._UNTIL: _until,
    live._ADD_LINE: _add_line,
    live._DROP_LINE: _drop_line,
    live._FORGET: _forget,
    signing._KEEP: _keep,
    "cat /etc/ssh/ssh_host_*_key.pub": _host_keys,
    live._REMEMBER: _remember,
}
COMMANDS: list[tuple[str, Callable[["Call"], Reply]]] = [
    (rf"test -e {FOLDER}/\S+/key", _has_key),
    (rf"grep -qF -- {TAG}\S+ {live.KNOWN_HOSTS}", _noted),
    (r"ssh -F none .* -i \S+ \S+@\S+ true", _ssh),
    (r"ip -4 -o route get \S+", _route),
    (r"ss -Hltn( sport = :\d+)?", _listening),
    (r"timeout 5 bash -c (?s:.*)", _probe),
]
