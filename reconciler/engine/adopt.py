"""Specs for a fleet that is there already: ask its hosts, let each kind write what it saw, and plan over the result.

Changes nothing on any host and writes no file. The plan it ends with is the one a person would get next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.engine.load import unfit
from reconciler.engine.once import Tools, Wanted, see, think, want
from reconciler.engine.yaml_text import write
from reconciler.errors import PlanError, Unreachable
from reconciler.kind import Adopted, Draft, Kind
from reconciler.model.desired import View
from reconciler.model.fleet import Fleet
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Import:
    """Files to write, by relative path; what could not be declared; and the plan over them, empty when all is said."""

    fleet: str
    files: Mapping[str, str]
    notes: tuple[str, ...]
    plan: Plan


def adopt(fleet: Fleet, kinds: Sequence[Kind], tools: Tools, head: str = "", name: str = "") -> Import:
    """`fleet` holds the hosts to ask; without a `name` it gets the one whose mark its VMs carry, if that is one.

    Looks twice: some facts are only asked of what is declared. Raises Unreachable where a host is silent.
    """
    first = _written(View(fleet, (), Snapshot(), 0), kinds)
    found = _written(_seen(fleet, first, kinds, tools)[1], kinds)
    fleet = replace(fleet, name=name or _only(found.fleets))
    view = _seen(fleet, found, kinds, tools)[1]
    drafts = _written(view, kinds)
    wanted = want(_Texts(_files(drafts.drafts, kinds, head)), kinds)
    notes = tuple(dict.fromkeys(drafts.notes))
    return Import(fleet.name, _files(drafts.drafts, kinds, head), notes, think(wanted, view.snapshot, kinds))


def _only(fleets: frozenset[str]) -> str:
    if len(fleets) > 1:
        raise PlanError(f"the VMs there belong to the fleets {', '.join(sorted(fleets))}", "say which with --fleet")
    return next(iter(fleets), "default")


def _written(view: View, kinds: Sequence[Kind]) -> Adopted:
    """What all kinds would declare; a document that its own kind refuses is a note, and so is not lost silently."""
    parts = [kind.adopt(view) for kind in kinds]
    by_yaml = {kind.yaml: kind for kind in kinds if kind.yaml}
    notes = [note for part in parts for note in part.notes]
    drafts = []
    for draft in (draft for part in parts for draft in part.drafts):
        problem = unfit(draft.name, draft.spec, by_yaml[draft.kind])
        if problem:
            notes.append(f"{draft.kind} {draft.name}: {problem}: not declared")
        else:
            drafts.append(draft)
    return Adopted(tuple(drafts), tuple(notes), frozenset().union(*(part.fleets for part in parts)))


def _seen(fleet: Fleet, drafts: Adopted, kinds: Sequence[Kind], tools: Tools) -> tuple[Wanted, View]:
    wanted = want(_Texts(_files(drafts.drafts, kinds, "")), kinds)
    seen = see(wanted, kinds, tools)
    if seen.silences:
        first = seen.silences[0]
        raise Unreachable(first.host, first.reason, first.fix)
    return wanted, View(fleet, wanted.desired, seen, seen.taken)


def _files(drafts: Sequence[Draft], kinds: Sequence[Kind], head: str) -> dict[str, str]:
    folders = {kind.yaml: kind.name for kind in kinds}
    paths = {f"{folders[d.kind]}.yaml" if d.kind == "Fleet" else f"{folders[d.kind]}s/{d.name}.yaml": d for d in drafts}
    return {path: write(draft, [head] if head else []) for path, draft in paths.items()}


@dataclass(frozen=True, slots=True)
class _Texts:
    """A SpecSource of texts that no file holds yet."""

    texts: Mapping[str, str]

    def files(self) -> Sequence[tuple[str, str]]:
        return list(self.texts.items())

    def read(self, beside: str, relative: str) -> str:
        raise ValueError(f"{relative}: nothing is attached to an imported spec")

    def commit(self) -> tuple[str, bool]:
        return "", False
