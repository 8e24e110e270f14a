"""StoragePool documents become what is wanted on each host; two pools share neither target nor source on one host."""

from collections.abc import Iterator, Sequence

from reconciler.errors import Problem
from reconciler.kind import Document, Resolved, Scope
from reconciler.kinds.pool.spec import StoragePoolSpec
from reconciler.kinds.pool.state import Definition, PoolDesired
from reconciler.model.desired import Desired
from reconciler.model.ref import Place


def resolve(documents: Sequence[Document], scope: Scope) -> Resolved:
    """One wanted pool per document and selected host."""
    desired: list[Desired] = []
    problems: list[Problem] = []
    for document in documents:
        problems += scope.unknown_hosts(document)
        value = _desired(document.spec)
        desired += (
            Desired(Place("pool", host, document.name), value, document.origin)
            for host in scope.fleet.select(document.spec.hosts)
        )
    problems += _shared(documents, scope)
    return Resolved(tuple(desired), problems=tuple(problems))


def _desired(spec: StoragePoolSpec) -> PoolDesired:
    target = spec.target
    definition = Definition(spec.type, target)
    if spec.source:
        source = spec.source
        definition = Definition(
            spec.type, target, source.host, source.dir, source.format, source.protocol_version or ""
        )
    active = None if spec.state is None else spec.state == "active"
    return PoolDesired(definition, active, spec.autostart, spec.shared, spec.min_free)


def _shared(documents: Sequence[Document], scope: Scope) -> Iterator[Problem]:
    """libvirt refuses a second pool with the target or the source of another; here it is told before."""
    first: dict[tuple[str, str], Document] = {}
    told: set[tuple[str, str]] = set()
    for document in documents:
        for host in scope.fleet.select(document.spec.hosts):
            for path, what in _claims(document.spec):
                earlier = first.setdefault((host, what), document)
                if earlier is not document and (document.name, path) not in told:
                    told.add((document.name, path))
                    where = f"{earlier.file}:{earlier.line}"
                    message = f"{what} is pool {earlier.name!r}'s already on host {host}, at {where}"
                    yield document.problem(path, message, "one pool for each target and source on a host")


def _claims(spec: StoragePoolSpec) -> Iterator[tuple[str, str]]:
    yield "spec.target", f"target {spec.target}"
    if spec.source:
        yield "spec.source", f"source {spec.source.host}:{spec.source.dir}"
