"""VirtualMachine documents become what is wanted of each VM; clashes between VMs are found here. Pure."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.errors import Problem
from reconciler.kind import Document, Resolved, Scope
from reconciler.kinds.vm.policy import mistakes, policies
from reconciler.kinds.vm.spec import CheckSpec, MigrationSpec, VirtualMachineSpec
from reconciler.kinds.vm.state import Check, CloneDisk, LocalPool, VmDesired, WantedNic
from reconciler.kinds.vm.wire import foreign, parse
from reconciler.model.desired import Desired
from reconciler.model.fleet import MovePolicy
from reconciler.model.placing import Policy
from reconciler.model.ref import Place


def attachments(spec: VirtualMachineSpec) -> Sequence[str]:
    """Files the spec names: libvirt's own XML."""
    return (spec.source.domain_xml,) if spec.source and spec.source.domain_xml else ()


def resolve(documents: Sequence[Document], scope: Scope) -> Resolved:
    """Wanted VMs, and all mistakes: unknown hosts and pools, shared MACs and volumes, a clone of itself."""
    problems = [p for d in documents for p in (*_references(d, scope), *mistakes(d, scope), *_source(d))]
    problems += _clashes(documents)
    if problems or scope.broken:
        return Resolved(problems=tuple(problems))
    found, pools = policies(documents, scope), _pools(scope)
    return Resolved(tuple(_desired(document, scope, pools, found.get(document.name)) for document in documents))


def _references(document: Document, scope: Scope) -> list[Problem]:
    spec: VirtualMachineSpec = document.spec
    problems = []
    host = spec.placement.host
    if host and not scope.may_be("Host", host):
        known = ", ".join(scope.fleet.hosts) or "none is declared"
        problems.append(document.problem("spec.placement.host", f"no Host named {host!r}", f"hosts: {known}"))
    said = _said(spec.migration)
    for name, mistake, fix in _moves(spec.migration, scope.fleet.migration).contradictions() if said else ():
        problems.append(document.problem(f"spec.migration.{name}", mistake, fix))
    pools = {pool.name: pool for pool in scope.documents.get("StoragePool", ())}
    for number, disk in enumerate(spec.source.clone.disks if spec.source and spec.source.clone else ()):
        path = f"spec.source.clone.disks.{number}.pool"
        if not scope.may_be("StoragePool", disk.pool):
            problems.append(document.problem(path, f"no StoragePool named {disk.pool!r}", "declare the pool"))
        elif host and disk.pool in pools and host not in _hosts_of(pools[disk.pool], scope):
            message = f"pool {disk.pool!r} is not on {host!r}"
            problems.append(document.problem(path, message, "add the host to the pool's `hosts`"))
    return problems


def _hosts_of(pool: Document, scope: Scope) -> Container[str]:
    """The hosts a pool is on; with a Host that has mistakes, they cannot be told and any will do."""
    broken = {name for kind, name in scope.broken if kind == "Host"}
    return {*scope.fleet.select(pool.spec.hosts), *broken}


def _source(document: Document) -> list[Problem]:
    spec: VirtualMachineSpec = document.spec
    clone = spec.source.clone if spec.source else None
    if clone and clone.from_ == document.name:
        return [document.problem("spec.source.clone.from", "a VM cannot be cloned from itself")]
    if clone and not clone.disks:
        return [
            document.problem("spec.source.clone", "a clone needs `disks`", "name a pool and a volume for each disk")
        ]
    for path, text in document.attachments.items():
        where = "spec.source.domainXML"
        try:
            root = parse(text)
        except ValueError as error:
            return [document.problem(where, f"{path}: {error}")]
        if root.tag != "domain" or root.findtext("name") != document.name:
            said = root.findtext("name")
            return [document.problem(where, f"{path} describes {root.tag} {said!r}, not domain {document.name!r}")]
        if foreign(root):
            message = f"{path}: {', '.join(foreign(root))} tells the hypervisor what libvirt does not check"
            return [document.problem(where, message, "leave it out")]
    return []


def _clashes(documents: Sequence[Document]) -> list[Problem]:
    """Two VMs with one MAC or one volume, one VM with a MAC or volume twice."""
    first: dict[tuple[str, str], tuple[Document, str]] = {}
    problems = []
    for document in documents:
        for what, value, path in _claims(document):
            earlier, at = first.setdefault((what, value), (document, path))
            if (earlier, at) != (document, path):
                line = f"{earlier.file}:{earlier.line_of(at)}"
                message = f"{what} {value} is already {earlier.name}'s ({line})"
                problems.append(document.problem(path, message, "give each its own"))
    return problems


def _claims(document: Document) -> list[tuple[str, str, str]]:
    spec: VirtualMachineSpec = document.spec
    claims = [
        ("MAC", nic.mac, f"spec.interfaces.{number}.mac") for number, nic in enumerate(spec.interfaces or ()) if nic.mac
    ]
    clone = spec.source.clone if spec.source else None
    for number, disk in enumerate(clone.disks if clone else ()):
        claims.append(("volume", f"{disk.pool}/{disk.volume}", f"spec.source.clone.disks.{number}.volume"))
    return claims


@dataclass(frozen=True, slots=True)
class _Pools:
    """The declared pools: the specs by name, and what each VM is told of them."""

    specs: Mapping[str, Any]
    shared: tuple[tuple[str, str], ...]
    local: tuple[LocalPool, ...]


def _pools(scope: Scope) -> _Pools:
    specs = {pool.name: pool.spec for pool in scope.documents.get("StoragePool", ())}
    shared = tuple(sorted((name, pool.target) for name, pool in specs.items() if pool.shared))
    local = tuple(LocalPool(n, p.target, p.min_free) for n, p in sorted(specs.items()) if not p.shared)
    return _Pools(specs, shared, local)


def _desired(document: Document, scope: Scope, pools: _Pools, policy: Policy | None) -> Desired:
    spec: VirtualMachineSpec = document.spec
    clone = spec.source.clone if spec.source else None
    xml = next(iter(document.attachments.values()), "")
    nics = (
        None
        if spec.interfaces is None
        else tuple(WantedNic(nic.mac or "", nic.network or "", nic.bridge or "") for nic in spec.interfaces)
    )
    disks = tuple(
        CloneDisk(
            disk.target,
            disk.pool,
            disk.volume,
            disk.format,
            f"{pools.specs[disk.pool].target}/{disk.volume}",
            pools.specs[disk.pool].shared,
            pools.specs[disk.pool].min_free,
        )
        for disk in (clone.disks if clone else ())
    )
    value = VmDesired(
        name=document.name,
        host=spec.placement.host or "",
        declared=spec.placement.host or "",
        policy=policy,
        drain=spec.placement.drain,
        power=None if spec.power == "unmanaged" else spec.power,
        autostart=spec.autostart,
        base=clone.from_ if clone else "",
        disks=disks,
        xml=xml,
        digest=hashlib.sha256(xml.encode()).hexdigest()[:16] if xml else "",
        vcpus=spec.vcpus,
        memory=spec.memory,
        nics=nics,
        moves=_moves(spec.migration, scope.fleet.migration),
        prune=spec.prune == "allowed",
        checks=tuple(_check(check) for check in spec.checks),
        shared=pools.shared,
        local=pools.local,
    )
    return Desired(Place("vm", spec.placement.host or "", document.name), value, document.origin)


def _check(spec: CheckSpec) -> Check:
    kind, port = ("tcp", spec.tcp) if spec.tcp is not None else ("ssh", spec.port)
    return Check(kind, port, spec.timeout, spec.address or "")


def _said(spec: MigrationSpec) -> dict[str, Any]:
    return {name: value for name, value in spec if value is not None}


def _moves(spec: MigrationSpec, default: MovePolicy) -> MovePolicy:
    said = _said(spec)
    return replace(default, **said) if said else default
