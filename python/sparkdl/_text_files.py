"""Text files as editors write them; the rules are those of `org.sparkdl.files.TextFile`."""

from __future__ import annotations

import re
from pathlib import Path

_UTF8 = (b"\xef\xbb\xbf", "UTF-8", "utf-8")
# By the mark that they begin with; UTF-32's contains that of UTF-16.
_MARKS: tuple[tuple[bytes, str, str | None], ...] = (
    (b"\xff\xfe\0\0", "UTF-32", None),
    (b"\0\0\xfe\xff", "UTF-32", None),
    _UTF8,
    (b"\xff\xfe", "UTF-16", "utf-16-le"),
    (b"\xfe\xff", "UTF-16", "utf-16-be"),
)
BLANKS = "".join(map(chr, range(33)))  # what Java's trim takes away


class NotTextError(ValueError):
    """The bytes of a file are not text that can be read; the message says which and why."""


def read_text(file: Path) -> str:
    """Return the text of a file, without a byte order mark: UTF-8, or UTF-16 with its mark.

    Raises
    ------
    NotTextError
        It has another encoding.
    """
    data = file.read_bytes()
    default = (b"", *_UTF8[1:])
    mark, name, codec = next((m for m in _MARKS if data.startswith(m[0])), default)
    if codec is None:
        raise NotTextError(f"it is {name}, which is not read; save it as UTF-8")
    try:
        return data[len(mark) :].decode(codec)
    except UnicodeDecodeError as e:
        at = e.start + len(mark)
        raise NotTextError(
            f"byte 0x{data[at]:02X} at offset {at} is not {name}; save it as UTF-8"
        ) from None


def lines(text: str) -> list[str]:
    """Return the lines, of any system's editor, without blanks around them or empty ones."""
    stripped = (line.strip(BLANKS) for line in re.split("\r\n|\r|\n", text))
    return [line for line in stripped if line]
