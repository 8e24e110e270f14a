"""How long a move takes and how long its guest is silent, by memory, writing and bandwidth (the model of mVM/BtrPlace).

Predicts only; nothing here looks at limits or at who else uses a link.
"""

from math import ceil

from reconciler.placement.problem import Guest, Host, Limits

OVERHEAD = 9
"""Mbit/s on the wire for one MB/s of memory."""


def bandwidth(source: Host, target: Host, limits: Limits) -> int:
    """Mbit/s a move between the two takes: all that both links, what they share and the limit allow."""
    shared = (limits.links[number].mbit for number in limits.crossed(source, target))
    most = [mbit for mbit in (limits.bandwidth, *shared) if mbit]
    return max(1, min(source.link, target.link, *most))


def seconds(guest: Guest, mbit: int) -> int:
    """Whole seconds, at least 1, to send its disks, and then its memory while it writes, at `mbit`.

    A guest that writes faster than the link is taken as slowed down to nine tenths of it, as auto-converge does.
    """
    dirty, speed = guest.dirty, mbit / OVERHEAD
    first, disks = guest.memory / speed, guest.disks / speed
    if first <= dirty.hot_seconds:
        return max(1, ceil(disks + first))
    cold = min(dirty.cold, 0.9 * speed)
    hot = min(dirty.hot / dirty.hot_seconds, 0.9 * speed)
    again = (dirty.hot + (first - dirty.hot_seconds) * cold) / (speed - cold)
    last = dirty.hot / speed * (hot / (speed - hot))
    return max(1, ceil(disks + first + again + last))


def downtime(guest: Guest, mbit: int) -> int:
    """Milliseconds of silence: what is still hot when everything else is over, at most a second."""
    speed = mbit / OVERHEAD
    return min(1000, ceil(1000 * min(guest.dirty.hot, guest.memory) / speed / 10))
