"""`reconciler import`: specs for what runs on hosts, such that the next plan has nothing to do."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import Annotated

import typer

from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Deadline, Format, Output, emit, framed, note, say
from reconciler.engine.adopt import Import, adopt
from reconciler.engine.once import Tools
from reconciler.errors import PlanError, Refused
from reconciler.fields import FQDN, NAME
from reconciler.model.fleet import Connection, Fleet, HostCard
from reconciler.wiring import KINDS, real_tools

Targets = Annotated[list[str], typer.Argument(metavar="HOST...", help="user@address, or a name of ~/.ssh/config.")]
Out = Annotated[File, typer.Option("--out", help="Write the specs into this folder; no existing file is touched.")]
Name = Annotated[str, typer.Option("--fleet", help="The fleet's name; else the one whose mark the VMs carry.")]
Identity = Annotated[str, typer.Option("--identity-file", help="Log in with this private key.")]
KnownHosts = Annotated[str, typer.Option("--known-hosts-file", help="Host keys that are known; else ~/.ssh's.")]
Accept = Annotated[
    bool, typer.Option("--accept-host-key", help="Pin host keys that are not known yet; compare what is shown.")
]
Config = Annotated[str, typer.Option("--ssh-config", help="Read names from this file instead of ~/.ssh/config.")]


def import_(
    hosts: Targets,
    out: Out = File("specs"),
    fleet: Name = "",
    identity_file: Identity = "",
    known_hosts_file: KnownHosts = "",
    accept_host_key: Accept = False,
    ssh_config: Config = "",
    output: Output = Format.TEXT,
    deadline: Deadline = 15.0,
) -> None:
    """Write specs for what runs on hosts, such that the next plan is empty; changes nothing on them.

    Examples:

      reconciler import root@10.0.0.11 root@10.0.0.12 --out specs/

      reconciler import kvm1 kvm2 --out specs/ --fleet office --accept-host-key
    """
    with framed(output), real_tools(deadline=deadline) as tools:
        if fleet and not re.fullmatch(NAME, fleet):
            raise PlanError(f"not a name for a fleet: {fleet[:80]!r}", "use letters, digits, dot, dash, underscore")
        own = (identity_file, known_hosts_file)
        cards = [_card(host, own, accept_host_key, ssh_config, tools, deadline) for host in hosts]
        named = {card.name: card for card in cards}
        if len(named) < len(cards):
            raise PlanError("two of the hosts have the same name", "give each host once, and each its own name")
        logins = {(c.connection.user, c.connection.port, *_files(c.connection)) for c in cards}
        common = Connection(*logins.pop()) if len(logins) == 1 else Connection()
        head = f"Written by `reconciler import {' '.join(hosts)}` on {time.strftime('%Y-%m-%d', time.gmtime())}."
        found = adopt(Fleet(connection=common, hosts=dict(sorted(named.items()))), KINDS, tools, head, fleet)
        _write(out, found.files)
        _show(found, out, output)


def _files(said: Connection) -> tuple[str, str]:
    return said.identity_file, said.known_hosts_file


def _card(target: str, own: tuple[str, str], accept: bool, config: str, tools: Tools, deadline: float) -> HostCard:
    """Its key compared or pinned, then asked for its name."""
    from dataclasses import replace

    from reconciler.adapters.host_key import shown_key
    from reconciler.adapters.ssh_names import read_target

    address, said = read_target(target, config)
    said = replace(said, identity_file=own[0] or said.identity_file, known_hosts_file=own[1] or said.known_hosts_file)
    key = shown_key(address, said, deadline)
    if not key.known and not accept:
        fix = "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there, then add --accept-host-key"
        raise Refused(target, f"its SSH host key is not known: {key.line.split()[0]} {key.fingerprint}", fix)
    note(f"{target}: {'known' if key.known else 'accepted and pinned'} host key {key.fingerprint}")
    card = HostCard(target, "", address, replace(said, host_keys=(key.line,)))
    fqdn = tools.shell.run(card, ["hostname", "-f"], deadline=deadline).out.strip()
    if not re.fullmatch(FQDN, fqdn):
        fix = "give it one first (hostnamectl, /etc/hosts): moves between hosts need it"
        raise PlanError(f"{target}: `hostname -f` says {fqdn[:80]!r}, which is no fully qualified name", fix)
    return replace(card, name=fqdn.partition(".")[0], fqdn=fqdn)


def _write(out: File, files: Mapping[str, str]) -> None:
    """All or nothing; what is there is never touched."""
    there = [str(out / path) for path in files if os.path.lexists(out / path)]
    if there:
        fix = "import into an empty folder, and copy from it what you want"
        raise PlanError(f"{', '.join(there[:5])} exists already; nothing was written", fix)
    for path, text in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        with (out / path).open("x", encoding="utf-8") as file:
            file.write(text)


def _show(found: Import, out: File, output: Format) -> None:
    left = _left(found)
    if output is Format.JSON:
        files = [str(out / path) for path in sorted(found.files)]
        emit({"fleet": found.fleet, "files": files, "notes": list(found.notes), "left": left}, Exit.OK)
        return
    for path in sorted(found.files):
        say(str(out / path))
    for text in found.notes:
        note(f"note: {text}", "yellow")
    for text in left:
        note(f"the next plan would change: {text}", "yellow")
    note(f"{len(found.files)} files of fleet {found.fleet}. Next: `reconciler plan {out}`, then commit them.")


def _left(found: Import) -> Sequence[str]:
    plan = found.plan
    return [f"{a.place}: {a.explain()}" for a in plan.actions] + [str(refusal) for refusal in plan.refusals]
