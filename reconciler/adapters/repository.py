"""A branch of a git repository as a bare mirror: fetched, asked about, and a commit's files written out as plain ones.

Says what is; whether a commit is applied is decided by whoever asks. Nothing in a repository is ever run.
"""

import fcntl
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.checkout import write_out
from reconciler.adapters.git import Git, GitFailed, plain
from reconciler.adapters.trust import Trust, signer
from reconciler.errors import SourceError
from reconciler.model.commit import Commit

_HEAD, _GOOD = "refs/heads/followed", "refs/reconciler/good"
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$|\.$|/$|/\.))[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,199}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REMOTE = re.compile(r"(?:https|ssh)://[A-Za-z0-9_\[][^\s?#]*|(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_][\w.-]*:(?!//|:)\S+")
_DEADLINE = 120.0


@dataclass(frozen=True, slots=True)
class Repository:
    """`url` is a path, or a URL of ssh, https or file; `folder` becomes the mirror and is nobody else's."""

    url: str
    branch: str
    folder: Path
    identity_file: str = ""
    known_hosts_file: str = ""

    def fetch(self) -> str:
        """The branch's newest commit; raises SourceError. A commit that was good before stays in the mirror."""
        address = self._address()
        if not _BRANCH.fullmatch(self.branch):
            raise SourceError(f"not the name of a branch: {plain(self.branch, 80)!r}")
        with self._alone() as git:
            words = ("fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--", address)
            try:
                git.run(*words, f"+refs/heads/{self.branch}:{_HEAD}", deadline=_DEADLINE)
                sha = git.run("rev-parse", "--verify", "--quiet", f"{_HEAD}^{{commit}}").decode().strip()
            except GitFailed as failed:
                raise self._failed(failed) from None
            with suppress(GitFailed):
                git.run("-c", "gc.auto=2000", "gc", "--auto", "--quiet", deadline=_DEADLINE)
            return sha

    def commit(self, sha: str) -> Commit:
        """What git says of it, without anything a terminal would act on; the signer is asked for by `signer`."""
        form = "--format=%H%x00%an <%ae>%x00%ct%x00%s"
        found, author, when, subject = self._asked("log", "-1", form, "--encoding=UTF-8", _known(sha), "--").split("\0")
        return Commit(found.strip(), plain(author, 200), int(when or 0), plain(subject, 200))

    def descends(self, new: str, old: str) -> bool:
        """Is `old` (or nothing, an empty text) an ancestor of `new`, or the same? A commit nobody has is none."""
        if old in ("", new):
            return True
        try:
            Git(self.folder).run("cat-file", "-e", f"{_known(old)}^{{commit}}")
        except GitFailed as failed:
            if failed.status == 128:
                return False
            raise self._failed(failed) from None
        try:
            Git(self.folder).run("merge-base", "--is-ancestor", old, _known(new), quiet=True)
        except GitFailed as failed:
            if failed.status == 1:
                return False
            raise self._failed(failed) from None
        return True

    def signer(self, sha: str, trust: Trust, *checkouts: Path) -> str:
        """Whose signature was found good, empty where none is asked for; raises NotTrusted.

        No list of signers may lie in the repository, nor in the folders where its commits are checked out.
        """
        if trust.mode == "off":
            return ""
        local = () if _REMOTE.fullmatch(self.url) else (Path(self._address().removeprefix("file://")),)
        trust.outside(sha, self.folder, *checkouts, *local)
        try:
            return signer(Git(self.folder), _known(sha), trust)
        except GitFailed as failed:
            raise self._failed(failed) from None

    def checkout(self, sha: str, to: Path, within: str = "") -> None:
        """The commit's plain files below its folder `within` (empty: all) become the folder `to`, or SourceError.

        What was in `to` is replaced as a whole, and stays where the commit is refused. The commit is kept from then on.
        """
        try:
            write_out(Git(self.folder), _known(sha), to, within)
            Git(self.folder).run("update-ref", _GOOD, sha)
        except GitFailed as failed:
            raise self._failed(failed) from None

    def _asked(self, *words: str) -> str:
        try:
            return Git(self.folder).run(*words).decode(errors="replace")
        except GitFailed as failed:
            raise self._failed(failed) from None

    def _address(self) -> str:
        """What git is given; raises SourceError for what is neither a path nor a permitted URL."""
        if _REMOTE.fullmatch(self.url):
            if re.match(r"https://[^/]*@", self.url):
                shown = re.sub(r"//[^/]*@", "//...@", self.url)
                fix = "put the login into ~/.netrc, or use SSH with a key"
                raise SourceError(f"{shown}: a login in a URL is seen by everyone on this machine", fix)
            return self.url
        path = self.url.removeprefix("file://")
        if "://" in path or "::" in path or path.startswith("-") or not path.isprintable():
            fix = "write a path, or a URL with https://, ssh:// or file://"
            raise SourceError(f"not a repository that may be fetched from: {plain(self.url, 80)!r}", fix)
        return "file://" + os.path.abspath(os.path.expanduser(path))

    @contextmanager
    def _alone(self) -> Iterator[Git]:
        """The mirror for one fetch at a time; the lock lives as long as git does, even where this process does not."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.folder / "reconciler.lock", "a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SourceError(f"{self.folder}: another fetch is under way", "it is tried again") from None
            git = Git(self.folder, {"GIT_SSH_COMMAND": self._ssh()}, (lock.fileno(),))
            for left in (*self.folder.rglob("*.lock"), *self.folder.glob("objects/pack/tmp_*")):
                if left.name != "reconciler.lock":
                    left.unlink(missing_ok=True)
            try:
                git.run("init", "--bare", "--quiet", "--template=", ".")
            except GitFailed as failed:
                raise self._failed(failed) from None
            yield git

    def _ssh(self) -> str:
        words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=15"]
        if self.known_hosts_file:
            known = os.path.expanduser(self.known_hosts_file)
            words += ["-o", f'UserKnownHostsFile="{known}"', "-o", "GlobalKnownHostsFile=/dev/null"]
        if self.identity_file:
            words += ["-o", "IdentitiesOnly=yes", "-i", os.path.expanduser(self.identity_file)]
        return shlex.join(words)

    def _failed(self, failed: GitFailed) -> SourceError:
        if "couldn't find remote ref" in failed.text:
            fix = "was it emptied, or the branch renamed? what was applied last stays as it is"
            return SourceError(f"{self.url} has no branch {self.branch}", fix)
        if "dubious ownership" in failed.text:
            fix = "let the user who runs this own it, or fetch from it over SSH"
            return SourceError(f"{self.url} belongs to another user, and git does not read it", fix)
        if "could not read Username" in failed.text:
            fix = "put it into ~/.netrc of the user who runs this, or use SSH with a key"
            return SourceError(f"{self.url} asks for a login", fix)
        if "REMOTE HOST IDENTIFICATION HAS CHANGED" in failed.text:
            fix = "find out why before you correct the known_hosts file"
            return SourceError(f"{self.url} has another host key than the known one", fix)
        return SourceError(f"{self.url}: git says: {failed.text or f'exit {failed.status}'}", "it is tried again")


def _known(sha: str) -> str:
    if not _SHA.fullmatch(sha):
        raise SourceError(f"not the name of a commit: {plain(sha, 80)!r}")
    return sha
