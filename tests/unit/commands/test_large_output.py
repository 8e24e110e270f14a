"""What large plans do in a cheaper way gives the same as the long way."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from reconciler.adapters.spec_source import FolderSource
from reconciler.cli import frame
from reconciler.engine import diff
from reconciler.engine.yaml_read import load_plain
from reconciler.model.change import Comparison
from reconciler.model.ref import Place

PLACE = Place("vm", "lq-d25", "web")


def _console() -> Console:
    return Console(file=io.StringIO(), highlight=False, markup=False, soft_wrap=True, emoji=False)


@pytest.mark.parametrize("text", ["", "plain", "a\tb", "[bold]:smile: 12", "two\nlines\n", "漢 ☃  ", "x" * 300])
@pytest.mark.parametrize("style", ["", "bold red"])
def test_a_line_without_colour_is_what_rich_writes(text: str, style: str) -> None:
    ours, theirs = _console(), _console()
    frame._print(ours, text, style)
    theirs.print(text, style=style or None)
    assert ours.file.getvalue() == theirs.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"host": "a", "managed by": "f"}, {"host": "b", "managed by": "f"}),
        ({"power": "running", "memory": 1, "x.y": None}, {"power": None, "memory": 2, "x.y": "z"}),
        ({"autostart": True, "free": 1}, {"autostart": False, "free": "at least 1"}),
    ],
)
def test_words_and_numbers_differ_as_deepdiff_says(old: dict[str, object], new: dict[str, object]) -> None:
    one = Comparison(PLACE, old, new)
    assert sorted(diff._fields(one), key=str) == sorted(diff._explained(one), key=str)


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": 1, "a": NaN}', '{"a": 1e400, "b": -0.0}'])
def test_a_snapshot_is_read_as_json_reads_it(text: str) -> None:
    assert repr(load_plain(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ['{"a": 1,}', '{"a": 1} x', '{"a": 01}'])
def test_what_is_no_json_is_told_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a snapshot file: .* line 1 column \d+"):
        load_plain(text)


def test_files_come_in_order_of_their_folders_and_hidden_ones_do_not(tmp_path: Path) -> None:
    for name in ("b/a.yaml", "b-a.yml", ".git/x.yaml", "a/.h.yaml", "a/b/c.yaml", "a/b.txt", "a/..data/y.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x: 1\n")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    (tmp_path / "link.yaml").symlink_to("b-a.yml")
    found = [str(Path(file).relative_to(tmp_path)) for file, _ in FolderSource(str(tmp_path)).files()]
    assert found == ["a/b/c.yaml", "b/a.yaml", "b-a.yml", "link.yaml"]
