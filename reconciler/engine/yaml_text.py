"""Values as YAML text that `load` reads back as the same values. Pure; reads no YAML and writes no file."""

import re
from collections.abc import Sequence
from io import StringIO

from ruamel.yaml import YAML

from reconciler.engine.load import API_VERSION
from reconciler.kind import Draft

_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_WIDTH = 118


def write(draft: Draft, remarks: Sequence[str] = ()) -> str:
    """One document, its remarks as a comment above it; characters that a spec may not hold become `?` in them."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    out.write("".join(f"# {_HIDDEN.sub('?', text)[:_WIDTH]}\n" for text in (*remarks, *draft.remarks)))
    data = {"apiVersion": API_VERSION, "kind": draft.kind, "metadata": {"name": draft.name}, "spec": dict(draft.spec)}
    yaml.dump(data, out)
    return out.getvalue()
