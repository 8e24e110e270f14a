"""What specs read as is remembered: the same documents, lines and mistakes as from the text, and never a failure."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.adapters.spec_cache import LEAST, MOST_KEPT, SpecCache
from reconciler.engine import load as loading
from reconciler.engine import yaml_read
from reconciler.engine.load import Loaded, load
from reconciler.wiring import KINDS

HEAD = "apiVersion: reconciler/v1alpha1\nkind: "
HOST = HEAD + "Host\nmetadata: {name: %s, labels: {rack: '1'}}\nspec: {fqdn: %s.test, reserve: {memory: 1GiB}}\n"
ODD = HEAD + "VirtualMachine\nmetadata: {name: odd}\n---\n# comment & more\n" + HOST % ("tail", "tail")


@dataclass
class Files:
    """A SpecSource of texts by name."""

    texts: dict[str, str]

    def files(self) -> list[tuple[str, str]]:
        return sorted(self.texts.items())

    def read(self, beside: str, relative: str) -> str:
        raise ValueError(relative)

    def commit(self) -> tuple[str, bool]:
        return "", False


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files that were parsed."""
    seen: list[str] = []

    def counted(file: str, text: str) -> object:
        seen.append(file)
        return yaml_read.parse(file, text)

    monkeypatch.setattr(loading, "parse", counted)
    return seen


def _files(count: int = LEAST) -> Files:
    return Files({f"h{n:03}.yaml": HOST % (f"h{n}", f"h{n}") for n in range(count)})


def _load(source: Files, folder: Path, path: str = "specs", reader: str = yaml_read.__file__) -> Loaded:
    cache = SpecCache(path, reader, folder)
    try:
        return load(source, KINDS, cache)
    finally:
        cache.save()


def _kept(folder: Path) -> Path:
    (file,) = folder.glob("*.json")
    return file


def test_what_did_not_change_is_not_parsed_again(tmp_path: Path, parsed: list[str]) -> None:
    source, folder = _files(), tmp_path / "cache"
    first = _load(source, folder)
    assert len(parsed) == LEAST
    again = _load(source, folder)
    assert len(parsed) == LEAST
    assert again == first == load(source, KINDS)
    source.texts["h007.yaml"] = "\n" + source.texts["h007.yaml"]
    parsed.clear()
    changed = _load(source, folder)
    assert parsed == ["h007.yaml"]
    assert [document.line for document in changed.documents][6:9] == [1, 2, 1]
    assert (folder.stat().st_mode & 0o777, _kept(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_mistakes_are_told_anew_with_their_file_and_line(tmp_path: Path, parsed: list[str]) -> None:
    """Those of YAML from the text, those of a document that reads well from what is remembered; and renamed files."""
    source, folder = _files(), tmp_path
    source.texts |= {
        "odd.yaml": ODD,
        "twice.yaml": "a: 1\na: 2\n",
        "wrong.yaml": HEAD + "Host\nmetadata: {}\nspec: 3\n",
    }
    first = _load(source, folder)
    assert {problem.file for problem in first.problems} == {"odd.yaml", "twice.yaml", "wrong.yaml"}
    parsed.clear()
    assert _load(source, folder) == first
    assert parsed == ["twice.yaml"]
    source.texts["new/name.yaml"] = source.texts.pop("wrong.yaml")
    moved = _load(source, folder)
    assert {problem.file for problem in moved.problems} == {"odd.yaml", "twice.yaml", "new/name.yaml"}
    assert moved == load(source, KINDS)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"\xff\xfe\n{}"),
        lambda file: file.write_bytes(file.read_bytes()[:-7]),
        lambda file: file.write_bytes(file.read_bytes().replace(b'"1GiB"', b'"9GiB"')),
        lambda file: file.write_bytes(file.read_bytes().replace(b"reconciler-specs 0", b"reconciler-specs 9", 1)),
        lambda file: os.chmod(file, 0o666),  # noqa: S103
        lambda file: os.chmod(file.parent, 0o777),  # noqa: S103
        lambda file: (file.rename(file.with_name("else")), file.symlink_to(file.with_name("else"))),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["empty", "no text", "cut", "changed", "another version", "of all", "folder of all", "a link", "a folder"],
)
def test_what_is_not_as_it_was_written_is_not_used(spoil: object, tmp_path: Path, parsed: list[str]) -> None:
    source, folder = _files(), tmp_path / "cache"
    first = _load(source, folder)
    spoil(_kept(folder))  # type: ignore[operator]
    parsed.clear()
    assert _load(source, folder) == first
    assert len(parsed) == LEAST


def test_another_reader_reads_anew(tmp_path: Path, parsed: list[str]) -> None:
    source, reader = _files(), tmp_path / "reader.py"
    reader.write_text("1")
    _load(source, tmp_path / "cache", reader=str(reader))
    reader.write_text("2")
    parsed.clear()
    _load(source, tmp_path / "cache", reader=str(reader))
    assert len(parsed) == LEAST


def test_a_folder_that_cannot_be_written_to_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert _load(_files(), tmp_path / "file" / "cache") == load(_files(), KINDS)


def test_few_files_leave_nothing_behind(tmp_path: Path) -> None:
    _load(_files(LEAST - 1), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_grow(tmp_path: Path) -> None:
    """What is gone from the specs goes from what is kept, once it is the half; old folders of specs go as a whole."""
    _load(_files(3 * LEAST), tmp_path)
    _load(_files(), tmp_path)
    assert len(json.loads(_kept(tmp_path).read_bytes().partition(b"\n")[2])) == LEAST
    for number in range(MOST_KEPT + 3):
        _load(_files(), tmp_path, f"specs{number}")
    assert len(list(tmp_path.iterdir())) == MOST_KEPT
