"""A Repository fetched over real HTTPS and SSH on loopback: whom it believes, what it logs in with, what it refuses."""

from pathlib import Path

import pytest

from reconciler.adapters.repository import Repository
from reconciler.errors import SourceError
from tests.contract import remotes
from tests.origin import SPECS, Origin, ssh_key


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin")


def test_over_https_with_an_authority_of_ones_own_and_a_login(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = origin.commit(SPECS)
    pem = remotes.certificate(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with remotes.https(origin.folder, pem) as port:
        there = Repository(f"https://127.0.0.1:{port}/fleet.git", "main", tmp_path / "mirror")
        with pytest.raises(SourceError, match="certificate"):
            there.fetch()
        monkeypatch.setenv("GIT_SSL_CAINFO", str(pem))
        with pytest.raises(SourceError, match="asks for a login"):
            there.fetch()
        user, password = remotes.LOGIN
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {user} password {password}\n", encoding="ascii")
        assert there.fetch() == head
        newer = origin.commit({"specs/b.yaml": "b: 1\n"})
        assert there.fetch() == newer


def test_over_ssh_with_a_key_and_a_known_host(origin: Origin, tmp_path: Path) -> None:
    head = origin.commit(SPECS)
    allowed, host = ssh_key(tmp_path / "git_key"), ssh_key(tmp_path / "host_key")
    ssh_key(tmp_path / "other_key")
    known = tmp_path / "known hosts"
    with remotes.ssh(tmp_path / "host_key", allowed) as port:
        url = f"ssh://git@127.0.0.1:{port}{origin.bare}"
        known.write_text("", encoding="ascii")
        with pytest.raises(SourceError, match="Host key verification failed"):
            Repository(url, "main", tmp_path / "a", str(tmp_path / "git_key"), str(known)).fetch()
        known.write_text(f"[127.0.0.1]:{port} {host}\n", encoding="ascii")
        with pytest.raises(SourceError, match="Permission denied"):
            Repository(url, "main", tmp_path / "b", str(tmp_path / "other_key"), str(known)).fetch()
        assert Repository(url, "main", tmp_path / "c", str(tmp_path / "git_key"), str(known)).fetch() == head
        known.write_text(f"[127.0.0.1]:{port} {ssh_key(tmp_path / 'changed')}\n", encoding="ascii")
        with pytest.raises(SourceError, match="another host key than the known one"):
            Repository(url, "main", tmp_path / "d", str(tmp_path / "git_key"), str(known)).fetch()
