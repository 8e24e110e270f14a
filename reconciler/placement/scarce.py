"""Everything that steps of a timetable take of each other, by number: room, rules that hold always, slots and wires.

What is there for all who come is left out: nobody waits for it. `justify` shifts the pieces.
"""

from collections import defaultdict
from dataclasses import dataclass

from reconciler.placement.fleet import Fleet
from reconciler.placement.problem import Limits
from reconciler.placement.tasks import Step, Task, Timetable

Amounts = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Piece:
    """A step that can be shifted. Amounts by number of what there is little of.

    `takes` from its start on, `gives` from its end on, `uses` in between; `legs` are all steps of its guest.
    """

    step: Step
    start: int
    seconds: int
    takes: Amounts
    gives: Amounts
    uses: Amounts
    legs: "list[Piece]"

    @property
    def end(self) -> int:
        return self.start + self.seconds


class Scarce:
    """Everything there is little of, by number: `free` at the first instant, `after` the last, `most` at a time."""

    def __init__(self, fleet: Fleet, limits: Limits) -> None:
        self.fleet, self.limits = fleet, limits
        self.free: list[int] = [*(fleet.room - fleet.load).ravel().tolist()]
        self.groups: dict[int, list[tuple[list[int], dict[int, int]]]] = defaultdict(list)
        for group in fleet.groups:
            if group.always:
                self._group(group.domain.tolist(), group.guests, group.most)
        self.after = list(self.free)
        self.most: dict[int, int] = {}

    def _group(self, domain: list[int], guests: tuple[int, ...], most: int) -> None:
        numbers = {place: len(self.free) + n for n, place in enumerate(dict.fromkeys(domain))}
        self.free += [most] * len(numbers)
        for guest in guests:
            host = int(self.fleet.at[guest])
            if host >= 0:
                self.free[numbers[domain[host]]] -= 1
            self.groups[guest].append((domain, numbers))

    def pieces(self, table: Timetable) -> list[Piece]:
        """The steps, without what is there for all who come: nobody waits for it, to either end of time."""
        asked = [0] * len(self.free)
        legs: dict[int, list[Piece]] = defaultdict(list)
        found = []
        for step in table.steps:
            one = step.task
            takes, gives = self._lasting(one, one.target, one.source), self._lasting(one, one.source, one.target)
            mine = legs[one.guest]
            piece = Piece(step, step.start, one.seconds, takes, gives, self._passing(one), mine)
            mine.append(piece)
            found.append(piece)
            for sign, amounts in ((-1, takes), (1, gives)):
                for number, amount in amounts:
                    self.after[number] += sign * amount
                    asked[number] += max(0, -sign) * amount
        for piece in found:
            piece.takes = tuple(one for one in piece.takes if asked[one[0]] > self.free[one[0]])
            piece.gives = tuple(one for one in piece.gives if asked[one[0]] > self.free[one[0]])
        return found

    def _lasting(self, one: Task, host: int, other: int) -> Amounts:
        """What the guest takes on `host`; of a rule nothing, where the `other` end is in the same domain."""
        if host < 0:
            return ()
        found = [(host, one.need[0]), (len(self.fleet.hosts) + host, one.need[1])]
        for domain, numbers in self.groups.get(one.guest, ()):
            if other < 0 or domain[host] != domain[other]:
                found.append((numbers[domain[host]], 1))
        return tuple(found)

    def _passing(self, one: Task) -> Amounts:
        """Slots and wires at both ends; a wire that serves one move at a time is enough for it."""
        if one.source < 0:
            return ()
        found = []
        for side, host, most in ((0, one.source, self.limits.moves_out), (1, one.target, self.limits.moves_in)):
            number = 4 * host + 2 * side
            if most:
                self.most[number] = most
                found.append((number, 1))
            if most != 1:
                self.most[number + 1] = self.fleet.hosts[host].link
                found.append((number + 1, one.bandwidth))
        return tuple(found)
