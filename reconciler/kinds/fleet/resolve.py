"""A Fleet document becomes the fleet's policy; at most one is allowed, none means the defaults."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.errors import Problem
from reconciler.kind import Document, Resolved, Scope
from reconciler.kinds.fleet.spec import FleetSpec, MigrationDefaults
from reconciler.model.fleet import AccessPolicy, Connection, Limits, MovePolicy


def resolve(documents: Sequence[Document], scope: Scope) -> Resolved:
    """The fleet with its name, limits, access and move policies."""
    if not documents:
        return Resolved(fleet=scope.fleet)
    first, *rest = documents
    again = f"a second Fleet; the first is at {first.file}:{first.line}"
    problems = [Problem(d.file, d.line, again, "keep one") for d in rest if d.name != first.name]
    spec: FleetSpec = first.spec
    access, limits, connection = spec.defaults.access, spec.limits, spec.defaults.connection
    if not 60 <= access.lifetime <= 86400:
        problems.append(first.problem("spec.defaults.access.lifetime", "a lease lives from 1m to 24h"))
    if spec.defaults.migration.post_copy:
        where = "spec.defaults.migration.postCopy"
        problems.append(first.problem(where, "post-copy is not carried out by this version", "leave it out"))
    fleet = replace(
        scope.fleet,
        name=first.name,
        mode=spec.mode,
        suspended=spec.suspend,
        limits=Limits(limits.moves_per_host, limits.moves, limits.deletes_per_pass, limits.disruption),
        access=AccessPolicy(access.key_type, int(access.lifetime), access.user, access.mode),
        migration=_moves(spec.defaults.migration),
        connection=Connection(connection.user, connection.port, connection.identity_file, connection.known_hosts_file),
    )
    return Resolved(fleet=fleet, problems=tuple(problems))


def _moves(spec: MigrationDefaults) -> MovePolicy:
    return MovePolicy(
        spec.method,
        spec.auto_converge,
        spec.post_copy,
        spec.max_downtime or 0.0,
        spec.compress,
        spec.bandwidth or 0,
        spec.timeout,
        spec.on_timeout,
        spec.unsafe,
        storage=spec.storage,
        old_copy=spec.old_copy,
        measure=spec.measure,
        encrypt=spec.encrypt,
    )
