"""The structure of a dataset's elements: that of the names of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sparkdl._columns import existing_column, path_of
from sparkdl.errors import SparkDLException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# The name of a column, or names in tuples, lists and dicts, nested in any way.
Columns: TypeAlias = str | Mapping[Any, "Columns"] | Sequence["Columns"]


def names_in(columns: Columns) -> list[str]:
    """Return the names in a string, or in tuples, lists and dicts of them, nested in any way."""
    names = list(_names(columns))
    if not names:
        raise SparkDLException(f"columns= names no column: {columns!r}.")
    return names


def _names(columns: Columns) -> Iterator[str]:
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


def fields_by_name(df: DataFrame, columns: Columns) -> Columns:
    """Return the structure with a dict of fields instead of each struct that is not an image."""
    from pyspark.ml.image import ImageSchema
    from pyspark.sql.types import StructType

    if isinstance(columns, Mapping):
        return {key: fields_by_name(df, part) for key, part in columns.items()}
    if not isinstance(columns, str):
        return tuple(fields_by_name(df, part) for part in columns)
    kind = existing_column(df, columns).kind
    if not isinstance(kind, StructType) or kind.names == ImageSchema.columnSchema.names:
        return columns
    return {field: fields_by_name(df, path_of(df, columns, field)) for field in kind.names}


def fill(columns: Columns, values: Sequence[Any]) -> Any:
    """Return the structure with values instead of names; lists become tuples.

    >>> fill(({"a": "x", "b": "y"}, "label"), [1, 2, 3])
    ({'a': 1, 'b': 2}, 3)
    """
    return _fill(columns, iter(values))


def _fill(columns: Columns, values: Iterator[Any]) -> Any:
    if isinstance(columns, str):
        return next(values)
    if isinstance(columns, Mapping):
        return {key: _fill(part, values) for key, part in columns.items()}
    return tuple(_fill(part, values) for part in columns)
