"""What a kind offers the engine: a record of plain functions, all pure but `run`.

The engine knows kinds only through this record; kinds do not know each other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reconciler.errors import Problem
from reconciler.model.action import Action, Refusal
from reconciler.model.change import Comparison, Difference, Origin
from reconciler.model.crossing import Crossing, Hurdle, Way
from reconciler.model.desired import Desired, View
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.outcome import Done
from reconciler.model.placing import Seat, Tenancy
from reconciler.model.ref import Place
from reconciler.ports import Hands
from reconciler.readings import Inventory, Reply


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, validated: `spec` is the kind's pydantic model.

    `line_of` finds the line of a dotted path such as `spec.source.clone.from`; `attachments` are the files it names.
    """

    kind: str
    name: str
    spec: Any
    file: str
    line: int
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    lines: Mapping[str, int] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        return Origin(self.file, self.line)

    def line_of(self, path: str) -> int:
        """The line where `path` stands, or the nearest line above it that is known."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, self.line)

    def problem(self, path: str, message: str, fix: str = "") -> Problem:
        return Problem(self.file, self.line_of(path), message, fix)


@dataclass(frozen=True)
class Scope:
    """What a kind may refer to while it resolves: the fleet so far and every document by YAML kind.

    `broken` are documents whose own mistakes kept them out, by YAML kind and name.
    """

    fleet: Fleet
    documents: Mapping[str, Sequence[Document]]
    broken: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def _declared(self) -> frozenset[tuple[str, str]]:
        return self.broken.union((kind, d.name) for kind, documents in self.documents.items() for d in documents)

    def may_be(self, yaml_kind: str, name: str) -> bool:
        """Is it declared, be it with mistakes of its own? One mistake is told once, not at every reference."""
        return (yaml_kind, name) in self._declared

    def unknown_hosts(self, document: Document) -> Iterator[Problem]:
        """What is wrong with a document's `spec.hosts`: names nobody declared, a selector that means no host at all."""
        selector = document.spec.hosts
        if isinstance(selector, list):
            for number, name in enumerate(selector):
                if not self.may_be("Host", name):
                    fix = f"declare it, or remove it; declared are {', '.join(self.fleet.hosts) or 'none'}"
                    yield document.problem(f"spec.hosts.{number}", f"no Host named {name!r}", fix)
        broken_host = any(kind == "Host" for kind, _ in self.broken)
        if not selector or (not isinstance(selector, list) and not self.fleet.select(selector) and not broken_host):
            fix = "see `metadata.labels` of the Host documents"
            yield document.problem("spec.hosts", "selects no host", fix)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What resolving one kind gave: objects, the fleet (host and fleet change it), and mistakes."""

    desired: tuple[Desired, ...] = ()
    fleet: Fleet | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """What one kind reads a host's state from: its own facts' replies and the hypervisor's inventory (None: silent)."""

    host: HostCard
    fleet: Fleet
    replies: Mapping[str, Reply]
    inventory: Inventory | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A document written from what was seen: `spec` is as YAML has it, `remarks` go above it for people."""

    kind: str
    name: str
    spec: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a kind would declare of what was seen; `notes` name what it leaves out, `fleets` whose marks it saw."""

    drafts: tuple[Draft, ...] = ()
    notes: tuple[str, ...] = ()
    fleets: frozenset[str] = frozenset()


def no_adoption(view: View) -> Adopted:
    """For kinds of which nothing is declared."""
    return Adopted()


def no_facts(host: HostCard, fleet: Fleet, desired: Sequence[Desired]) -> Mapping[str, Sequence[str]]:
    """For kinds that ask the shell nothing."""
    return {}


def no_weaving(actions: Sequence[Action], view: View) -> tuple[Sequence[Action], Sequence[Refusal]]:
    """For kinds that add nothing around other kinds' actions."""
    return actions, ()


def no_ways(name: str, view: View) -> Sequence[Way]:
    """For kinds whose objects do not move."""
    return ()


def no_hurdles(crossing: Crossing, view: View) -> Sequence[Hurdle]:
    """For kinds that have nothing against a move."""
    return ()


def no_questions(crossing: Crossing, hands: Hands) -> Sequence[Hurdle]:
    """For kinds that know all they need from the snapshot."""
    return ()


def no_tenancy(view: View) -> Tenancy:
    """For kinds whose objects take no room that has to be counted."""
    return Tenancy()


def as_declared(item: Desired, seat: Seat) -> Desired:
    """For kinds whose objects are where they are declared."""
    return item


def no_pace(place: Place, state: Any, hands: Hands, deadline: float) -> Any:
    """For kinds of whose objects nothing is measured: as it was seen."""
    return state


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is the short word in refs, `yaml` the document kind (empty: nobody declares it).

    facts    commands to ask a host, by name; read turns their replies into states
    compare  declared beside seen, only declared fields; plan turns one difference into actions and refusals
    weave    sees all planned actions and may wrap them (leases around moves)
    ways     for one of its objects every host, and what stands in its way
    hurdles  what it has against a crossing that another kind thinks of
    tenancy  what its objects take of which host, and where each may be; settle gives one of them
             its seat
    run      the only function with hands, but for ask and pace; says whether anything had to change
    ask      questions about a crossing that only a live host answers; changes nothing
    pace     one of its states with how it writes now, as its host measures it within that many seconds and the time
             that measuring takes; changes nothing on the host
    adopt    documents that declare what was seen, so that nothing is left to do; of a host not seen yet, what to ask
    """

    name: str
    yaml: str
    spec: Any
    states: tuple[type, ...]
    actions: tuple[type[Action], ...]
    resolve: Callable[[Sequence[Document], Scope], Resolved]
    facts: Callable[[HostCard, Fleet, Sequence[Desired]], Mapping[str, Sequence[str]]]
    read: Callable[[Sight], Sequence[tuple[Place, Any]]]
    compare: Callable[[View], Sequence[Comparison]]
    plan: Callable[[Difference, View], Sequence[Action | Refusal]]
    run: Callable[[Action, Hands], Done]
    weave: Callable[[Sequence[Action], View], tuple[Sequence[Action], Sequence[Refusal]]] = no_weaving
    ways: Callable[[str, View], Sequence[Way]] = no_ways
    hurdles: Callable[[Crossing, View], Sequence[Hurdle]] = no_hurdles
    ask: Callable[[Crossing, Hands], Sequence[Hurdle]] = no_questions
    pace: Callable[[Place, Any, Hands, float], Any] = no_pace
    adopt: Callable[[View], Adopted] = no_adoption
    tenancy: Callable[[View], Tenancy] = no_tenancy
    settle: Callable[[Desired, Seat], Desired] = as_declared
    uses_inventory: bool = True
    attachments: Callable[[Any], Sequence[str]] = lambda spec: ()
