"""A Fleet document becomes the fleet's policy; at most one is allowed, none means the defaults."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.errors import Problem
from reconciler.kind import Document, Resolved, Scope
from reconciler.kinds.fleet.links import links, mistakes
from reconciler.kinds.fleet.spec import AccessSpec, FleetSpec, LimitsSpec, MigrationDefaults, SuspendSpec
from reconciler.model.fleet import AccessPolicy, Connection, Limits, MovePolicy, Overcommit, Suspension, Window

_PUBLIC = r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]{40,}={0,3})(?: .*)?"
_AUTHORITY = "ssh-keygen -t ed25519 -f FILE makes an authority: FILE is its private half, FILE.pub its public one"


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
    if spec.interval < 10:
        problems.append(first.problem("spec.interval", "passes are 10s or more apart"))
    problems += [*_signing(first, access), *mistakes(first, scope)]
    moves = _moves(spec.defaults.migration)
    for name, mistake, fix in moves.contradictions():
        problems.append(first.problem(f"spec.defaults.migration.{name}", mistake, fix))
    fleet = replace(
        scope.fleet,
        name=first.name,
        declared=True,
        mode=spec.mode,
        interval=spec.interval,
        suspension=_suspension(spec.suspend),
        windows=tuple(Window(tuple(w.days), w.start, w.end, w.timezone, w.disruption) for w in spec.windows),
        limits=replace(_limits(limits), links=links(first, scope)),
        overcommit=spec.defaults.overcommit.value(Overcommit()),
        host_failures=spec.host_failures,
        access=_access(access),
        migration=moves,
        connection=Connection(connection.user, connection.port, connection.identity_file, connection.known_hosts_file),
    )
    return Resolved(fleet=fleet, problems=tuple(problems))


def _limits(spec: LimitsSpec) -> Limits:
    window = spec.moves_per_pass or 0, spec.bytes_per_pass or 0
    return Limits(spec.moves_per_host, spec.moves, spec.deletes_per_pass, spec.disruption, *window, spec.cool_down)


def _suspension(spec: bool | SuspendSpec) -> Suspension | None:
    if isinstance(spec, SuspendSpec):
        return Suspension(spec.until or 0, spec.reason)
    return Suspension() if spec else None


def _signing(document: Document, access: AccessSpec) -> Iterator[Problem]:
    """What mode certificate needs and does not find."""
    if access.mode != "certificate":
        return
    where = "spec.defaults.access"
    if not access.authority_file:
        yield document.problem(f"{where}.mode", "mode certificate needs access.authorityFile", _AUTHORITY)
    elif not re.fullmatch(r"[/~][^\x00-\x1f\x7f]*", access.authority_file):
        yield document.problem(f"{where}.authorityFile", "not an absolute path", "begin it with / or ~")
    if not access.authority_key:
        yield document.problem(f"{where}.mode", "mode certificate needs access.authorityKey", _AUTHORITY)
    elif not re.fullmatch(_PUBLIC, access.authority_key.strip()):
        yield document.problem(f"{where}.authorityKey", "not an SSH public key", _AUTHORITY)


def _access(spec: AccessSpec) -> AccessPolicy:
    authority = " ".join(spec.authority_key.split()[:2])
    return AccessPolicy(spec.key_type, int(spec.lifetime), spec.user, spec.mode, spec.authority_file, authority)


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
        connections=spec.connections,
        measure=spec.measure,
        encrypt=spec.encrypt,
    )
