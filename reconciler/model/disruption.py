"""The closed vocabulary of what a change does to a running VM (law 8), ordered from harmless to final.

Names and their order only; who may do what is policy and lives in engine/guard.
"""

from enum import StrEnum


class Disruption(StrEnum):
    """Ordered: a later member disturbs more than an earlier one."""

    NONE = "none"
    LIVE = "live"
    NEXT_BOOT = "next-boot"
    RESTART = "restart"
    MOVE_LIVE = "move-live"
    MOVE_COLD = "move-cold"
    RECREATE = "recreate"
    DELETE = "delete"

    def exceeds(self, cap: "Disruption") -> bool:
        """Does this disturb more than `cap` allows?"""
        order = list(Disruption)
        return order.index(self) > order.index(cap)
