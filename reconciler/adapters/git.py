"""The one door to the git program: fixed arguments, an environment of its own, a deadline and a size limit.

Decides nothing about commits; nobody is ever prompted, and nothing of a repository is run.
"""

import os
import re
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MAX_WRITTEN = 512 * 2**20
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH")
_PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
_ALONE = {
    "LC_ALL": "C",
    "GIT_DIR": ".",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_SSH_VARIANT": "ssh",
}
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "gc.autoDetach=false",
    "log.mailmap=false",
    "log.showSignature=false",
    "maintenance.auto=false",
)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


class GitFailed(Exception):
    """What git said, for people; `status` is its exit code, negative for a signal, None where it never ended."""

    def __init__(self, text: str, status: int | None) -> None:
        super().__init__(text)
        self.text, self.status = text, status


@dataclass(frozen=True, slots=True)
class Git:
    """A bare repository. `environment` is added to one of our own; `keep` are open files that git holds as it runs."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[int, ...] = ()

    def run(
        self, *words: str, settings: Sequence[str] = (), stdin: bytes = b"", deadline: float = 60.0, quiet: bool = False
    ) -> bytes:
        """Standard output; raises GitFailed. `quiet`: an exit code of 1 is an answer too, and raises likewise."""
        options = [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
        command = ["git", "--no-pager", "-C", str(self.folder), *options, *words]
        out, err, status = _finish(command, {**_environment(), **self.environment}, self.keep, stdin, deadline)
        if status != 0:
            raise GitFailed("" if quiet and status == 1 else plain(err.decode(errors="replace")[-2000:]), status)
        return out


def ask(folder: str, *words: str) -> str:
    """One question about a checkout of the user's own, with the user's own settings; empty where there is no answer."""
    kept = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        out, _, status = _finish(["git", "-C", folder, *words], kept, (), b"", 20.0)
    except GitFailed:
        return ""
    return out.decode(errors="replace").strip() if status == 0 else ""


def plain(text: str, limit: int = 300) -> str:
    """One line without anything a terminal would act on, for texts that others wrote."""
    text = _UNSEEN.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _environment() -> dict[str, str]:
    return {**{name: os.environ[name] for name in (*_KEPT, *_PROXIES) if name in os.environ}, **_ALONE}


def _finish(
    command: Sequence[str], environment: Mapping[str, str], keep: Sequence[int], stdin: bytes, deadline: float
) -> tuple[bytes, bytes, int]:
    """Output, complaint, exit code; at the deadline the program and all it began are ended."""
    pipe = subprocess.PIPE
    try:
        program = subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, pass_fds=keep
        )
    except OSError as error:
        raise GitFailed(f"git cannot be run: {error.strerror}", None) from None
    with program:
        with suppress(ProcessLookupError):
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (MAX_WRITTEN, MAX_WRITTEN))
        try:
            out, err = program.communicate(stdin, timeout=deadline)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise GitFailed(f"no end within {deadline:.0f} s", None) from None
    return out, err, program.returncode
