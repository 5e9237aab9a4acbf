"""A struct column that feeds the inputs of a model by the names of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sparkdl._columns import existing_column, field_of, path_of
from sparkdl._models.model_ends import End
from sparkdl.errors import SchemaMismatchException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


def named_inputs(
    df: DataFrame, columns: Sequence[str] | Mapping[str, str], ends: Sequence[End]
) -> Sequence[str] | Mapping[str, str]:
    """Return the columns that feed the inputs: the fields, where the only column is a struct.

    Raises
    ------
    SchemaMismatchException
        The struct lacks a field, or there is no such column.
    """
    from pyspark.sql.types import StructType

    if isinstance(columns, Mapping) or len(columns) != 1:
        return columns
    kind = existing_column(df, columns[0]).kind
    if not isinstance(kind, StructType):
        return columns
    return _fields(df, columns[0], kind, ends)


def _fields(df: DataFrame, name: str, struct: StructType, ends: Sequence[End]) -> list[str]:
    found = {end.name: field_of(struct, end.name) for end in ends}
    missing = [name for name, field in found.items() if field is None]
    if missing:
        present = ", ".join(f"{f.name} {f.dataType.simpleString()}" for f in struct)
        raise SchemaMismatchException(
            f"The model finds its inputs in the struct column '{name}' by name: the struct lacks "
            f"{', '.join(map(repr, missing))}. It has: {present}. Set inputCols to one column or "
            "field per input."
        )
    return [path_of(df, name, field) for field in found.values()]
