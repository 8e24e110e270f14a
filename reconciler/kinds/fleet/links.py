"""Links that hosts share, as a Fleet says them: by names, by labels, or one uplink for each value of a label. Pure.

Reads the Host documents only for their names and labels.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.errors import Problem
from reconciler.fields import MatchLabels
from reconciler.kind import Document, Scope
from reconciler.kinds.fleet.spec import FleetSpec, LinkSpec
from reconciler.model.fleet import Link

MIB = 2**20
Labels = Mapping[str, Mapping[str, str]]


def links(document: Document, scope: Scope) -> tuple[Link, ...]:
    """Each move gets an equal share of the bandwidth, so that all that may run at a time never take more."""
    spec: FleetSpec = document.spec
    known: Labels = {host.name: host.labels for host in scope.documents.get("Host", ())}
    found = []
    for one in spec.limits.links:
        rate = max(MIB, (one.bandwidth or 0) // one.moves) if one.bandwidth else 0
        found += [Link(hosts, one.moves, rate, bool(one.over)) for hosts in _groups(one, known)]
    return tuple(found)


def mistakes(document: Document, scope: Scope) -> Iterator[Problem]:
    """Links of no host."""
    spec: FleetSpec = document.spec
    known: Labels = {host.name: host.labels for host in scope.documents.get("Host", ())}
    broken = any(kind == "Host" for kind, _ in scope.broken)
    for number, one in enumerate(spec.limits.links):
        where = f"spec.limits.links.{number}"
        for name in one.hosts if isinstance(one.hosts, list) else ():
            if not scope.may_be("Host", name):
                fix = f"declare it, or remove it; declared are {', '.join(sorted(known)) or 'none'}"
                yield document.problem(f"{where}.hosts", f"no Host named {name!r}", fix)
        if not broken and not isinstance(one.hosts, list) and not any(_groups(one, known)):
            said = f"no Host has a label {one.over!r}" if one.over else "selects no host"
            fix = "see `metadata.labels` of the Host documents"
            yield document.problem(f"{where}.{'over' if one.over else 'hosts'}", said, fix)


def _groups(one: LinkSpec, known: Labels) -> Sequence[frozenset[str]]:
    """The hosts of each link, in order of the label's values; hosts without the label are on none."""
    if one.over:
        values = sorted({labels[one.over] for labels in known.values() if one.over in labels})
        return [frozenset(n for n, labels in known.items() if labels.get(one.over) == value) for value in values]
    if isinstance(one.hosts, list):
        return [frozenset(one.hosts) & known.keys()]
    if isinstance(one.hosts, MatchLabels):
        wanted = one.hosts.match_labels.items()
        return [frozenset(n for n, labels in known.items() if all(labels.get(k) == v for k, v in wanted))]
    return [frozenset(known)]
