"""What a Repository keeps to, over real bare repositories: fetched, rewound, emptied, hostile, cut off.

git itself on this machine; nothing but temporary folders.
"""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from reconciler.adapters import checkout, git
from reconciler.adapters.git import ask
from reconciler.adapters.repository import Repository
from reconciler.errors import SourceError
from tests.origin import SPECS, Origin


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin")


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Repository:
    return Repository(str(origin.bare), "main", tmp_path / "mirror")


def _files(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in found}


def test_the_newest_commit_and_what_git_says_of_it(origin: Origin, mirror: Repository) -> None:
    first = origin.commit(SPECS, "one")
    assert mirror.fetch() == first
    second = origin.commit({"specs/b.yaml": "b: 1\n"}, "two \x1b[31mred", GIT_COMMITTER_DATE="1700000000 +0200")
    assert mirror.fetch() == second
    commit = mirror.commit(second)
    assert (commit.sha, commit.author, commit.when) == (second, "Ann <ann@example.com>", 1700000000)
    assert commit.subject == "two  [31mred"


def test_a_relative_path_a_file_url_and_a_tilde(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = origin.commit(SPECS)
    monkeypatch.chdir(origin.folder)
    monkeypatch.setenv("HOME", str(origin.folder))
    for number, url in enumerate(("fleet.git", f"file://{origin.bare}", "~/fleet.git")):
        assert Repository(url, "main", tmp_path / str(number)).fetch() == head


@pytest.mark.parametrize(
    "url",
    ["http://a/b", "git://a/b", "ext::sh -c 'touch pwned'", "--upload-pack=touch pwned", "-oProxyCommand=x:y", "a\nb"],
)
def test_what_is_not_fetched_from(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=r"not a repository that may be fetched from|git says"):
        Repository(url, "main", tmp_path / "mirror").fetch()
    assert not list(tmp_path.rglob("pwned"))


def test_a_login_in_a_URL_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        Repository("https://ann:secret@git.example.com/fleet", "main", tmp_path).fetch()
    assert "secret" not in str(error.value)
    assert "~/.netrc" in error.value.fix


@pytest.mark.parametrize("branch", ["--all", "a..b", "a b", "refs/../x", "x.lock", "", "*", "a:b"])
def test_names_of_no_branch(origin: Origin, branch: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not the name of a branch"):
        Repository(str(origin.bare), branch, tmp_path / "mirror").fetch()


def test_descent(origin: Origin, mirror: Repository) -> None:
    first = origin.commit(SPECS, "one")
    second = origin.commit({"a": "1"}, "two")
    mirror.fetch()
    assert mirror.descends(second, first)
    assert mirror.descends(second, second)
    assert mirror.descends(first, "")
    assert not mirror.descends(first, second)
    assert not mirror.descends(second, "0" * 40)


def test_a_forced_push_is_seen_and_the_good_commit_stays(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    first = origin.commit(SPECS, "one")
    good = origin.commit({"specs/a.yaml": "good"}, "two")
    mirror.fetch()
    mirror.checkout(good, tmp_path / "tree")
    origin.git("reset", "-q", "--hard", first)
    forced = origin.commit({"specs/a.yaml": "other history"}, "three")
    assert mirror.fetch() == forced
    assert not mirror.descends(forced, good)
    origin.git("reset", "-q", "--hard", first)
    assert origin.push() == mirror.fetch() == first
    assert not mirror.descends(first, good)
    subprocess.run(["git", "-C", str(mirror.folder), "gc", "-q", "--prune=now"], check=True)
    mirror.checkout(good, tmp_path / "tree")
    assert _files(tmp_path / "tree")["specs/a.yaml"] == "good"


def test_replaced_and_grafted_history_is_not_believed(origin: Origin, mirror: Repository) -> None:
    first = origin.commit(SPECS, "one")
    origin.git("checkout", "-q", "--orphan", "other")
    other = origin.commit({"specs/a.yaml": "x"}, "unrelated")
    mirror.fetch()
    subprocess.run(["git", "-C", str(mirror.folder), "fetch", "-q", str(origin.work), "main:main"], check=True)
    subprocess.run(["git", "-C", str(mirror.folder), "replace", "--graft", other, first], check=True)
    assert not mirror.descends(other, first)


def test_an_emptied_repository_and_a_branch_that_is_gone(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no branch main"):
        mirror.fetch()
    good = origin.commit(SPECS)
    mirror.fetch()
    mirror.checkout(good, tmp_path / "tree")
    empty = origin.commit(dict.fromkeys(SPECS), "all gone")
    mirror.fetch()
    with pytest.raises(SourceError, match="it has no file"):
        mirror.checkout(empty, tmp_path / "tree")
    moved = origin.commit({"elsewhere/a.yaml": "a"}, "moved")
    mirror.fetch()
    with pytest.raises(SourceError, match="it has no file below specs"):
        mirror.checkout(moved, tmp_path / "tree", "specs")
    assert _files(tmp_path / "tree") == SPECS
    subprocess.run(["git", "-C", str(origin.bare), "update-ref", "-d", "refs/heads/main"], check=True)
    with pytest.raises(SourceError, match="has no branch main"):
        mirror.fetch()


def test_a_checkout_is_the_commits_files_and_no_other(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    one = origin.commit({"specs/a.yaml": "1", "specs/vms/b.xml": "2", "--help": "3", "a b/ü.txt": "4"})
    mirror.fetch()
    mirror.checkout(one, tmp_path / "tree")
    assert _files(tmp_path / "tree") == {"specs/a.yaml": "1", "specs/vms/b.xml": "2", "--help": "3", "a b/ü.txt": "4"}
    two = origin.commit({"specs/a.yaml": "changed", "specs/vms/b.xml": None})
    mirror.fetch()
    mirror.checkout(two, tmp_path / "tree", "specs")
    assert _files(tmp_path / "tree") == {"specs/a.yaml": "changed"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert oct((tmp_path / "tree").stat().st_mode & 0o777) == "0o700"


def test_filters_and_attributes_have_no_say(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    rules = "*.yaml text eol=crlf ident filter=evil\n*.xml filter=lfs export-ignore export-subst\n"
    text = "a: $Id$ $Format:%H$\n"
    head = origin.commit({".gitattributes": rules, "a.yaml": text, "b.xml": pointer})
    mirror.fetch()
    config = (mirror.folder / "config").read_text(encoding="utf-8")
    (mirror.folder / "config").write_text(f'{config}[filter "evil"]\nsmudge = touch {tmp_path}/pwned\n')
    mirror.checkout(head, tmp_path / "tree")
    assert _files(tmp_path / "tree") == {".gitattributes": rules, "a.yaml": text, "b.xml": pointer}
    assert not (tmp_path / "pwned").exists()


def test_hooks_of_the_mirror_are_not_run(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    origin.commit(SPECS)
    mirror.fetch()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "post-update"):
        hook = mirror.folder / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n", encoding="utf-8")
        hook.chmod(0o755)
    origin.commit({"a": "b"})
    mirror.checkout(mirror.fetch(), tmp_path / "tree")
    assert not (tmp_path / "pwned").exists()


def test_links_and_submodules_are_refused_where_they_count(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    origin.commit(SPECS)
    (origin.work / "specs" / "link.yaml").symlink_to("/etc/passwd")
    linked = origin.commit({})
    mirror.fetch()
    with pytest.raises(SourceError, match=r"specs/link.yaml is a symbolic link \(only plain files are taken\)"):
        mirror.checkout(linked, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    (origin.work / "specs" / "link.yaml").rename(origin.work / "link.yaml")
    origin.commit({})
    mirror.checkout(mirror.fetch(), tmp_path / "tree", "specs")
    assert _files(tmp_path / "tree") == SPECS
    origin.git("update-index", "--add", "--cacheinfo", f"160000,{linked},specs/sub")
    origin.git("commit", "-q", "-m", "a submodule")
    origin.push()
    head = mirror.fetch()
    with pytest.raises(SourceError, match="specs/sub is a submodule"):
        mirror.checkout(head, tmp_path / "tree", "specs")


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([b".."], "no name for a file"),
        ([b".git"], "no name for a file"),
        ([b".GIT"], "no name for a file"),
        ([b"a/../../b"], "no name for a file"),
        ([b"/etc/cron.d/x"], "no name for a file|git says"),
        ([b"a\x1b[2J.yaml"], "no name for a file"),
        ([b"a\xff.yaml"], "no name for a file"),
        ([b"a", b"a"], "cannot be written"),
        ([b"a", b"a/b"], "cannot be written"),
        ([b"x" * 300], "cannot be written"),
    ],
)
def test_trees_that_no_git_would_make(
    origin: Origin, mirror: Repository, names: list[bytes], why: str, tmp_path: Path
) -> None:
    good = origin.commit(SPECS)
    mirror.fetch()
    mirror.checkout(good, tmp_path / "tree")
    blob = origin.blob(b"bad")
    hostile = origin.tree(b"".join(b"100644 " + name + b"\0" + blob for name in names))
    mirror.fetch()
    with pytest.raises(SourceError, match=why):
        mirror.checkout(hostile, tmp_path / "tree")
    assert _files(tmp_path / "tree") == SPECS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mirror", "origin", "tree"]


def test_too_large_and_too_many(
    origin: Origin, mirror: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = origin.commit({"disk.yaml": "x" * (checkout.MAX_FILE + 1)})
    mirror.fetch()
    with pytest.raises(SourceError, match=r"disk.yaml is larger than 8 MiB"):
        mirror.checkout(huge, tmp_path / "tree")
    monkeypatch.setattr(checkout, "MAX_FILES", 2)
    many = origin.commit({"disk.yaml": None, "a": "1", "b": "2", "c": "3"})
    mirror.fetch()
    with pytest.raises(SourceError, match=r"it has 3 files of 0 MiB, more than 2 or 64 MiB"):
        mirror.checkout(many, tmp_path / "tree")


def test_what_would_fill_the_disk_is_cut_off(
    origin: Origin, mirror: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.commit({"disk": os.urandom(2**20).hex()})
    monkeypatch.setattr(git, "MAX_WRITTEN", 2**19)
    with pytest.raises(SourceError, match="git says"):
        mirror.fetch()
    monkeypatch.undo()
    origin.commit({"disk": None, "a": "1"})
    mirror.fetch()
    assert not list(mirror.folder.glob("objects/pack/tmp_*"))


def test_a_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.adapters import repository

    monkeypatch.setattr(repository, "_DEADLINE", 0.5)
    stuck = tmp_path / "bin" / "ssh"
    stuck.parent.mkdir()
    stuck.write_text("#!/bin/sh\nexec sleep 30\n", encoding="utf-8")
    stuck.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stuck.parent}:{os.environ['PATH']}")
    began = time.monotonic()
    with pytest.raises(SourceError, match="no end within"):
        Repository("git@nowhere.example.com:fleet.git", "main", tmp_path / "mirror").fetch()
    assert time.monotonic() - began < 10


def test_how_ssh_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "bin" / "ssh"
    told.parent.mkdir()
    told.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\nexit 255\n', encoding="utf-8")
    told.chmod(0o755)
    monkeypatch.setenv("PATH", f"{told.parent}:{os.environ['PATH']}")
    with pytest.raises(SourceError):
        Repository("git@h.example.com:f.git", "main", tmp_path / "m", "/k/id", "/k/known hosts").fetch()
    words = (tmp_path / "words").read_text(encoding="utf-8").splitlines()
    assert words[-2:] == ["git@h.example.com", "git-upload-pack 'f.git'"]
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "/k/id"} <= set(words)
    assert 'UserKnownHostsFile="/k/known hosts"' in words


def test_a_killed_fetch_is_no_obstacle(origin: Origin, mirror: Repository) -> None:
    head = origin.commit(SPECS)
    mirror.fetch()
    for name in ("refs/heads/followed.lock", "packed-refs.lock", "HEAD.lock", "config.lock"):
        (mirror.folder / name).write_text("", encoding="ascii")
    newer = origin.commit({"a": "1"})
    assert mirror.fetch() == newer != head


def test_one_fetch_at_a_time(origin: Origin, mirror: Repository) -> None:
    head, given, refused = origin.commit(SPECS), [], []

    def fetch() -> None:
        try:
            given.append(mirror.fetch())
        except SourceError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(given) == {head}
    assert all("another fetch is under way" in text for text in refused)


def test_a_mirror_inside_another_repository_asks_only_itself(origin: Origin, tmp_path: Path) -> None:
    head = origin.commit(SPECS)
    nested = Repository(str(origin.bare), "main", origin.work / "state" / "mirror")
    with pytest.raises(SourceError):
        nested.commit(head)
    assert nested.fetch() == head


def test_a_damaged_mirror_says_so(origin: Origin, mirror: Repository, tmp_path: Path) -> None:
    head = origin.commit(SPECS)
    mirror.fetch()
    for path in mirror.folder.glob("objects/*/*"):
        path.chmod(0o600)
        path.write_bytes(b"")
    with pytest.raises(SourceError):
        mirror.checkout(head, tmp_path / "tree")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user(origin: Origin, mirror: Repository) -> None:
    origin.commit(SPECS)
    os.chown(origin.bare, 65534, 65534)
    with pytest.raises(SourceError, match="belongs to another user, and git does not read it"):
        mirror.fetch()


def test_names_of_no_commit(mirror: Repository) -> None:
    for sha in ("--all", "HEAD", "main", "abc", "a" * 41):
        with pytest.raises(SourceError, match="not the name of a commit"):
            mirror.commit(sha)


def test_asking_about_a_users_own_folder_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask(str(tmp_path), "rev-parse", "HEAD") == ""
