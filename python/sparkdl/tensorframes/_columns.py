"""What tensors the columns of a DataFrame are, in Spark or in pandas."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparkdl._errors_1x import WrongTypeException
from sparkdl._jvm import door
from sparkdl.errors import SchemaMismatchException


@dataclass(frozen=True)
class Column:
    """A column as a tensor.

    Attributes
    ----------
    name : str
    dtype : str or None
        TensorFlow's name of the type of an element; None if the column is no tensor.
    cell : tuple of (int or None), or None
        Sizes of the value of one row, None for those that are unknown; None as a whole if even
        their number is unknown.
    """

    name: str
    dtype: str | None
    cell: tuple[int | None, ...] | None

    def shape(self, block: bool) -> list[int | None] | None:
        """Return the shape of a block of rows, or of one row."""
        if self.cell is None:
            return None
        return [None, *self.cell] if block else [*self.cell]

    def __str__(self) -> str:
        """Return for example "x: float64 [?, 3]", as a block."""
        if self.dtype is None:
            return f"{self.name}: no tensor"
        sizes = self.shape(True)
        if sizes is None:
            return f"{self.name}: {self.dtype} [...]"
        return (
            f"{self.name}: {self.dtype} [{', '.join('?' if d is None else str(d) for d in sizes)}]"
        )


Columns = Mapping[str, Column]


def is_pandas(df: Any) -> bool:
    """Say whether this is a DataFrame of pandas, which need not be installed."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(df, pandas.DataFrame)


def door_of(df: Any) -> Any:
    """Return the door of a Spark DataFrame's session, or say what to give instead."""
    from pyspark.sql import DataFrame

    if not isinstance(df, DataFrame):
        raise WrongTypeException(_not_spark(df))
    return door(df.sparkSession)


def spark_columns(df: Any) -> dict[str, Column]:
    """Return the columns of a Spark DataFrame as tensors, from its schema alone."""
    return {str(parts[0]): _column(*parts) for parts in door_of(df).frameTensors(df._jdf)}


def spark_frame(made: Any, df: Any) -> Any:
    """Return the JVM's DataFrame as one of the session of `df`."""
    from pyspark.sql import DataFrame

    return DataFrame(made, df.sparkSession)


def columns_of(df: Any) -> dict[str, Column]:
    """Return the columns of a DataFrame of Spark or pandas as tensors."""
    if not is_pandas(df):
        return spark_columns(df)
    from sparkdl.tensorframes._cells import pandas_columns

    return pandas_columns(df)


def known(name: str, columns: Columns, whose: str) -> Column:
    """Return a column that is a tensor, or say why it is none."""
    column = columns.get(name)
    if column is None:
        raise SchemaMismatchException(
            f"There is no column '{name}' for {whose}. The DataFrame has: "
            f"{', '.join(columns) or 'no columns'}."
        )
    if column.dtype is None:
        raise SchemaMismatchException(
            f"Column '{name}' cannot be fed to {whose}: values of its type are no tensors. "
            "Expected numbers, booleans, strings, binary, arrays of these, or vectors and matrices "
            "of MLlib. Take a field out of it, or cast it."
        )
    return column


def _column(name: Any, dtype: Any, shape: Any, nullable: Any) -> Column:
    cell = None if shape is None else tuple(None if d < 0 else int(d) for d in [*shape][1:])
    return Column(str(name), None if dtype is None else str(dtype), cell)


def _not_spark(df: Any) -> str:
    if is_pandas(df):
        return (
            "Expected a Spark DataFrame, got one of pandas, which only map_blocks, map_rows, block "
            "and row take. Make one of Spark: spark.createDataFrame(df)."
        )
    hint = ""
    if type(df).__name__ == "GroupedData":
        hint = " For what groupBy gives, use tfs.aggregate."
    return f"Expected a Spark DataFrame, got {type(df).__module__}.{type(df).__name__}.{hint}"
