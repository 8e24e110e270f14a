"""The end of a lease whose migration is followed: closed after the follower has ended, in the same pass. Pure.

While the migration still runs its lease is in use, and the hosts themselves end it: `during` names what must be over.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.kinds.lease.actions import ClosePort, RevokeAccess
from reconciler.kinds.lease.plan import uses
from reconciler.kinds.lease.state import LeaseState
from reconciler.model.action import Action
from reconciler.model.desired import View
from reconciler.model.ref import Place
from reconciler.model.snapshot import Migration

_WHY = "the migration it was opened for is over then"
Used = tuple[Place, LeaseState, tuple[Migration, ...]]


def endings(actions: Sequence[Action], view: View) -> Mapping[str, Sequence[Action]]:
    """By the last follower each one waits for. A piece that a migration uses which nobody follows is left alone."""
    followers = {action.followed: action.id for action in actions if action.followed}
    found: dict[str, list[Action]] = {}
    for closing in _closings(list(_used(followers, view)), followers):
        found.setdefault(closing.after[-1], []).append(closing)
    return found


def _used(followers: Mapping[Migration, str], view: View) -> Iterator[Used]:
    for place, piece in view.snapshot.of("lease"):
        users = tuple(m for m in view.snapshot.migrations if uses(m, piece, view))
        if users and all(m in followers for m in users):
            yield place, piece, users


def _closings(used: Sequence[Used], followers: Mapping[Migration, str]) -> Iterator[Action]:
    secrets = {piece.lease: place for place, piece, _ in used if piece.what == "secret"}
    keys = {piece.lease for _, piece, _ in used if piece.what == "key"}
    order = list(followers.values())
    for place, piece, users in used:
        after = tuple(sorted((followers[m] for m in users), key=order.index))
        match piece.what:
            case "port" | "port-permanent":
                yield ClosePort(
                    place=place,
                    zone=piece.zone,
                    peer=piece.peer,
                    port=piece.port,
                    permanent=piece.what == "port-permanent",
                    during=users,
                    after=after,
                    reason=_WHY,
                )
            case "key":
                source = secrets[piece.lease].host if piece.lease in secrets else ""
                yield _revoke(place, piece, source, users, after)
            case _ if piece.lease not in keys:
                yield _revoke(place, piece, place.host, users, after)


def _revoke(
    place: Place, piece: LeaseState, source: str, during: tuple[Migration, ...], after: tuple[str, ...]
) -> RevokeAccess:
    """Both halves where both were found, so that the refusal of the login is proven."""
    return RevokeAccess(
        place=place,
        lease=piece.lease,
        domain=piece.domain,
        source=source,
        destination=place.host if piece.what == "key" else "",
        user=piece.user or "root",
        during=during,
        after=after,
        reason=_WHY,
    )
