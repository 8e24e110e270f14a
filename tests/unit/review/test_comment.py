"""The comment of a pull request: never too long, always well-formed, whatever names hosts and specs have.

Judged after a real Markdown parser has made HTML of it, as the code host's would.
"""

import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from reconciler.cli.app import app
from reconciler.cli.as_markdown import LEAST, Whole, checked_link, comment, marker, of_errors
from reconciler.cli.markdown_words import code, words
from reconciler.model.disruption import Disruption
from reconciler.model.plan import Plan, Source
from reconciler.model.ref import Place
from tests.unit.review.plans import HOSTILE, WORDS, Said, plans
from tests.worlds import CASES, MOVE, world

_TAGS = {"p", "h2", "h3", "strong", "b", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
_TAGS |= {"details", "summary", "br"}
WHOLE = Whole("", "reconciler plan " + "`\u202e@" * 200)


class _Page(HTMLParser):
    """Tags, and the text outside code; raises when a tag ends that is not the open one."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.comments: list[str] = []
        self.plain = ""
        self.coded: list[str] = []
        self.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(name == "style" and value in ("text-align:right",) for name, value in attrs), (tag, attrs)
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)
        if tag == "code":
            self.coded.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if "code" in self.open:
            self.coded[-1] += data
        else:
            self.plain += data


def _sound(text: str, most: int) -> _Page:
    assert len(text.encode()) <= most
    assert text.endswith("\n")
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert not [line for line in text.splitlines() if line.startswith("/")], "GitLab would take it for a command"
    page = _Page(text)
    assert set(page.tags) <= _TAGS
    assert len(page.comments) == 1
    for mention in ("@", "#", "://", "www.", ":tada:", "~", "`", "$"):
        assert mention not in page.plain
    return page


@settings(max_examples=150, deadline=None)
@given(plans(), st.integers(LEAST, 60_000))
def test_any_plan_makes_a_sound_comment(plan: Plan, most: int) -> None:
    text = comment(plan, 3, WHOLE, most)
    page = _sound(text, most)
    assert page.tags.count("details") == page.tags.count("summary")
    refs = {action.place.ref for action in plan.actions}
    shown = page.tags.count("details")
    assert shown <= len(refs)
    left = len(refs) - shown
    assert (f"{left} of {len(refs)} object" in page.plain) == bool(left)
    assert ("does not show everything" in page.plain) >= bool(left)


@settings(max_examples=50, deadline=None)
@given(WORDS, st.lists(WORDS, min_size=1, max_size=300), st.integers(LEAST, 60_000))
def test_any_mistakes_make_a_sound_comment(fleet: str, lines: list[str], most: int) -> None:
    _sound(of_errors(fleet, lines, WHOLE, most), most)


@pytest.mark.parametrize("case", sorted(path.parent.name for path in CASES.glob("*/snapshot.json")))
def test_every_case_makes_a_sound_comment(case: str) -> None:
    made = world(case).plan(Source("specs"))
    page = _sound(comment(made, 2, WHOLE), 60_000)
    said = " ".join(page.coded)
    for action in made.actions:
        assert str(action.place.ref) in said
    assert all(str(refusal.place) in said for refusal in made.refusals)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_shown_as_they_are(text: str) -> None:
    page = _Page(f"| a |\n| - |\n| {code(text)} |\n\n- x {words(text)}\n")
    assert page.tags.count("td") == 1
    assert page.tags.count("li") == 1
    shown = page.coded[0]
    if text.isascii() and text.isprintable() and 0 < len(text) < 300:
        assert shown == " ".join(text.split())


def test_a_cut_comment_says_what_is_missing_and_where_the_whole_is() -> None:
    vm = [
        Said(place=Place("vm", f"h{n % 9}", f"vm{n}"), disruption=Disruption.NONE, said="x" * 200) for n in range(999)
    ]
    loud = Said(place=Place("vm", "h1", "last"), disruption=Disruption.RESTART, said="stop")
    text = comment(Plan("big", 0, actions=(*vm, loud)), 9, Whole("https://ci.example.com/1", "reconciler plan specs"))
    page = MarkdownIt("commonmark").render(text)
    assert len(text.encode()) <= 60_000
    assert text.index("does not show everything") < text.index("| what |"), "said before anything else"
    assert 'href="https://ci.example.com/1"' in page
    assert "reconciler plan specs" in page
    assert text.count("<details>") > 100
    assert text.index("vm/last") < text.index("vm/vm0"), "what disturbs most is never cut first"


def test_the_comment_is_found_by_its_first_line() -> None:
    made = world(MOVE).plan()
    one, two = (comment(plan, 2, WHOLE).splitlines()[0] for plan in (made, replace(made, actions=())))
    assert one == two == of_errors("vpd", ["x"], WHOLE).splitlines()[0] == "<!-- reconciler plan: vpd -->"
    assert "<details>" in comment(made, 2, Whole("https://x/" + "y" * 500, "`" * 900), LEAST)
    assert marker("a--> <b>") == "<!-- reconciler plan: a-%2d%3e%20%3cb%3e -->"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x/ y", "https://x)<b>", "x"])
def test_a_link_is_a_web_address(link: str) -> None:
    with pytest.raises(ValueError, match="is no web address"):
        checked_link(link)


def test_specs_with_mistakes_replace_the_old_comment() -> None:
    folder = CASES / MOVE
    options = ["-o", "markdown", "--snapshot", "/nowhere.json"]
    result = CliRunner().invoke(app, ["plan", str(folder), *options])
    assert result.exit_code == 1
    assert result.stdout.startswith("<!-- reconciler plan: vpd -->\n## There is no plan for fleet <code>vpd</code>")
    assert "/nowhere.json" in result.stdout
    assert result.stderr.startswith("error: ")
