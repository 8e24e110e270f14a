"""A certificate in place of a key line: signed on the reconciler's machine, it lies beside the key on the source.

Writes nothing on the destination; sshd there knows the authority already, and ends the certificate by its time.
"""

from datetime import UTC, datetime

from reconciler.errors import HostError, Refused
from reconciler.kinds.lease.actions import GrantAccess, RevokeAccess
from reconciler.kinds.lease.state import FOLDER, TAG
from reconciler.kinds.lease.wire import KEYS, public_half, read_keys
from reconciler.model.action import Passage
from reconciler.ports import Hands
from reconciler.readings import CertificateTerms

_KEEP = f"""set -e; umask 077; d={FOLDER}/$1; cat >"$d/key-cert.new"; mv "$d/key-cert.new" "$d/key-cert.pub\""""
PROXY = "virt-ssh-helper qemu:///system"


def certify(way: Passage, name: str, public: str, hands: Hands) -> str:
    """Sign the public half and put the certificate beside the private one; gives its end, as HH:MM:SS UTC."""
    source = hands.hosts[way.source]
    try:
        half = public_half(public)
    except ValueError as error:
        raise Refused(source.name, str(error)) from None
    terms = CertificateTerms(f"{TAG}{name}", int(way.lease, 16), way.user, way.peer, PROXY, way.lifetime)
    until = hands.clock.now() + way.lifetime
    try:
        certificate = hands.signer.sign(way.authority, f"{half} {TAG}{name}\n", terms)
    except ValueError as error:
        fix = "is it there, for its owner only, without a passphrase, and is ssh-keygen installed?"
        raise Refused(source.name, f"no certificate was signed with {way.authority}: {error}", fix) from None
    hands.at("lease.signed")
    kept = hands.shell.run(source, ["sh", "-c", _KEEP, "sh", name], stdin=certificate)
    if kept.code != 0:
        raise Refused(source.name, f"could not keep the certificate: {kept.err.strip()[:300]}")
    return time_of(until)


def time_of(seconds: float) -> str:
    """The time of day in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S UTC")


def ended(action: RevokeAccess, hands: Hands) -> str:
    """After the private half has been deleted: no line lets the source in; says when the certificate ends."""
    there = hands.hosts[action.destination]
    said = hands.shell.run(there, ["sh", "-c", KEYS, "sh", action.user])
    if said.code != 0 or any(piece.lease == action.lease for piece in read_keys(said.out)):
        fix = f"look at authorized_keys of {action.user} there; the next pass removes the line"
        raise HostError(there.name, "a key line is there where a certificate was to do without", fix)
    until = hands.facts(f"{action.place}:{GrantAccess.verb}").get("until", "its time")
    return (
        f"key and certificate are gone on {action.source}, no key line on {there.name}; "
        f"the certificate cannot be unissued and ends at {until}"
    )
