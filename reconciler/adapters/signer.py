"""Signing SSH user certificates with ssh-keygen, on this machine, by a fixed command in a folder of its own.

Reads no key itself: the authority's file is only named to ssh-keygen, which gives the certificate or its complaint.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reconciler.readings import CertificateTerms

_BACK = 60
_DEADLINE = 30.0


def command(authority: str, public: str, terms: CertificateTerms) -> Sequence[str]:
    """The argument list; `authority` and `public` are paths, and the certificate will lie beside the second one."""
    permits = ("clear", f"source-address={terms.source}/32", f"force-command={terms.command}")
    return [
        *("ssh-keygen", "-q", "-s", authority, "-I", terms.identity, "-n", terms.user),
        *("-V", f"-{_BACK}s:+{terms.lifetime}s", "-z", str(terms.serial)),
        *(word for permit in permits for word in ("-O", permit)),
        public,
    ]


class KeygenSigner:
    """A Signer by this machine's ssh-keygen; an authority with a passphrase is refused, nobody is asked for it."""

    def sign(self, authority: str, public: str, terms: CertificateTerms) -> str:
        with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
            half = Path(folder) / "key.pub"
            half.write_text(public, encoding="ascii")
            words = command(str(Path(authority).expanduser()), str(half), terms)
            try:
                done = subprocess.run(
                    words,
                    capture_output=True,
                    text=True,
                    timeout=_DEADLINE,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise ValueError(str(error)[:200]) from None
            made = Path(folder) / "key-cert.pub"
            if done.returncode != 0 or not made.exists():
                raise ValueError((done.stderr or done.stdout).strip()[-300:] or "ssh-keygen gave no certificate")
            return made.read_text(encoding="ascii")
