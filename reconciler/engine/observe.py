"""Ask every host at once, one thread and one connection each, and let the kinds read what came back.

Changes nothing on any host. A host that does not answer costs its deadline and becomes a silence in the snapshot.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import HostError, Unreachable
from reconciler.kind import Kind, Sight
from reconciler.model.desired import Desired
from reconciler.model.fleet import Fleet, HostCard
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration, Silence, Snapshot
from reconciler.ports import Clock, Hypervisor, Shell
from reconciler.readings import Inventory, Reply

WIDEST = 64


@dataclass
class _Answer:
    """One host's part of the snapshot."""

    objects: dict[Place, Any] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    migrations: list[Migration] = field(default_factory=list)


def observe(
    fleet: Fleet,
    desired: Sequence[Desired],
    kinds: Sequence[Kind],
    shell: Shell,
    hypervisor: Hypervisor,
    *,
    clock: Clock,
    deadline: float = 15.0,
    hosts: Sequence[str] | None = None,
    seen: Callable[[str, bool], None] = lambda host, well: None,
) -> Snapshot:
    """A snapshot of the fleet, or of the named hosts. `deadline` is seconds per host; `seen` hears of each end."""
    now = int(clock.now())
    cards = [card for name, card in sorted(fleet.hosts.items()) if hosts is None or name in hosts]
    answers: list[_Answer] = []
    with_threads = ThreadPoolExecutor(max_workers=min(WIDEST, max(1, len(cards))), thread_name_prefix="observe")
    futures = {
        with_threads.submit(_ask, card, fleet, desired, kinds, shell, hypervisor, clock, deadline): card
        for card in cards
    }
    rounds = -(-len(cards) // WIDEST)
    finished, late = wait(futures, timeout=(deadline + 1.0) * max(1, rounds))
    for future in finished:
        answers.append(future.result())
        seen(futures[future].name, not answers[-1].silences)
    for future in late:
        fix = "is it overloaded? give a longer --deadline"
        error = Unreachable(futures[future].name, f"did not answer within {deadline:.0f} s", fix)
        answers.append(_Answer(silences=[_silence(error, kinds)]))
        seen(futures[future].name, False)
    with_threads.shutdown(wait=False, cancel_futures=True)
    objects = {place: state for answer in answers for place, state in answer.objects.items()}
    silences = sorted((s for answer in answers for s in answer.silences), key=lambda s: (s.host, s.kinds))
    migrations = sorted((m for answer in answers for m in answer.migrations), key=lambda m: (m.host, m.uuid))
    return Snapshot(now, dict(sorted(objects.items())), tuple(silences), tuple(migrations))


def _ask(
    card: HostCard,
    fleet: Fleet,
    desired: Sequence[Desired],
    kinds: Sequence[Kind],
    shell: Shell,
    hypervisor: Hypervisor,
    clock: Clock,
    deadline: float,
) -> _Answer:
    end = clock.now() + deadline
    here = [item for item in desired if item.place.host == card.name]
    commands = {f"{kind.name}.{name}": argv for kind in kinds for name, argv in kind.facts(card, fleet, here).items()}
    try:
        replies = shell.batch(card, commands, deadline=deadline)
    except HostError as error:
        return _Answer(silences=[_silence(error, kinds)])
    try:
        inventory: Inventory | None = hypervisor.inventory(card, deadline=max(1.0, end - clock.now()))
        silences: list[Silence] = []
    except HostError as error:
        inventory, silences = None, [_silence(error, [kind for kind in kinds if kind.uses_inventory])]
    except Exception as error:
        users = tuple(kind.name for kind in kinds if kind.uses_inventory)
        inventory, silences = None, [_nonsense(card, users, "libvirt", error)]
    return _read(card, fleet, kinds, replies, inventory, silences)


def _read(
    card: HostCard,
    fleet: Fleet,
    kinds: Sequence[Kind],
    replies: Mapping[str, Reply],
    inventory: Inventory | None,
    silences: list[Silence],
) -> _Answer:
    answer = _Answer(silences=silences)
    for kind in kinds:
        if kind.uses_inventory and inventory is None:
            continue
        mine = {name.partition(".")[2]: reply for name, reply in replies.items() if name.startswith(f"{kind.name}.")}
        try:
            answer.objects.update(kind.read(Sight(card, fleet, mine, inventory)))
        except Exception as error:
            answer.silences.append(_nonsense(card, (kind.name,), kind.name, error))
    for domain in inventory.domains if inventory else ():
        if domain.migrating:
            answer.migrations.append(Migration(card.name, domain.name, domain.uuid))
    return answer


def _nonsense(card: HostCard, kinds: tuple[str, ...], about: str, error: Exception) -> Silence:
    """An answer that no reader can read, whatever it is: it silences its own host and no other."""
    said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    what = f"its answer about {about} cannot be read: {said[:300]}"
    return Silence(card.name, kinds, what, "is the host's software one we know?")


def _silence(error: HostError, kinds: Sequence[Kind]) -> Silence:
    return Silence(error.host, tuple(kind.name for kind in kinds), error.reason, error.fix)
