"""FakeSigner: certificates of a fleet in memory; the world keeps what each one permits, for its sshd to decide by."""

from reconciler.readings import CertificateTerms
from tests.fakes.world import Killed, World


class FakeSigner:
    """A Signer with the world's authorities."""

    def __init__(self, world: World, life: int = 0) -> None:
        self._world, self._life = world, life

    def sign(self, authority: str, public: str, terms: CertificateTerms) -> str:
        world = self._world
        with world.lock:
            if self._life in world.ended:
                raise Killed("sign")
            if authority not in world.authorities:
                raise ValueError(f"{authority}: No such file or directory")
            kind, key = public.split()[:2]
            text = f"{kind}-cert-v01@openssh.com AAAAcert{len(world.certificates)} {terms.identity}\n"
            world.certificates[text] = (world.authorities[authority], key, terms, world.time + terms.lifetime)
            return text
