"""The least weight that covers every need: which guests to take from one host, exactly, by branch and bound.

Knows neither hosts nor guests: weights, and rows of amounts with what they must sum up to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

NODES = 6000
Row = tuple[Sequence[int], int]


@dataclass(frozen=True, slots=True)
class Cover:
    """Chosen positions, ascending; their weight; and a weight no cover is below (the same when `exact`)."""

    chosen: tuple[int, ...]
    weight: int
    bound: int

    @property
    def exact(self) -> bool:
        return self.weight == self.bound


def least(weights: Sequence[int], rows: Sequence[Row], nodes: int = NODES) -> Cover | None:
    """A cover of the rows that have something to ask; None when there is none. `nodes` caps the search."""
    rows = [row for row in rows if row[1] > 0]
    if any(sum(amounts) < wanted for amounts, wanted in rows):
        return None
    order = sorted(range(len(weights)), key=lambda j: (-weights[j], j))
    search = _Search([weights[j] for j in order], [([a[j] for j in order], b) for a, b in rows], nodes)
    search.walk(0, 0, [wanted for _, wanted in rows], [])
    bound = search.best if search.nodes > 0 else min(search.best, search.root)
    return Cover(tuple(sorted(order[j] for j in search.chosen)), search.best, bound)


class _Search:
    """Depth first, heaviest first, with or without; cut where the cheapest rate of any row says enough."""

    def __init__(self, weights: list[int], rows: list[tuple[list[int], int]], nodes: int) -> None:
        self.weights, self.amounts, self.nodes = weights, [amounts for amounts, _ in rows], nodes
        self.columns = list(zip(*self.amounts, strict=True)) if rows else [() for _ in weights]
        self.left = [_suffix_sums(amounts) for amounts in self.amounts]
        self.rates = [_suffix_rates(weights, amounts) for amounts in self.amounts]
        self.best, self.chosen = sum(weights) + 1, list(range(len(weights)))
        self.root = max((self.least_for(r, 0, wanted) for r, (_, wanted) in enumerate(rows)), default=0)

    def least_for(self, row: int, place: int, wanted: int) -> int:
        weight, amount = self.rates[row][place]
        return -(-wanted * weight // amount) if wanted > 0 else 0

    def walk(self, place: int, weight: int, wanted: list[int], chosen: list[int]) -> None:
        self.nodes -= 1
        open_rows = [r for r, amount in enumerate(wanted) if amount > 0]
        if not open_rows:
            if weight < self.best:
                self.best, self.chosen = weight, list(chosen)
            return
        if self.nodes <= 0 and self.best <= sum(self.weights):
            return
        for row in open_rows:
            if self.left[row][place] < wanted[row] or weight + self.least_for(row, place, wanted[row]) >= self.best:
                return
        column = self.columns[place]
        chosen.append(place)
        self.walk(place + 1, weight + self.weights[place], [w - a for w, a in zip(wanted, column, strict=True)], chosen)
        chosen.pop()
        following = place + 1
        while following < len(self.weights) and self._same(place, following):
            following += 1
        self.walk(following, weight, wanted, chosen)

    def _same(self, one: int, other: int) -> bool:
        return self.weights[one] == self.weights[other] and self.columns[one] == self.columns[other]


def _suffix_sums(amounts: list[int]) -> list[int]:
    sums = [0]
    for amount in reversed(amounts):
        sums.append(sums[-1] + amount)
    return sums[::-1]


def _suffix_rates(weights: list[int], amounts: list[int]) -> list[tuple[int, int]]:
    """The cheapest weight per amount from each place on, as a fraction; (0, 1) where nothing is left."""
    rates: list[tuple[int, int]] = [(0, 1)]
    best: tuple[int, int] | None = None
    for weight, amount in zip(reversed(weights), reversed(amounts), strict=True):
        if amount > 0 and (best is None or weight * best[1] < best[0] * amount):
            best = (weight, amount)
        rates.append(best or (0, 1))
    return rates[::-1]
