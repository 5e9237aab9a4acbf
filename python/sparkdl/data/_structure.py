"""The structure of a dataset's elements: that of the names of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparkdl.errors import SparkDLException


def names_in(columns: Any) -> list[str]:
    """Return the names in a string, or in tuples, lists and dicts of them, nested in any way."""
    found = list(_names(columns))
    if not found:
        raise SparkDLException(f"columns= names no column: {columns!r}.")
    return found


def _names(columns: Any) -> Iterator[str]:
    if isinstance(columns, str):
        yield columns
    elif isinstance(columns, (Mapping, Sequence)):
        for part in columns.values() if isinstance(columns, Mapping) else columns:
            yield from _names(part)
    else:
        raise SparkDLException(
            "columns= must be the name of a column, or a tuple or dict of names such as "
            f"('image', 'label'), got {columns!r}."
        )


def filled(columns: Any, values: Sequence[Any]) -> Any:
    """Return the structure with values in the places of the names; lists become tuples.

    >>> filled(({"a": "x", "b": "y"}, "label"), [1, 2, 3])
    ({'a': 1, 'b': 2}, 3)
    """
    return _filled(columns, iter(values))


def _filled(columns: Any, values: Iterator[Any]) -> Any:
    if isinstance(columns, str):
        return next(values)
    if isinstance(columns, Mapping):
        return {key: _filled(part, values) for key, part in columns.items()}
    return tuple(_filled(part, values) for part in columns)
