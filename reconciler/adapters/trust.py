"""Whose signature makes a commit good: lists of SSH and GPG keys that lie outside of the repository they judge.

The git program checks the signature; what is here gives it these keys only, and turns its answer into words.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from reconciler.adapters.git import Git, GitFailed, plain
from reconciler.errors import NotTrusted

Kind = Literal["none", "ssh", "gpg", "x509"]
_KINDS: Mapping[str, Kind] = {"SSH SIGNATURE": "ssh", "PGP SIGNATURE": "gpg", "PGP MESSAGE": "gpg"}
_LARGEST = 2**20
_GPG_SETTINGS = "trust-model always\nno-autostart\ndisable-dirmngr\nno-auto-key-retrieve\nno-auto-check-trustdb\n"
_SIGN = "sign the commit, or a new one, with a key that is listed"
_WHY = {
    "B": ("its signature is bad: the commit is not what was signed", "find out who changed it"),
    "U": ("its signer is not listed", _SIGN),
    "E": ("its signer is not listed", _SIGN),
    "X": ("its signature has expired", "sign a new commit"),
    "Y": ("the key it is signed with has expired", "give the renewed key, or sign a new commit with another one"),
    "R": ("the key it is signed with is revoked", "sign a new commit with another key"),
}


@dataclass(frozen=True, slots=True)
class Trust:
    """`mode` off: any commit; head: the newest one must be signed by somebody listed.

    `allowed_signers` is a file as ssh-keygen(1) describes it, `revoked_keys` a list or KRL of SSH keys that are no
    longer good, `gpg_keys` an exported GPG keyring. Empty: none of that kind.
    """

    mode: Literal["off", "head"] = "off"
    allowed_signers: str = ""
    gpg_keys: str = ""
    revoked_keys: str = ""

    def outside(self, sha: str, *folders: Path) -> None:
        """Raises NotTrusted where a list lies in one of these folders, so that whoever commits could change it."""
        for name in filter(None, (self.allowed_signers, self.gpg_keys, self.revoked_keys)):
            path = Path(name).expanduser().resolve()
            if any(path.is_relative_to(folder.resolve()) for folder in folders):
                fix = "keep the lists of signers where no commit can change them"
                raise NotTrusted(sha, f"{name} lies inside the repository whose commits it judges", fix)


def signer(git: Git, sha: str, trust: Trust) -> str:
    """Who signed that commit, as the lists name them, with the key's fingerprint; raises NotTrusted."""
    kind = _kind(git.run("cat-file", "commit", sha))
    if kind == "none":
        raise NotTrusted(sha, "it is not signed", _SIGN)
    listed = {"ssh": trust.allowed_signers, "gpg": trust.gpg_keys, "x509": ""}[kind]
    if not listed:
        what = {"ssh": "an SSH", "gpg": "a GPG", "x509": "an X.509"}[kind]
        raise NotTrusted(sha, f"it is signed with {what} key, and no list of such signers is given", _SIGN)
    with tempfile.TemporaryDirectory(prefix="reconciler-trust-") as folder:
        home = Path(folder)
        settings, environment = (_ssh if kind == "ssh" else _gpg)(sha, trust, home)
        asked = Git(git.folder, {**git.environment, **environment})
        try:
            answer = asked.run("log", "-1", "--format=%G?%x00%GS%x00%GF", sha, "--", settings=settings)
        except GitFailed as failed:
            raise NotTrusted(sha, f"its signature cannot be checked: {failed.text}", "see the text") from None
    word, who, key = (plain(part, 200) for part in answer.decode(errors="replace").split("\0"))
    if word != "G":
        why, fix = _WHY.get(word, (f"git says {word!r} of its signature", _SIGN))
        raise NotTrusted(sha, why + (f" ({key})" if key else ""), fix)
    return f"{who} {key}".strip()


def _kind(raw: bytes) -> Kind:
    """Of the signature in a commit's header."""
    header = raw.partition(b"\n\n")[0]
    found = re.search(rb"^gpgsig(?:-sha256)? -----BEGIN ([A-Z ]+)-----$", header, re.MULTILINE)
    return _KINDS.get(found[1].decode(), "x509") if found else "none"


def _read(sha: str, name: str) -> bytes:
    """A list of signers; what cannot be read, or can be written by anybody, makes nothing good."""
    path = Path(name).expanduser()
    try:
        if path.stat().st_mode & 0o002:
            raise NotTrusted(sha, f"{name} may be written by everyone", f"chmod o-w {name}")
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise NotTrusted(sha, f"{name} cannot be read: {error.strerror}", "see the text") from None
    if len(text) > _LARGEST:
        raise NotTrusted(sha, f"{name} is larger than {_LARGEST // 1024} KiB", "list signers only")
    return text


def _ssh(sha: str, trust: Trust, home: Path) -> tuple[Sequence[str], Mapping[str, str]]:
    """The list without what is not valid today: git itself asks for the time that the commit claims to be of."""
    lines = _read(sha, trust.allowed_signers).decode(errors="replace").splitlines()
    (home / "signers").write_text("".join(f"{line}\n" for line in lines if _valid(line, time.time())), encoding="utf-8")
    settings = [f"gpg.ssh.allowedSignersFile={home / 'signers'}"]
    if trust.revoked_keys:
        (home / "revoked").write_bytes(_read(sha, trust.revoked_keys))
        settings.append(f"gpg.ssh.revocationFile={home / 'revoked'}")
    return settings, {}


def _valid(line: str, now: float) -> bool:
    options = re.split(r"\s(?:ssh-|ecdsa-|sk-)", line, maxsplit=1)[0]
    for word, digits, zone in re.findall(r'valid-(after|before)="?(\d{8,14})(Z?)', options, re.IGNORECASE):
        try:
            moment = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S")
        except ValueError:
            return False
        limit = (moment.replace(tzinfo=UTC) if zone else moment.astimezone()).timestamp()
        if (now < limit) if word.lower() == "after" else (now >= limit):
            return False
    return True


def _gpg(sha: str, trust: Trust, home: Path) -> tuple[Sequence[str], Mapping[str, str]]:
    """A GnuPG home of its own with the listed keys in it, and nothing else."""
    (home / "gpg.conf").write_text(_GPG_SETTINGS, encoding="ascii")
    keys = _read(sha, trust.gpg_keys)
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--import"]
    try:
        done = subprocess.run(command, input=keys, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotTrusted(sha, f"gpg cannot be run: {plain(str(error))}", "install GnuPG") from None
    if done.returncode != 0:
        said = plain(done.stderr.decode(errors="replace"))
        raise NotTrusted(sha, f"{trust.gpg_keys} is no GPG keyring: {said}", "write it with gpg --export --armor")
    return ["gpg.program=gpg", "gpg.minTrustLevel=undefined"], {"GNUPGHOME": str(home)}
