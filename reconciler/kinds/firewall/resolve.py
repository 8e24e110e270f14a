"""Firewall documents become what is wanted on each host they select; no zone is declared twice on one host."""

from collections.abc import Iterator, Sequence

from reconciler.errors import Problem
from reconciler.kind import Document, Resolved, Scope
from reconciler.kinds.firewall.rules import is_lease_rule
from reconciler.kinds.firewall.spec import FirewallSpec, ZoneSpec
from reconciler.kinds.firewall.state import FirewallDesired, ZoneDesired
from reconciler.model.desired import Desired
from reconciler.model.ref import Place


def resolve(documents: Sequence[Document], scope: Scope) -> Resolved:
    """One wanted firewall per document and selected host."""
    desired: list[Desired] = []
    problems: list[Problem] = []
    for document in documents:
        problems += scope.unknown_hosts(document)
        problems += _own_marks(document)
        value = _desired(document.spec)
        desired += (
            Desired(Place("firewall", host, document.name), value, document.origin)
            for host in scope.fleet.select(document.spec.hosts)
        )
    problems += _shared(documents, scope)
    return Resolved(tuple(desired), problems=tuple(dict.fromkeys(problems)))


def _desired(spec: FirewallSpec) -> FirewallDesired:
    return FirewallDesired(tuple(_zone(zone) for zone in spec.zones), spec.state == "running")


def _zone(zone: ZoneSpec) -> ZoneDesired:
    return ZoneDesired(
        zone.name,
        _listed(zone.interfaces),
        _listed(zone.services),
        _listed(zone.ports),
        _listed(zone.rich_rules),
        zone.exclusive,
    )


def _listed(items: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(sorted(set(items)))


def _own_marks(document: Document) -> Iterator[Problem]:
    for number, zone in enumerate(document.spec.zones):
        for rule_number, rule in enumerate(zone.rich_rules or ()):
            if is_lease_rule(rule):
                path = f"spec.zones.{number}.rich_rules.{rule_number}".replace("rich_rules", "richRules")
                message = "this priority marks the reconciler's own temporary rules"
                yield document.problem(path, message, "choose another priority")


def _shared(documents: Sequence[Document], scope: Scope) -> Iterator[Problem]:
    """A zone, or an interface, that two declarations want on one host."""
    first: dict[tuple[str, str, str], tuple[Document, str]] = {}
    told: set[tuple[str, str]] = set()
    for document in documents:
        for host in scope.fleet.select(document.spec.hosts):
            for path, what, name in _claims(document.spec):
                earlier, there = first.setdefault((host, what, name), (document, path))
                if (earlier.name, there) != (document.name, path) and (document.name, path) not in told:
                    told.add((document.name, path))
                    where = f"{earlier.file}:{earlier.line_of(there)}"
                    message = f"{what} {name!r} is declared on host {host} already, at {where}"
                    yield document.problem(path, message, f"declare each {what} once per host")


def _claims(spec: FirewallSpec) -> Iterator[tuple[str, str, str]]:
    for number, zone in enumerate(spec.zones):
        yield f"spec.zones.{number}.name", "zone", zone.name
        for place, name in enumerate(zone.interfaces or ()):
            yield f"spec.zones.{number}.interfaces.{place}", "interface", name
