"""Host documents become host cards of the fleet, and what is wanted on each host."""

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

from reconciler.errors import Problem
from reconciler.kind import Document, Resolved, Scope
from reconciler.kinds.host.spec import HostSpec
from reconciler.kinds.host.state import HostDesired
from reconciler.model.desired import Desired
from reconciler.model.fleet import Connection, HostCard
from reconciler.model.ref import Place

DEFAULT_PORTS = (49152, 49215)


def resolve(documents: Sequence[Document], scope: Scope) -> Resolved:
    """Cards and wanted states; two hosts may share neither FQDN nor address."""
    cards = {document.name: _card(document, scope) for document in documents}
    names = tuple(sorted((card.address, card.fqdn) for card in cards.values() if _is_ip(card.address)))
    elsewhere = tuple(sorted(card.fqdn for card in cards.values() if not _is_ip(card.address)))
    mover = "" if scope.fleet.access.user == "root" else scope.fleet.access.user
    desired = tuple(
        Desired(
            Place("host", document.name, document.name),
            HostDesired(
                document.spec.fqdn,
                names,
                tuple(document.spec.services),
                elsewhere,
                mover,
                scope.fleet.access.authority,
            ),
            document.origin,
        )
        for document in documents
    )
    problems = [p for field in ("fqdn", "address") for p in _shared(documents, field)]
    return Resolved(desired, replace(scope.fleet, hosts=dict(sorted(cards.items()))), tuple(problems))


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def _card(document: Document, scope: Scope) -> HostCard:
    spec: HostSpec = document.spec
    default, own = scope.fleet.connection, spec.connection
    connection = Connection(
        own.user or default.user,
        own.port or default.port,
        own.identity_file or default.identity_file,
        own.known_hosts_file or default.known_hosts_file,
        tuple(own.host_keys),
    )
    return HostCard(
        document.name,
        spec.fqdn,
        spec.address or spec.fqdn,
        connection,
        dict(document.labels),
        spec.migration.address or "",
        spec.migration.ports or DEFAULT_PORTS,
        spec.reserve.memory,
        spec.maintenance,
        spec.overcommit.value(scope.fleet.overcommit) if spec.overcommit else None,
        spec.migration.bandwidth or 0,
        document.file,
        document.line,
    )


def _shared(documents: Sequence[Document], field: str) -> list[Problem]:
    first: dict[str, Document] = {}
    problems = []
    for document in documents:
        value = getattr(document.spec, field)
        if value is None:
            continue
        earlier = first.setdefault(value, document)
        if earlier is not document:
            message = f"{field} {value} is host {earlier.name}'s already ({earlier.file}:{earlier.line})"
            problems.append(document.problem(f"spec.{field}", message, "each host needs its own"))
    return problems
