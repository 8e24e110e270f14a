"""`explain` and `doctor` for people and as data: every reason with its fix, hosts beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.cli.as_text import show_action, summary, table
from reconciler.cli.frame import say
from reconciler.cli.health import Health
from reconciler.engine.explain import Explained
from reconciler.model.crossing import Way

NOT_COMPARED = "CPUs were not compared: that asks the hosts, and this is a saved snapshot."


def ways_data(ways: Sequence[Way]) -> list[dict[str, Any]]:
    """Each host with what stands in the way."""
    return [
        {
            "host": way.host,
            "here": way.here,
            "open": way.open,
            "how": way.how,
            "blockers": [{"reason": b.reason, "fix": b.fix, "against": b.against} for b in way.telling],
            "warnings": [{"reason": c.reason, "fix": c.fix} for c in way.cautions],
            "notes": [note.reason for note in way.notes],
        }
        for way in ways
    ]


def show_explained(found: Explained, compared: bool) -> None:
    """Where it is, what is not as declared, what would be done, and every way."""
    say(found.ref, "bold")
    for item in found.declared:
        word = f"placed on {item.place.host}, since {found.why}" if found.why else f"declared on {item.place.host}"
        say(f"  {word} ({item.origin.file}:{item.origin.line})")
    for place in found.seen:
        say(f"  seen on {place.host}")
    if not found.seen:
        say("  seen on no host that answered")
    if not found.declared:
        say("  not declared: nothing is ever done to it")
        return _show_ways(found.ways, compared)
    for difference in found.plan.differences:
        for change in difference.changes:
            where = f"{difference.place}: " if len(found.declared) > 1 else ""
            say(f"  differs: {where}{change.path or 'all of it'}: {_plain(change.old)} -> {_plain(change.new)}")
    say()
    for action in found.plan.actions:
        show_action(action)
    for refusal in found.plan.refusals:
        say(f"  ! {refusal}", "red")
    say(summary(found.plan), "bold")
    return _show_ways(found.ways, compared)


def _plain(value: Any) -> str:
    return "absent" if value is None else str(value)


def _show_ways(ways: Sequence[Way], compared: bool) -> None:
    if not ways:
        return
    say()
    say("Hosts", "bold")
    for way in ways:
        say(f"  {way.host}: {_word(way)}", "" if way.here or way.open else "red")
        _show_hurdles(way)
    if not compared:
        say(NOT_COMPARED, "dim")


def _word(way: Way) -> str:
    if way.here:
        return "runs here" if way.running else "is here, off"
    count = len(way.telling)
    return {"cold": "cold only", "blocked": f"no ({count} blocker{'s' if count != 1 else ''})"}.get(way.how, way.how)


def _show_hurdles(way: Way) -> None:
    for note in way.notes:
        say(f"    . {note.reason}", "dim")
    for blocker in way.telling:
        only = f"not {blocker.against}: " if blocker.against and way.running else ""
        say(f"    ! {only}{blocker.reason} ({blocker.fix})", "yellow" if way.open else "red")
    for caution in way.cautions:
        say(f"    ? {caution.reason}" + (f" ({caution.fix})" if caution.fix else ""), "yellow")


def show_matrix(found: Mapping[str, Sequence[Way]], hosts: Sequence[str], compared: bool) -> None:
    """VMs down, hosts across; then every reason."""
    if not found:
        say("No declared VM was seen on any host.")
        return
    table([["VM", *hosts], *([ref, *(_word(way) for way in ways)] for ref, ways in found.items())])
    for ref, ways in found.items():
        for way in ways:
            if way.telling or way.cautions:
                say()
                say(f"{ref} to {way.host}:", "bold")
                _show_hurdles(way)
    if not compared:
        say(NOT_COMPARED, "dim")


def show_hosts(hosts: Sequence[Health]) -> None:
    """Each host's own state."""
    say()
    rows = [["HOST", "CLOCK", "VERSIONS", "FIREWALLD", "LEASES", "TLS", "LOCKS"]]
    for host in hosts:
        clock = "unknown" if host.clock is None else f"{host.clock:+d} s"
        versions = ", ".join(f"{name} {version}" for name, version in sorted(host.versions.items())) or "unknown"
        leases = str(host.leases) if host.answered else "unknown"
        rows.append([host.host, clock, versions, host.firewalld, leases, host.tls, host.locks])
    table(rows)
