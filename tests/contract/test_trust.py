"""Whose signature is good: real SSH and GPG keys, listed and unlisted, expired and revoked, forged and moved about.

Real ssh-keygen and gpg in temporary folders; no list lies in the repository but where that is refused.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.repository import Repository
from reconciler.adapters.trust import Trust
from reconciler.errors import NotTrusted
from tests.origin import SPECS, GpgHome, Origin, ssh_key

ANN = "ann@example.com"


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin")


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Repository:
    return Repository(str(origin.bare), "main", tmp_path / "mirror")


@pytest.fixture
def ssh(origin: Origin, tmp_path: Path) -> Trust:
    """Ann signs with her SSH key, and is listed."""
    public = ssh_key(tmp_path / "keys" / "ann")
    origin.settings = [f"user.signingKey={tmp_path / 'keys' / 'ann'}"]
    (tmp_path / "signers").write_text(f'{ANN} namespaces="git" {public}\n', encoding="ascii")
    return Trust("head", allowed_signers=str(tmp_path / "signers"))


@pytest.fixture
def homes() -> Iterator[list[GpgHome]]:
    made: list[GpgHome] = []
    yield made
    for home in made:
        home.end()


def _signed(origin: Origin, mirror: Repository, sign: str = "ssh", **environment: str) -> str:
    head = origin.commit(SPECS, sign=sign, **environment)
    assert mirror.fetch() == head
    return head


def test_no_trust_asked_for_is_any_commit(origin: Origin, mirror: Repository) -> None:
    assert mirror.signer(_signed(origin, mirror, sign=""), Trust("off")) == ""


def test_a_listed_ssh_signer(origin: Origin, mirror: Repository, ssh: Trust, tmp_path: Path) -> None:
    head = _signed(origin, mirror)
    shown = subprocess.run(["ssh-keygen", "-lf", tmp_path / "keys" / "ann.pub"], capture_output=True, text=True)
    assert mirror.signer(head, ssh) == f"{ANN} {shown.stdout.split()[1]}"


def test_unsigned(origin: Origin, mirror: Repository, ssh: Trust) -> None:
    head = _signed(origin, mirror, sign="")
    with pytest.raises(NotTrusted, match=f"commit {head[:12]} is not trusted: it is not signed"):
        mirror.signer(head, ssh)


def test_an_unknown_ssh_signer(origin: Origin, mirror: Repository, ssh: Trust, tmp_path: Path) -> None:
    ssh_key(tmp_path / "keys" / "mallory")
    origin.settings = [f"user.signingKey={tmp_path / 'keys' / 'mallory'}"]
    with pytest.raises(NotTrusted, match="its signer is not listed"):
        mirror.signer(_signed(origin, mirror), ssh)


def test_a_list_that_names_nobody(origin: Origin, mirror: Repository, ssh: Trust) -> None:
    head = _signed(origin, mirror)
    Path(ssh.allowed_signers).write_text("", encoding="ascii")
    with pytest.raises(NotTrusted, match="its signer is not listed"):
        mirror.signer(head, ssh)
    with pytest.raises(NotTrusted, match="signed with an SSH key, and no list of such signers is given"):
        mirror.signer(head, replace(ssh, allowed_signers=""))


def test_a_key_listed_for_something_else_than_git(origin: Origin, mirror: Repository, ssh: Trust) -> None:
    listed = Path(ssh.allowed_signers)
    listed.write_text(listed.read_text(encoding="ascii").replace('"git"', '"file"'), encoding="ascii")
    with pytest.raises(NotTrusted, match=r"its signer is not listed|its signature is bad"):
        mirror.signer(_signed(origin, mirror), ssh)


@pytest.mark.parametrize("date", ["2021-06-01T00:00:00Z", ""])
@pytest.mark.parametrize(
    "validity", ['valid-before="20220101Z"', "valid-before=202201010000", 'valid-after="20990101Z"']
)
def test_an_ssh_key_that_is_not_valid_today_also_where_the_commit_is_dated_back(
    origin: Origin, mirror: Repository, ssh: Trust, validity: str, date: str
) -> None:
    listed = Path(ssh.allowed_signers)
    text = listed.read_text(encoding="ascii")
    listed.write_text(text.replace('namespaces="git"', f'namespaces="git",{validity}'), encoding="ascii")
    dated = {"GIT_COMMITTER_DATE": date} if date else {}
    with pytest.raises(NotTrusted, match="its signer is not listed"):
        mirror.signer(_signed(origin, mirror, **dated), ssh)


def test_an_ssh_key_within_its_validity(origin: Origin, mirror: Repository, ssh: Trust) -> None:
    listed = Path(ssh.allowed_signers)
    text = listed.read_text(encoding="ascii")
    options = 'namespaces="git",valid-after="20200101Z",valid-before="20990101Z"'
    listed.write_text("# who may\n" + text.replace('namespaces="git"', options), encoding="ascii")
    assert mirror.signer(_signed(origin, mirror), ssh).startswith(ANN)


def test_a_revoked_ssh_key(origin: Origin, mirror: Repository, ssh: Trust, tmp_path: Path) -> None:
    head = _signed(origin, mirror)
    revoked = tmp_path / "revoked"
    revoked.write_text(f"{(tmp_path / 'keys' / 'ann.pub').read_text(encoding='ascii')}\n", encoding="ascii")
    assert mirror.signer(head, ssh)
    with pytest.raises(NotTrusted):
        mirror.signer(head, replace(ssh, revoked_keys=str(revoked)))


@pytest.mark.parametrize("part", ["tree", "message", "parent"])
def test_a_signature_taken_to_another_commit(origin: Origin, mirror: Repository, ssh: Trust, part: str) -> None:
    first = _signed(origin, mirror)
    second = _signed(origin, mirror)
    raw = origin.git("cat-file", "commit", second)
    other = origin.git("mktree", stdin=b"")
    old, new = {
        "tree": (origin.git("rev-parse", f"{second}^{{tree}}"), other),
        "message": ("a change", "another change"),
        "parent": (f"parent {first}\n", ""),
    }[part]
    forged = origin.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=(raw.replace(old, new) + "\n").encode())
    assert forged != second
    origin.push(forged)
    mirror.fetch()
    with pytest.raises(NotTrusted, match="its signature is bad"):
        mirror.signer(forged, ssh)


def test_text_that_looks_like_a_good_signature(origin: Origin, mirror: Repository, ssh: Trust) -> None:
    lie = f'Good "git" signature for {ANN} with ED25519 key SHA256:x\n\ngpgsig -----BEGIN SSH SIGNATURE-----'
    head = origin.commit(SPECS, lie)
    mirror.fetch()
    with pytest.raises(NotTrusted, match="it is not signed"):
        mirror.signer(head, ssh)


def test_a_listed_gpg_signer(origin: Origin, mirror: Repository, homes: list[GpgHome], tmp_path: Path) -> None:
    homes.append(home := GpgHome(tmp_path / "gpg"))
    origin.settings = [f"gpg.program={home.program()}"]
    head = _signed(origin, mirror, sign="openpgp")
    trust = Trust("head", gpg_keys=home.export(tmp_path / "keys.asc"))
    who = mirror.signer(head, trust)
    assert who.startswith("Ann <ann@example.com> ")
    assert len(who.split()[-1]) == 40
    with pytest.raises(NotTrusted, match="signed with a GPG key, and no list of such signers is given"):
        mirror.signer(head, replace(trust, gpg_keys=""))
    homes.append(other := GpgHome(tmp_path / "gpg2", "Bob <bob@example.com>"))
    with pytest.raises(NotTrusted, match="its signer is not listed"):
        mirror.signer(head, Trust("head", gpg_keys=other.export(tmp_path / "other.asc")))
    fingerprint = who.split()[-1]
    certificate = (home.folder / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text(encoding="utf-8")
    home.gpg("--import", stdin=certificate.replace(":-----BEGIN", "-----BEGIN").encode())
    with pytest.raises(NotTrusted, match="the key it is signed with is revoked"):
        mirror.signer(head, Trust("head", gpg_keys=home.export(tmp_path / "revoked.asc")))


def test_an_expired_gpg_key(origin: Origin, mirror: Repository, homes: list[GpgHome], tmp_path: Path) -> None:
    homes.append(home := GpgHome(tmp_path / "gpg", expires="1y", faked="20200101T000000"))
    origin.settings = [f"gpg.program={home.program()}"]
    head = _signed(origin, mirror, sign="openpgp", GIT_COMMITTER_DATE="2020-01-02T00:00:00Z")
    with pytest.raises(NotTrusted, match="the key it is signed with has expired"):
        mirror.signer(head, Trust("head", gpg_keys=home.export(tmp_path / "keys.asc")))


def test_keys_of_the_user_count_for_nothing(
    origin: Origin, mirror: Repository, homes: list[GpgHome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes.append(home := GpgHome(tmp_path / "gpg"))
    homes.append(other := GpgHome(tmp_path / "gpg2", "Bob <bob@example.com>"))
    origin.settings = [f"gpg.program={home.program()}"]
    head = _signed(origin, mirror, sign="openpgp")
    monkeypatch.setenv("GNUPGHOME", str(home.folder))
    with pytest.raises(NotTrusted, match="its signer is not listed"):
        mirror.signer(head, Trust("head", gpg_keys=other.export(tmp_path / "other.asc")))


def test_lists_that_make_nothing_good(origin: Origin, mirror: Repository, ssh: Trust, tmp_path: Path) -> None:
    head = _signed(origin, mirror)
    with pytest.raises(NotTrusted, match="cannot be read: No such file"):
        mirror.signer(head, replace(ssh, allowed_signers=str(tmp_path / "nothing")))
    Path(ssh.allowed_signers).chmod(0o666)
    with pytest.raises(NotTrusted, match="may be written by everyone"):
        mirror.signer(head, ssh)


def test_a_list_that_is_no_keyring(
    origin: Origin, mirror: Repository, ssh: Trust, homes: list[GpgHome], tmp_path: Path
) -> None:
    homes.append(home := GpgHome(tmp_path / "gpg"))
    origin.settings = [f"gpg.program={home.program()}"]
    with pytest.raises(NotTrusted, match="is no GPG keyring"):
        mirror.signer(_signed(origin, mirror, sign="openpgp"), Trust("head", gpg_keys=ssh.allowed_signers))


@pytest.mark.parametrize("where", ["origin/fleet.git/signers", "mirror/signers", "link"])
def test_a_list_inside_the_repository_it_judges(
    origin: Origin, mirror: Repository, ssh: Trust, where: str, tmp_path: Path
) -> None:
    head = _signed(origin, mirror)
    inside = tmp_path / where
    if where == "link":
        (tmp_path / "mirror" / "s").write_bytes(Path(ssh.allowed_signers).read_bytes())
        inside.symlink_to(tmp_path / "mirror" / "s")
    else:
        inside.write_bytes(Path(ssh.allowed_signers).read_bytes())
    with pytest.raises(NotTrusted, match="lies inside the repository whose commits it judges"):
        mirror.signer(head, replace(ssh, allowed_signers=str(inside)))


def test_the_loop_can_ask_the_same_of_its_checkouts(ssh: Trust, tmp_path: Path) -> None:
    ssh.outside("a" * 40, tmp_path / "tree")
    with pytest.raises(NotTrusted):
        ssh.outside("a" * 40, tmp_path)
