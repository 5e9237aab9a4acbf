"""What is known about the shapes of columns: `analyze`, `append_shape` and `print_schema`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsInt

from sparkdl._old_names import old_keywords
from sparkdl.errors.builtin_errors import WrongTypeException
from sparkdl.tensorframes._frames import door_of, spark_frame

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = ["analyze", "append_shape", "print_schema"]


@old_keywords(dframe="df")
def analyze(df: DataFrame) -> DataFrame:
    """Find the shapes of all columns, by a pass over the data, and note them in the schema.

    A size that is not the same in all rows stays unknown. Scalars need no analysis.

    Parameters
    ----------
    df : pyspark.sql.DataFrame

    Returns
    -------
    pyspark.sql.DataFrame
        The same rows; the shapes are in the metadata of its columns.
    """
    return spark_frame(door_of(df).analyzeTensors(df._jdf), df)


@old_keywords(dframe="df")
def append_shape(df: DataFrame, col: str | Column, shape: Sequence[int | None]) -> DataFrame:
    """Note the shape of a column in the schema, without looking at the data.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    col : str or Column
        A column.
    shape : list of (int or None)
        First the number of rows of a block, which is usually None, then the sizes of a value; None
        (or -1, or 0) for unknown ones.

    Returns
    -------
    pyspark.sql.DataFrame
        The same rows. A row of another shape is an error when it is fed.

    Raises
    ------
    SchemaMismatchException
        There is no such column, or its type has another number of dimensions.

    Examples
    --------
    >>> tfs.append_shape(df, "features", [None, 3])  # doctest: +SKIP
    """
    sizes = [_size(d, shape) for d in _as_list(shape)]
    name = col if isinstance(col, str) else df.select(col).columns[0]
    return spark_frame(door_of(df).appendTensorShape(df._jdf, name, sizes), df)


@old_keywords(dframe="df")
def print_schema(df: DataFrame) -> None:
    """Print the columns of a DataFrame with their tensors.

    Examples
    --------
    >>> tfs.print_schema(df)  # doctest: +SKIP
    root
     |-- x: double (nullable = true) double[?]
    """
    print(door_of(df).explainTensors(df._jdf))


def _as_list(shape: object) -> list[Any]:
    if isinstance(shape, (str, bytes)) or not hasattr(shape, "__iter__"):
        raise WrongTypeException(
            f"Expected a shape as a list of sizes, such as [None, 3], got {shape!r}."
        )
    return list(shape)


def _size(size: SupportsInt | None, shape: object) -> int:
    if size is None or size == 0:
        return -1
    try:
        return int(size)
    except (TypeError, ValueError):
        raise WrongTypeException(
            f"The shape {shape!r} has the size {size!r}. Expected numbers, and None for unknown "
            "sizes."
        ) from None
