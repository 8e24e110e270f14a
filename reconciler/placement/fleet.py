"""The problem as arrays: items (guests that stay together are one), classes of reach as masks, groups that spread.

Only holds and looks up; `normalise` makes it, `Board` is what changes while a plan is made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reconciler.placement.problem import Guest, Host

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Group:
    """At most `most` of the `guests`, whose items are `members`, in one domain.

    `domain` is each host's, `wide` when one spans hosts; `times`: how many of its guests an item brings, where not one.
    """

    guests: tuple[int, ...]
    members: tuple[int, ...]
    domain: Ints
    most: int
    always: bool
    wide: bool
    times: Mapping[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Fleet:
    """Hosts and items by index, in order of names. Arrays by resource are (memory, vCPU) x index.

    `home`: host of each item, -1 for none, -2 when its guests are on several. `cls` x host in `mask`: where it may end
    as planned; `wide_mask` the same before any choice was made for it; `via_mask` where it can run for a while.
    `fixed` never move, `soft` only if they must. `load` is what is taken on each host now, guests of split items too;
    `residents` are the whole items of each, ascending.
    """

    hosts: tuple[Host, ...]
    guests: tuple[Guest, ...]
    items: tuple[tuple[int, ...], ...]
    room: Ints
    load: Ints
    need: Ints
    home: Ints
    at: Ints
    residents: tuple[tuple[int, ...], ...]
    cls: Ints
    mask: Bools
    wide_mask: Bools
    wide_cls: Ints
    via_mask: Bools
    via_cls: Ints
    fixed: Bools
    soft: Bools
    groups: tuple[Group, ...]
    of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    torn: tuple[int, ...] = ()
    """Items whose guests must be together and apart at once."""

    def name(self, item: int) -> str:
        """Of its first guest."""
        return self.guests[self.items[item][0]].name

    def names(self, item: int) -> tuple[str, ...]:
        return tuple(self.guests[guest].name for guest in self.items[item])

    def pieces(self, item: int) -> dict[int, int]:
        """Memory of the item's guests by the host they are on."""
        found: dict[int, int] = {}
        for guest in self.items[item]:
            host = int(self.at[guest])
            if host >= 0:
                found[host] = found.get(host, 0) + self.guests[guest].memory
        return found

    def forced(self, wide: bool = False) -> Bools:
        """Items whose host may not keep them; those that never move are not among them."""
        mask, cls = (self.wide_mask, self.wide_cls) if wide else (self.mask, self.cls)
        placed = self.home >= 0
        stays = mask[cls, np.where(placed, self.home, 0)]
        return placed & ~stays & ~self.fixed

    def moves(self, item: int, host: int) -> int:
        """MiB that change their host if the item ends there."""
        pieces = self.pieces(item)
        return sum(pieces.values()) - pieces.get(host, 0)

    def groups_of(self, item: int) -> Iterator[tuple[int, Group]]:
        for index in self.of.get(item, ()):
            yield index, self.groups[index]
