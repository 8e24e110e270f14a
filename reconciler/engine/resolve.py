"""Documents to what is wanted: defaults filled, references checked, all mistakes at once.

Pure. The kinds resolve in the order of the registry, so that later ones can refer to earlier ones.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.errors import Problem
from reconciler.kind import Document, Kind, Scope
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet


def resolve(
    documents: Sequence[Document], kinds: Sequence[Kind], broken: frozenset[tuple[str, str]] = frozenset()
) -> tuple[Fleet, tuple[Desired, ...], tuple[Problem, ...]]:
    """The fleet, every wanted object in order of the registry, and the mistakes."""
    by_kind = {kind.yaml: tuple(d for d in documents if d.kind == kind.yaml) for kind in kinds if kind.yaml}
    scope = Scope(Fleet(), by_kind, broken)
    desired: list[Desired] = []
    problems: list[Problem] = []
    for kind in kinds:
        resolved = kind.resolve(by_kind.get(kind.yaml, ()), scope)
        desired += resolved.desired
        problems += resolved.problems
        scope = replace(scope, fleet=resolved.fleet or scope.fleet)
    return scope.fleet, tuple(desired), tuple(problems)
