"""A real bare repository in a temporary folder, and somebody's clone of it: commits, signatures, force-pushes.

Real git, ssh-keygen and gpg; nothing here is the product's.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SPECS = {"specs/fleet.yaml": "apiVersion: reconciler/v1alpha1\n"}


@dataclass
class Origin:
    """`bare` is what others fetch from; `work` is where its author edits."""

    folder: Path
    settings: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bare, self.work = self.folder / "fleet.git", self.folder / "work"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._run("git", "init", "-q", "--bare", "-b", "main", str(self.bare))
        self._run("git", "init", "-q", "-b", "main", str(self.work))

    def git(self, *words: str, stdin: bytes = b"", **environment: str) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        options = [word for setting in self.settings for word in ("-c", setting)]
        return self._run("git", "-C", str(self.work), *who, *options, *words, stdin=stdin, **environment)

    def commit(self, files: Mapping[str, str | None], subject: str = "a change", sign: str = "", **env: str) -> str:
        """The files written (None: removed), committed and pushed; gives the commit. `sign` is ssh or openpgp."""
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        words = ["-c", f"gpg.format={sign}"] if sign else ["-c", "commit.gpgsign=false"]
        self.git(*words, "commit", "-q", "--allow-empty", "-m", subject, *(["-S"] if sign else []), **env)
        return self.push()

    def push(self, ref: str = "HEAD") -> str:
        self.git("push", "-q", "--force", str(self.bare), f"{ref}:refs/heads/main")
        return self.git("rev-parse", ref)

    def tree(self, listing: bytes, subject: str = "made by hand") -> str:
        """A commit of a tree that no git would make, on top of HEAD; `listing` is a raw tree object."""
        tree = self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=listing)
        made = self.git("commit-tree", tree, "-p", "HEAD", "-m", subject)
        return self.push(made)

    def blob(self, text: bytes) -> bytes:
        return bytes.fromhex(self.git("hash-object", "-w", "--stdin", stdin=text))

    def _run(self, *command: str, stdin: bytes = b"", **environment: str) -> str:
        alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}
        settings = {**os.environ, **alone, **self.environment, **environment}
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=settings)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
        return done.stdout.decode(errors="surrogateescape").strip()


def ssh_key(path: Path) -> str:
    """A new key pair at `path`; gives the public half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return Path(f"{path}.pub").read_text(encoding="ascii").strip()


@dataclass
class GpgHome:
    """A GnuPG home with one key; `faked` is a time such as 20200101T000000 at which gpg believes to be."""

    folder: Path
    who: str = "Ann <ann@example.com>"
    expires: str = "never"
    faked: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, mode=0o700)
        self.gpg("--passphrase", "", "--quick-generate-key", self.who, "ed25519", "sign", self.expires)

    def gpg(self, *words: str, stdin: bytes = b"") -> bytes:
        time = ["--faked-system-time", self.faked] if self.faked else []
        command = ["gpg", "--homedir", str(self.folder), "--batch", "--pinentry-mode", "loopback", *time, *words]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def export(self, path: Path) -> str:
        path.write_bytes(self.gpg("--armor", "--export"))
        return str(path)

    def program(self) -> str:
        """What git is to run to sign with it."""
        script = self.folder / "program"
        time = f"--faked-system-time {self.faked}" if self.faked else ""
        script.write_text(f'#!/bin/sh\nexec gpg --homedir "{self.folder}" --batch {time} "$@"\n', encoding="utf-8")
        script.chmod(0o700)
        return str(script)

    def end(self) -> None:
        """Its agent goes."""
        subprocess.run(["gpgconf", "--homedir", str(self.folder), "--kill", "gpg-agent"], check=False)
