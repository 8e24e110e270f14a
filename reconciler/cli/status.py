"""`reconciler status`: hosts, pools and VMs as they are, beside what is declared."""

from collections.abc import Iterator, Mapping

import typer

from reconciler.cli.as_text import table
from reconciler.cli.exit_codes import Exit
from reconciler.cli.frame import Deadline, Format, Output, Path, emit, framed, note, read_specs, say
from reconciler.cli.run import Database
from reconciler.engine.codec import dump_snapshot
from reconciler.engine.once import Wanted, see, think
from reconciler.engine.standing import place_of, standings
from reconciler.model.ref import Place
from reconciler.model.snapshot import Snapshot
from reconciler.model.standing import Standing
from reconciler.model.units import show_size
from reconciler.wiring import KINDS, real_tools

_WORDS = {"in-sync": "in sync"}


def status(path: Path = ".", database: Database = "", output: Output = Format.TEXT, deadline: Deadline = 15.0) -> None:
    """Show every host, pool and VM, and whether it is as declared; changes nothing.

    What the loop's last pass saw as declared, and is not any more though the specs are the same, has drifted.

    Examples:

      reconciler status specs/

      reconciler status specs/ -o json
    """
    with framed(output):
        wanted, source, _ = read_specs(path)
        with real_tools(deadline=deadline) as tools:
            seen = see(wanted, KINDS, tools)
        made = think(wanted, seen, KINDS, source)
        code = Exit.ERROR if seen.silences else Exit.OK
        before = _before(wanted.fleet.name, database)
        stood = {str(s.place): s for s in standings(made, wanted, seen, before, seen.taken)}
        if output is Format.JSON:
            words = {place: _WORDS.get(s.word, s.word) for place, s in stood.items()}
            told = {place: {"fields": s.fields, "why": s.why} for place, s in stood.items() if s.word != "in-sync"}
            emit({"snapshot": dump_snapshot(seen), "status": words, "because": told}, code)
        else:
            _show(wanted, seen, stood)
        raise typer.Exit(int(code))


def _before(fleet: str, database: str) -> Mapping[Place, Standing]:
    """How everything stood at the end of the loop's last pass; empty where this machine knows of none."""
    from reconciler.adapters.journal import state_folder
    from reconciler.loop.history import passes
    from reconciler.loop.ledger import Ledger, database_in

    try:
        ledger = Ledger(database_in(database))
    except FileNotFoundError:
        return {}
    try:
        found = passes(ledger, state_folder() / "runs")
        last = next((p for p in found if p.standings and p.plan.get("fleet") == fleet), None)
    finally:
        ledger.close()
    return {standing.place: standing for standing in last.standings} if last else {}


def _word(place: str, stood: Mapping[str, Standing]) -> str:
    """The word, and the fields where something waits to be done."""
    standing = stood[place]
    fields = f" ({', '.join(standing.fields)})" if standing.word in ("drifted", "pending") else ""
    return _WORDS.get(standing.word, standing.word) + fields


def _show(wanted: Wanted, seen: Snapshot, made: Mapping[str, Standing]) -> None:
    rows = [["HOST", "FQDN", "ADDRESS", "STATUS"]]
    for name, card in wanted.fleet.hosts.items():
        silent = seen.silence(name, "host") or seen.silence(name, "vm")
        rows.append([name, card.fqdn, card.address, "silent" if silent else _word(f"host/{name}", made)])
    table(rows)
    say()
    pools = [["POOL", "HOST", "STATE", "SIZE", "USED", "FREE", "STATUS"]]
    for place, pool in seen.of("pool"):
        declared = any(item.place == place for item in wanted.desired)
        pools.append(
            [
                place.name,
                place.host,
                "active" if pool.active else "inactive",
                show_size(pool.capacity),
                show_size(pool.allocation),
                show_size(pool.available),
                _word(str(place), made) if declared else "not declared",
            ]
        )
    table(pools)
    say()
    vms = [["VM", "HOST", "POWER", "VCPU", "MEMORY", "ADDRESS", "STATUS"]]
    declared_vms = {item.place.name: str(place_of(item, seen)) for item in wanted.desired if item.place.kind == "vm"}
    for place, vm in seen.of("vm"):
        word = _word(declared_vms[place.name], made) if place.name in declared_vms else "not declared"
        word = "being moved" if any(m.uuid == vm.uuid for m in seen.migrations) else word
        vms.append(
            [
                place.name,
                place.host,
                vm.power,
                str(vm.vcpus),
                show_size(vm.memory),
                ", ".join(vm.addresses) or "-",
                word,
            ]
        )
    absent = set(declared_vms) - {place.name for place, _ in seen.of("vm")}
    vms += [[name, "-", "absent", "-", "-", "-", _word(declared_vms[name], made)] for name in sorted(absent)]
    table(vms)
    for silence in seen.silences:
        note(f"warning: {silence.host}: {silence.reason} ({silence.fix})", "yellow")
    for line in _old_copies(seen):
        note(line)
    for place, piece in seen.of("lease"):
        note(f"warning: {place}: {piece.what} of a lease is open", "yellow")


def _old_copies(seen: Snapshot) -> Iterator[str]:
    """Files that moves left behind, as long as they are there."""
    for place, vm in seen.of("vm"):
        for old in vm.left:
            pool = seen.get(Place("pool", old.host, old.pool))
            if old.host != place.host and pool and any(volume.name == old.name for volume in pool.volumes):
                delete = f"`virsh vol-delete --pool {old.pool} {old.name}` on {old.host} if nobody needs it"
                yield f"note: {place}: its move left {old} ({delete})"
