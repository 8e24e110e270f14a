"""What `placement` says where it names no host: the hosts that may run the VM and the rules it lives by. Pure.

Rules that several VMs share are made once. Chooses no host: that is placing's business.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.errors import Problem
from reconciler.kind import Document, Scope
from reconciler.kinds.vm.spec import AvoidSpec, GatherSpec, PlacementSpec, SpreadSpec
from reconciler.model.placing import Apart, Policy, Rule, Shun, Together

Groups = Mapping[tuple[str, str], tuple[str, ...]]
Key = tuple[str, ...]
"""Names a rule shortly, so that the many VMs that share one need not be compared."""


def policies(documents: Sequence[Document], scope: Scope) -> Mapping[str, Policy]:
    """By VM, of those that name no host; the VMs of a label are all that have it, also those that name one."""
    shared: dict[Key, Rule] = {}
    groups, chosen = _groups(documents), dict[str, tuple[str, ...]]()
    found = {}
    for document in documents:
        placement: PlacementSpec = document.spec.placement
        if placement.host:
            continue
        said = repr(placement.hosts)
        if said not in chosen:
            chosen[said] = scope.fleet.select(placement.hosts)
        rules = tuple(shared.setdefault(key, rule) for key, rule in _rules(document, groups))
        found[document.name] = Policy(chosen[said], rules, placement.priority, placement.sticky)
    return found


def _groups(documents: Sequence[Document]) -> Groups:
    found: dict[tuple[str, str], list[str]] = {}
    for document in documents:
        for pair in document.labels.items():
            found.setdefault(pair, []).append(document.name)
    return {pair: tuple(sorted(names)) for pair, names in found.items()}


def _rules(document: Document, groups: Groups) -> Iterator[tuple[Key, Rule]]:
    placement: PlacementSpec = document.spec.placement
    spread, gather, avoid = _long(placement)
    if spread:
        pair, over = (spread.label, document.labels[spread.label]), spread.over or ""
        apart = Apart(groups[pair], over, spread.most, spread.hold == "always")
        yield ("spread", *pair, over, str(spread.most), spread.hold), apart
    if gather:
        pair, over = (gather.label, document.labels[gather.label]), gather.over or ""
        yield ("gather", *pair, over), Together(groups[pair], over)
    if avoid:
        yield ("avoid", document.name), Shun(document.name, _names(avoid.vms), avoid.hold == "always")
    if placement.near:
        yield ("near", document.name), Together((document.name, *_names(placement.near)))


def _long(placement: PlacementSpec) -> tuple[SpreadSpec | None, GatherSpec | None, AvoidSpec | None]:
    """The short forms written out."""
    spread = SpreadSpec(label=placement.spread) if isinstance(placement.spread, str) else placement.spread
    gather = GatherSpec(label=placement.gather) if isinstance(placement.gather, str) else placement.gather
    avoid = placement.avoid if isinstance(placement.avoid, AvoidSpec) else None
    if isinstance(placement.avoid, list) and placement.avoid:
        avoid = AvoidSpec(vms=placement.avoid)
    return spread, gather, avoid


def _names(refs: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({ref.removeprefix("vm/") for ref in refs}))


def mistakes(document: Document, scope: Scope) -> Iterator[Problem]:
    """Hosts, labels and VMs that are not there, and a word for draining that could not be kept."""
    placement: PlacementSpec = document.spec.placement
    at = "spec.placement"
    if placement.drain == "stop" and document.spec.power != "running":
        fix = "add `power: running`, so that it starts again after the maintenance"
        yield document.problem(f"{at}.drain", "drain: stop needs power: running", fix)
    if placement.host:
        return
    yield from _no_hosts(document, scope)
    spread, gather, avoid = _long(placement)
    for word, rule in (("spread", spread), ("gather", gather)):
        if rule and rule.label not in document.labels:
            fix = f"add it to metadata.labels; there are {', '.join(sorted(document.labels)) or 'none'}"
            yield document.problem(f"{at}.{word}", f"the VM has no label {rule.label!r} to {word} by", fix)
        if rule and rule.over and not any(rule.over in card.labels for card in scope.fleet.hosts.values()):
            fix = "see `metadata.labels` of the Host documents"
            yield document.problem(f"{at}.{word}", f"no Host has a label {rule.over!r}", fix)
    for word, refs in (("avoid", avoid.vms if avoid else []), ("near", placement.near)):
        for ref in refs:
            name = ref.removeprefix("vm/")
            if name == document.name:
                yield document.problem(f"{at}.{word}", f"it names itself in {word}", "leave it out")
            elif not scope.may_be("VirtualMachine", name):
                yield document.problem(
                    f"{at}.{word}", f"no VirtualMachine named {name!r}", "declare it, or leave it out"
                )


def _no_hosts(document: Document, scope: Scope) -> Iterator[Problem]:
    """As for `spec.hosts` of other kinds, one level down."""
    selector = document.spec.placement.hosts
    if selector == "all" and scope.fleet.hosts:
        return
    if isinstance(selector, list):
        for number, name in enumerate(selector):
            if not scope.may_be("Host", name):
                fix = f"declare it, or remove it; declared are {', '.join(scope.fleet.hosts) or 'none'}"
                yield document.problem(f"spec.placement.hosts.{number}", f"no Host named {name!r}", fix)
    broken = any(kind == "Host" for kind, _ in scope.broken)
    if not broken and not scope.fleet.select(selector) and (not isinstance(selector, list) or not selector):
        fix = "see `metadata.labels` of the Host documents"
        yield document.problem("spec.placement.hosts", "selects no host", fix)
