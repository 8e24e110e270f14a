"""The documentation as values: pages, their lines, links and YAML blocks. Reads files and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LENGTHS = {"README.md": 120}
ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)
WRITTEN_BY_PROGRAMS = ("benchmarks.md", "benchmarks-planning.md", "nfs-last-run.md")


def pages() -> list[Path]:
    """Every prose page a person wrote."""
    ours = [path for path in sorted(DOCS.rglob("*.md")) if path.name not in WRITTEN_BY_PROGRAMS]
    return [*(ROOT / name for name in ROOT_PAGES), *ours]


def name(page: Path) -> str:
    """As people call it."""
    return str(page.relative_to(ROOT))


def yaml_blocks(page: Path) -> Iterator[str]:
    """Blocks that hold whole documents."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if "apiVersion:" in found[1]:
            yield found[1]


def links(page: Path) -> Iterator[str]:
    """Relative targets of links and pictures, without the code around them."""
    for target in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            yield target


def headings(page: Path) -> set[str]:
    """Anchors as code hosts make them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def case_outputs(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Console blocks that name the folder of tests/cases they are from, with the lines shown."""
    for found in re.finditer(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
        command, *lines = found[1].splitlines()
        case = re.search(r"# in tests/cases/(\w+)$", command)
        if case:
            yield case[1], lines
