"""Text files as editors write them, as `org.sparkdl.files.TextFile` reads them, and JSON."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from pathlib import Path
from typing import Any

_UTF8 = (b"\xef\xbb\xbf", "UTF-8", "utf-8")
# By the mark that they begin with; UTF-32's contains that of UTF-16.
_MARKS: tuple[tuple[bytes, str, str | None], ...] = (
    (b"\xff\xfe\0\0", "UTF-32", None),
    (b"\0\0\xfe\xff", "UTF-32", None),
    _UTF8,
    (b"\xff\xfe", "UTF-16", "utf-16-le"),
    (b"\xfe\xff", "UTF-16", "utf-16-be"),
)
_MOST_LEVELS = 300  # of lists and objects within each other; a model of Keras has a few dozen
_JSON_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_NO_BRACKET = re.compile(r"[^\[\]{}]+")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}
BLANKS = "".join(map(chr, range(33)))  # what Java's trim takes away


class NestedTooDeeply(ValueError):
    """JSON has more lists and objects within each other than any file that was meant to be read."""


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


def parse_json(text: str | bytes | bytearray) -> Any:
    """Return what JSON from elsewhere says.

    Levels are counted before anything is parsed: what Python's parser does with too many of them
    depends on a limit that any library in the process may have raised, up to the end of the stack.

    Raises
    ------
    NestedTooDeeply
        It has over 300 levels.
    ValueError
        It is not JSON.
    """
    content = text if isinstance(text, str) else text.decode(json.detect_encoding(text))
    brackets = _NO_BRACKET.sub("", _JSON_STRING.sub("", content))
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > _MOST_LEVELS:
        raise NestedTooDeeply(f"its lists and objects are nested over {_MOST_LEVELS} levels deep")
    return json.loads(content)
