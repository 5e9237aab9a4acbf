"""Columns of a DataFrame by their names, and fields of structs by their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sparkdl.errors import SchemaMismatchException

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType, StructType


class NamedColumn(NamedTuple):
    """A column or a field, and its type."""

    column: Column
    kind: DataType


def existing_column(df: DataFrame, name: str, use: str = "", remedy: str = "") -> NamedColumn:
    """Return the column of a name, or else the field that it leads to ("s.v").

    Parameters
    ----------
    df : DataFrame
    name : str
    use, remedy : str
        What the column is for, and what to do if there is none, for the message.

    Raises
    ------
    SchemaMismatchException
        There is neither.
    """
    from pyspark.sql.functions import col

    path = path_of(df, name)
    kind = _kind_at(df, name)
    if kind is None:
        raise SchemaMismatchException(
            f"There is no column '{name}'{use}. The DataFrame has: {', '.join(df.columns)}"
            f"{_fields_beside(df, name)}.{remedy and ' '}{remedy}"
        )
    return NamedColumn(col(path), kind)


def path_of(df: DataFrame, name: str, field: str | None = None) -> str:
    """Return what Spark calls a column or field, or a field in it: dots in names are quoted."""
    path = _plain(name) if name in df.columns else name
    return path if field is None else f"{path}.{_plain(field)}"


def field_of(struct: StructType, name: str) -> str | None:
    """Return the field of a name, or else one that differs in upper and lower case only."""
    similar = [field for field in struct.names if field.lower() == name.lower()]
    return name if name in similar else next(iter(similar), None)


def _plain(name: str) -> str:
    return f"`{name.replace('`', '``')}`" if {".", "`"} & {*name} else name


def _kind_at(df: DataFrame, name: str) -> DataType | None:
    from pyspark.errors import AnalysisException, ParseException

    if name in df.columns:
        return df.schema[name].dataType
    if name.endswith("*"):  # all columns, for Spark
        return None
    try:
        return df.select(name).schema[0].dataType
    except (AnalysisException, ParseException):
        return None


def _fields_beside(df: DataFrame, path: str) -> str:
    """Return what there is in the innermost struct that a path leads through."""
    from pyspark.sql.types import StructType

    ends = [i for i, letter in enumerate(path) if letter == "."]
    for end in reversed(ends):
        kind = _kind_at(df, path[:end])
        if isinstance(kind, StructType):
            return f"; '{path[:end]}' has the fields: {', '.join(kind.names)}"
    return ""
