"""One spec file, read and replaced exactly: no newline is translated, and a reader never sees half of it."""

import os
import tempfile
from pathlib import Path


def read_exactly(path: str) -> str:
    """Its characters as they are, CRLF too; raises ValueError for what is not UTF-8."""
    try:
        return Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text") from None


def replace_with(path: str, text: str) -> None:
    """The file with the new text, its mode kept; behind a link, the file that is meant."""
    real = Path(os.path.realpath(path))
    handle, new = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(new, real.stat().st_mode & 0o7777)
        os.replace(new, real)
    except BaseException:
        os.unlink(new)
        raise
