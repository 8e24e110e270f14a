"""A post-copy that broke, as it was seen: which half is where, and whether it can be taken up again. Pure.

Tells by libvirt's own reasons only; two domains without them are nobody's halves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.kinds.vm.state import DomainState
from reconciler.model.ref import Place
from reconciler.readings import FAILED_POST_COPY

Seen = Sequence[tuple[Place, DomainState]]


class _Power(Protocol):
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Halves:
    """The source's half and the destination's."""

    source: tuple[Place, DomainState]
    there: tuple[Place, DomainState]


def failed(domain: _Power | None) -> bool:
    """Does libvirt say of it that its post-copy failed?"""
    return domain is not None and domain.reason == FAILED_POST_COPY


def broken(seen: Seen) -> Halves | None:
    """Both halves of a post-copy that can be taken up again: one paused for it, the other not ended."""
    for source, there in _pairs(seen):
        paused = source[1].power == "paused" and failed(source[1])
        if paused and there[1].power in ("running", "paused"):
            return Halves(source, there)
    return None


def ended(seen: Seen) -> Halves | None:
    """A move that came to its end without us: off since it migrated, and running elsewhere."""
    for source, there in _pairs(seen):
        left = source[1].power == "stopped" and source[1].reason == "migrated"
        if left and there[1].power == "running" and not failed(there[1]):
            return Halves(source, there)
    return None


def lost(seen: Seen) -> bool:
    """A half whose other half is gone."""
    return broken(seen) is None and any(failed(state) for _, state in seen)


def _pairs(seen: Seen) -> Sequence[tuple[tuple[Place, DomainState], tuple[Place, DomainState]]]:
    """The two domains in either order; none where they are not two of one UUID, or one is on its way."""
    if len(seen) != 2 or seen[0][1].uuid != seen[1][1].uuid or any(state.migrating for _, state in seen):
        return ()
    return (seen[0], seen[1]), (seen[1], seen[0])
