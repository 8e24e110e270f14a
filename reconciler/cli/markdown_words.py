"""Text from hosts and specs made safe inside Markdown: no markup, mention, link or control character survives in it.

The same words hold in a paragraph, a table's cell and a `<summary>`, for GitHub and GitLab. It lays nothing out.
"""

import re
import unicodedata

LONGEST = 300
_SPECIAL = re.compile(r"""[&<>"'`*_~\[\]{}|\\!#@:$^=]|www\.""")
_CORE = re.compile(r"[^\W_]+(?:[-/.,%'][^\W_]+)*")
_LINKED = re.compile(r"(?i)www\.|gh-\d|[0-9a-f]{7,40}\b")
_BETWEEN = {"->": "-&gt;", "%": "%", "+": "+", "-": "-", "/": "/", "=": "&#61;", "?": "?"}


def tidy(text: str, most: int = LONGEST) -> str:
    """One line; control, invisible and direction characters are shown as `\\u{202e}`. Cut to `most`, and saying so."""
    line = " ".join(text.split())
    shown = "".join(_visible(char) for char in line[: most + 1])
    return shown if len(shown) <= most else shown[:most] + " ... (cut)"


def _visible(char: str) -> str:
    return f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else char


def code(text: str, most: int = LONGEST) -> str:
    """As it is, in code's letters: nobody is mentioned in there, nothing is linked."""
    return f"<code>{_SPECIAL.sub(_entity, tidy(text, most)) or '(empty)'}</code>"


def _entity(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(char)};" for char in found[0]) if found[0] != "www." else "www&#46;"


def words(text: str, most: int = LONGEST) -> str:
    """A sentence: plain words as they are, whatever could mean something to Markdown in code's letters."""
    pieces = tidy(text, most).split("`")
    if len(pieces) % 2 == 0:
        pieces = ["`".join(pieces)]
    said = [code(piece) if number % 2 else _sentence(piece, number == 0) for number, piece in enumerate(pieces)]
    return "".join(said)


def _sentence(text: str, first: bool) -> str:
    return " ".join(_word(token, first and number == 0) for number, token in enumerate(text.split(" ")))


def _word(token: str, first: bool) -> str:
    if not token or (token in _BETWEEN and not first):
        return _BETWEEN.get(token, "")
    before, core, behind = _parts(token)
    plain = _CORE.fullmatch(core) and not _LINKED.search(token) and (not first or token[0].isalpha())
    return f"{_outside(before)}{core if plain else code(core)}{_outside(behind)}"


def _parts(token: str) -> tuple[str, str, str]:
    """What opens, the word itself, and what closes; all of it is the word where nothing would be left."""
    core = token.lstrip("([")
    before = token[: len(token) - len(core)]
    inner = core.rstrip(")],.;:?%")
    return (before, inner, core[len(inner) :]) if inner else ("", token, "")


def _outside(text: str) -> str:
    return _SPECIAL.sub(_entity, text)
