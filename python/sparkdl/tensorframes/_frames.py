"""DataFrames of Spark and of pandas, and the tensors that their columns are."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sparkdl.errors.builtin_errors import WrongTypeException
from sparkdl.session.jvm_door import door
from sparkdl.tensorframes._pandas_cells import pandas_columns
from sparkdl.tensorframes._tensor_columns import TensorColumn

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import DataFrame


class PandasFrame(Protocol):
    """What type checkers see of frames of pandas, whose types a user's program may not have."""

    @property
    def iloc(self) -> Any: ...

    @property
    def index(self) -> Any: ...


# A frame of the same kind as the argument.
Frame = TypeVar("Frame", bound="DataFrame | PandasFrame")


def is_pandas(df: object) -> bool:
    """Say whether this is a DataFrame of pandas, which need not be installed."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(df, pandas.DataFrame)


def door_of(df: object) -> JavaObject:
    """Return the door of a Spark DataFrame's session, or say what to pass instead."""
    return door(of_spark(df).sparkSession)


def of_spark(df: object) -> DataFrame:
    """Return what is a Spark DataFrame, or say what to pass instead."""
    from pyspark.sql import DataFrame

    if not isinstance(df, DataFrame):
        raise WrongTypeException(_not_spark(df))
    return df


def spark_columns(df: DataFrame) -> dict[str, TensorColumn]:
    """Return the columns of a Spark DataFrame as tensors, from its schema alone."""
    return {str(parts[0]): _column(*parts) for parts in door_of(df).frameTensors(df._jdf)}


def spark_frame(jvm_frame: JavaObject, df: DataFrame) -> DataFrame:
    """Return the JVM's DataFrame as one of the session of `df`."""
    from pyspark.sql import DataFrame

    return DataFrame(jvm_frame, df.sparkSession)


def columns_of(df: object) -> dict[str, TensorColumn]:
    """Return the columns of a DataFrame of Spark or pandas as tensors."""
    if not is_pandas(df):
        return spark_columns(of_spark(df))
    return pandas_columns(df)


def _column(
    name: str, dtype: str | None, shape: Iterable[int] | None, nullable: bool
) -> TensorColumn:
    cell = None if shape is None else tuple(None if d < 0 else int(d) for d in [*shape][1:])
    return TensorColumn(str(name), None if dtype is None else str(dtype), cell)


def _not_spark(df: object) -> str:
    if is_pandas(df):
        return (
            "Expected a Spark DataFrame, got one of pandas, which only map_blocks, map_rows, block "
            "and row take. Convert it: spark.createDataFrame(df)."
        )
    hint = ""
    if type(df).__name__ == "GroupedData":
        hint = " For the result of groupBy, use tfs.aggregate."
    return f"Expected a Spark DataFrame, got {type(df).__module__}.{type(df).__name__}.{hint}"
