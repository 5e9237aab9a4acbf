"""Operations that merge rows: `reduce_blocks`, `reduce_rows` and `aggregate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from sparkdl._old_names import old_keywords
from sparkdl.errors.builtin_errors import WrongTypeException
from sparkdl.tensorframes._compile import AGGREGATE, REDUCE_BLOCKS, REDUCE_ROWS, Fetches, program
from sparkdl.tensorframes._frames import door_of, spark_columns, spark_frame
from sparkdl.tensorframes._options import BlockSize, block_rows, check_policy
from sparkdl.tensorframes._results import only_row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, GroupedData

__all__ = ["aggregate", "reduce_blocks", "reduce_rows"]


@old_keywords(dframe="df")
def reduce_blocks(
    fetches: Fetches,
    df: DataFrame,
    feed_dict: Mapping[Any, str] | None = None,
    initial_variables: bool = True,
    blockSize: BlockSize = "auto",
    handleInvalid: str = "error",
    constants: Mapping[Any, Any] | None = None,
) -> Any:
    """Merge all rows into one with a program that merges any number of rows. Runs at once.

    The program is applied to blocks of rows, then to its results for them, and so on. So it must
    be associative: sums, minima and maxima are; a mean is not, but a sum and a count are.

    Parameters
    ----------
    fetches : callable, tf.Tensor or list of tf.Tensor
        A function whose arguments are named after columns (`x`, or `x_input`), of shape
        [rows, ...], and which returns a dict from these columns to tensors of the shape of one
        row. Or tensors of a `tf.compat.v1` graph: a tensor `x` merges column `x`, and has the
        placeholder `x_input`.
    df : pyspark.sql.DataFrame
        Columns that the program does not name are allowed.
    feed_dict, initial_variables, handleInvalid, constants
        As in `map_blocks`.
    blockSize : int, "auto" or None
        The most rows that are merged at once; see `map_blocks`.

    Returns
    -------
    numpy scalar, str, numpy.ndarray, list or dict
        The merged value: a scalar for rank 0, otherwise an array. Several values are a list in the
        order of the fetches or, for a function, a dict. A single row is returned as it is.

    Raises
    ------
    SchemaMismatchException
        The columns do not fit, or a result has another type or shape than its column.
    SparkDLException
        The DataFrame has no rows.

    Examples
    --------
    >>> tfs.reduce_blocks(lambda x: {"x": tf.reduce_sum(x, axis=0)}, df)  # doctest: +SKIP
    45.0
    """
    rows, policy = block_rows(blockSize), check_policy(handleInvalid)
    door = door_of(df)
    compiled = program(
        fetches, REDUCE_BLOCKS, lambda: spark_columns(df), feed_dict, initial_variables, constants
    )
    merged = door.reduceBlocks(df._jdf, compiled.in_jvm(door), rows, policy)
    return only_row(merged, df, compiled, "reduce_blocks")


@old_keywords(dframe="df")
def reduce_rows(
    fetches: Fetches,
    df: DataFrame,
    initial_variables: bool = True,
    handleInvalid: str = "error",
    constants: Mapping[Any, Any] | None = None,
) -> Any:
    """Merge all rows into one with a program that merges two rows. Runs at once.

    Parameters
    ----------
    fetches : callable, tf.Tensor or list of tf.Tensor
        A function that takes each column twice, as `x_1` and `x_2`, of the shape of one row, and
        returns a dict from these columns to tensors of the same shape. Or tensors of a
        `tf.compat.v1` graph: a tensor `x` merges column `x`, with the placeholders `x_1` and
        `x_2`. It must be associative.
    df : pyspark.sql.DataFrame
        Columns that the program does not name are allowed.
    initial_variables, handleInvalid, constants
        As in `map_blocks`.

    Returns
    -------
    numpy scalar, str, numpy.ndarray, list or dict
        As `reduce_blocks`.

    Raises
    ------
    SchemaMismatchException, SparkDLException
        As `reduce_blocks`.

    Examples
    --------
    >>> tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2}, df)  # doctest: +SKIP
    45.0
    """
    policy = check_policy(handleInvalid)
    door = door_of(df)
    compiled = program(
        fetches, REDUCE_ROWS, lambda: spark_columns(df), None, initial_variables, constants
    )
    merged = door.reduceRows(df._jdf, compiled.in_jvm(door), policy)
    return only_row(merged, df, compiled, "reduce_rows")


@old_keywords(grouped_data="grouped")
def aggregate(
    fetches: Fetches,
    grouped: GroupedData,
    feed_dict: Mapping[Any, str] | None = None,
    initial_variables: bool = True,
    blockSize: BlockSize = "auto",
    handleInvalid: str = "error",
    constants: Mapping[Any, Any] | None = None,
) -> DataFrame:
    """Merge the rows of each group into one. Lazy.

    Parameters
    ----------
    fetches, feed_dict, initial_variables, blockSize, handleInvalid, constants
        As in `reduce_blocks`.
    grouped : pyspark.sql.GroupedData
        What ``df.groupBy("key", ...)`` returns.

    Returns
    -------
    pyspark.sql.DataFrame
        The keys, then the merged columns, sorted by name; a row for each group. Without rows it is
        empty.

    Raises
    ------
    SchemaMismatchException
        As `reduce_blocks`.

    Examples
    --------
    >>> tfs.aggregate(
    ...     lambda x: {"x": tf.reduce_sum(x, axis=0)}, df.groupBy("key")
    ... )  # doctest: +SKIP
    """
    rows, policy = block_rows(blockSize), check_policy(handleInvalid)
    df = _grouped_frame(grouped)
    door = door_of(df)
    compiled = program(
        fetches, AGGREGATE, lambda: spark_columns(df), feed_dict, initial_variables, constants
    )
    merged = door.aggregateBlocks(grouped._jgd, compiled.in_jvm(door), rows, policy)
    return spark_frame(merged, df)


def _grouped_frame(grouped: object) -> DataFrame:
    df = getattr(grouped, "_df", None)
    if df is None or type(grouped).__name__ != "GroupedData":
        raise WrongTypeException(
            "Expected what df.groupBy(...) returns, got "
            f"{type(grouped).__module__}.{type(grouped).__name__}. To merge all rows into one, use "
            "tfs.reduce_blocks(fetches, df)."
        )
    return cast("DataFrame", df)
