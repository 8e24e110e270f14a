"""What every SpecSource keeps to: files in order, attached files only from inside, the commit it is at.

A folder, one file, and a git checkout in a temporary folder.
"""

import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.spec_source import FolderSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    specs = tmp_path / "specs"
    for name in ("b.yaml", "a/z.yml", "a/a.yaml", ".git/hidden.yaml", "a/.cache/x.yaml", "notes.txt", "vms/web.xml"):
        (specs / name).parent.mkdir(parents=True, exist_ok=True)
        (specs / name).write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / "outside.xml").write_text("secret", encoding="utf-8")
    return specs


def _git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_files_in_order_without_hidden_ones(folder: Path) -> None:
    names = [str(Path(name).relative_to(folder)) for name, _ in FolderSource(str(folder)).files()]
    assert names == ["a/a.yaml", "a/z.yml", "b.yaml"]
    assert dict(FolderSource(str(folder)).files())[str(folder / "b.yaml")] == "# b.yaml\n"


def test_one_file(folder: Path) -> None:
    assert FolderSource(str(folder / "b.yaml")).files() == [(str(folder / "b.yaml"), "# b.yaml\n")]


def test_what_is_not_there(folder: Path) -> None:
    with pytest.raises(ValueError, match="no such file or folder"):
        FolderSource(str(folder / "nothere")).files()
    with pytest.raises(ValueError, match=r"no \*\.yaml file"):
        FolderSource(str(folder / "vms")).files()


def test_attached_files_are_read_from_inside_only(folder: Path) -> None:
    source, beside = FolderSource(str(folder)), str(folder / "a" / "a.yaml")
    assert source.read(beside, "../vms/web.xml") == "# vms/web.xml\n"
    (folder / "link.xml").symlink_to(folder.parent / "outside.xml")
    for named in ("../../outside.xml", str(folder / "vms" / "web.xml"), "../link.xml"):
        with pytest.raises(ValueError, match="inside the specs' folder"):
            source.read(beside, named)
    with pytest.raises(ValueError, match="no such file"):
        source.read(beside, "nothere.xml")


def test_a_large_attached_file_is_refused(folder: Path) -> None:
    (folder / "big.xml").write_text("x" * (2**20 + 1), encoding="utf-8")
    with pytest.raises(ValueError, match="larger than"):
        FolderSource(str(folder)).read(str(folder / "b.yaml"), "big.xml")


def test_outside_git_there_is_no_commit(folder: Path) -> None:
    (folder / ".git" / "hidden.yaml").unlink()
    (folder / ".git").rmdir()
    assert FolderSource(str(folder)).commit() == ("", False)


def test_the_commit_and_whether_anything_differs(tmp_path: Path) -> None:
    specs = tmp_path / "repo" / "specs"
    specs.mkdir(parents=True)
    (specs / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    _git(tmp_path / "repo", "init", "-q")
    assert FolderSource(str(specs)).commit() == ("", False)
    _git(tmp_path / "repo", "add", ".")
    _git(tmp_path / "repo", "commit", "-q", "-m", "one")
    head = _git(tmp_path / "repo", "rev-parse", "HEAD")
    assert FolderSource(str(specs)).commit() == (head, False)
    assert FolderSource(str(specs / "a.yaml")).commit() == (head, False)
    (tmp_path / "repo" / "elsewhere.txt").write_text("not a spec", encoding="utf-8")
    assert FolderSource(str(specs)).commit() == (head, False)
    (specs / "new.yaml").write_text("b: 1\n", encoding="utf-8")
    assert FolderSource(str(specs)).commit() == (head, True)
