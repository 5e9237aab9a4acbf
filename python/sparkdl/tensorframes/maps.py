"""Operations that return rows for rows: `map_blocks` and `map_rows`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sparkdl._old_names import old_keywords
from sparkdl.tensorframes._compile import MAP_BLOCKS, MAP_ROWS, Fetches, program
from sparkdl.tensorframes._frames import (
    Frame,
    columns_of,
    door_of,
    is_pandas,
    of_spark,
    spark_frame,
)
from sparkdl.tensorframes._options import BlockSize, block_rows, check_policy

__all__ = ["map_blocks", "map_rows"]


@old_keywords(dframe="df")
def map_blocks(
    fetches: Fetches,
    df: Frame,
    feed_dict: Mapping[Any, str] | None = None,
    trim: bool = False,
    initial_variables: bool = True,
    blockSize: BlockSize = "auto",
    handleInvalid: str = "error",
    constants: Mapping[Any, Any] | None = None,
) -> Frame:
    """Run a program on blocks of rows and add its results as columns. Lazy.

    Parameters
    ----------
    fetches : callable, tf.Tensor or list of tf.Tensor
        A function of tensors, each of shape [rows, ...], whose arguments are named after columns
        and which returns a dict from new columns to tensors [rows, ...]; a `tf.function`, a Keras
        model; or tensors of a `tf.compat.v1` graph with placeholders [None, ...]. Variables become
        constants.
    df : pyspark.sql.DataFrame or pandas.DataFrame
        May be a stream. A frame of pandas is computed at once, in this process, for debugging; it
        is not changed.
    feed_dict : dict, optional
        From arguments (or placeholders) to columns, where their names differ.
    trim : bool
        Whether the result has the new columns only. Then a block may return any number of rows,
        the same for all results.
    initial_variables : bool
        For tensors of a graph: whether variables have their initial values or those of the
        default session.
    blockSize : int, "auto" or None
        The most rows of a block. "auto": as many as fit ``spark.sparkdl.blocks.maxMemory``. None:
        all rows of a partition, whatever memory they take.
    handleInvalid : str
        What becomes of a row that cannot be fed, such as one with a null: "error" ends the job,
        "skip" drops the row.
    constants : dict, optional
        For tensors of a graph: values of placeholders that no column feeds, such as
        ``{keep_prob: 1.0}``. Keys are tensors, operations or their names.

    Returns
    -------
    pyspark.sql.DataFrame or pandas.DataFrame
        The new columns, sorted by name, then those of `df`.

    Raises
    ------
    SchemaMismatchException
        A column is missing, exists already, or has another type or shape than its placeholder.
    InvalidModelException
        The function cannot be traced, or the graph cannot be frozen.
    ValueError
        A fetch is given twice, or another argument is wrong (all of these are ValueErrors).

    Examples
    --------
    >>> tfs.map_blocks(lambda x: {"z": x + 3.0}, df)  # doctest: +SKIP
    >>> tfs.map_blocks(
    ...     lambda a: {"share": a / tf.reduce_sum(a)}, df, {"a": "x"}, blockSize=None
    ... )  # doctest: +SKIP
    """
    rows, policy = block_rows(blockSize), check_policy(handleInvalid)
    if is_pandas(df):
        compiled = program(
            fetches, MAP_BLOCKS, lambda: columns_of(df), feed_dict, initial_variables, constants
        )
        from sparkdl.tensorframes._pandas_maps import map_pandas_blocks

        return cast(Frame, map_pandas_blocks(compiled, df, trim, blockSize, policy))
    frame = of_spark(df)
    door = door_of(frame)
    compiled = program(
        fetches, MAP_BLOCKS, lambda: columns_of(df), feed_dict, initial_variables, constants
    )
    return cast(
        Frame,
        spark_frame(
            door.mapBlocks(frame._jdf, compiled.in_jvm(door), bool(trim), rows, policy), frame
        ),
    )


@old_keywords(dframe="df")
def map_rows(
    fetches: Fetches,
    df: Frame,
    feed_dict: Mapping[Any, str] | None = None,
    initial_variables: bool = True,
    handleInvalid: str = "error",
    constants: Mapping[Any, Any] | None = None,
) -> Frame:
    """Run a program on each row and add its results as columns. Lazy.

    Rows are still computed together wherever the program allows; the results are those of each row
    alone. Arrays may have another length in every row. A program that needs no column gives each
    row the same.

    Parameters
    ----------
    fetches : callable, tf.Tensor or list of tf.Tensor
        As in `map_blocks`, but of the value of one row: shapes have no dimension of rows.
    df : pyspark.sql.DataFrame or pandas.DataFrame
        May be a stream. A frame of pandas is computed at once, row by row, in this process.
    feed_dict, initial_variables, handleInvalid, constants
        As in `map_blocks`.

    Returns
    -------
    pyspark.sql.DataFrame or pandas.DataFrame
        The new columns, sorted by name, then those of `df`.

    Raises
    ------
    SchemaMismatchException, InvalidModelException, ValueError
        As `map_blocks`.

    Examples
    --------
    >>> tfs.map_rows(lambda words: {"n": tf.size(words)}, df)  # doctest: +SKIP
    """
    policy = check_policy(handleInvalid)
    if is_pandas(df):
        compiled = program(
            fetches, MAP_ROWS, lambda: columns_of(df), feed_dict, initial_variables, constants
        )
        from sparkdl.tensorframes._pandas_maps import map_pandas_rows

        return cast(Frame, map_pandas_rows(compiled, df, policy))
    frame = of_spark(df)
    door = door_of(frame)
    compiled = program(
        fetches, MAP_ROWS, lambda: columns_of(df), feed_dict, initial_variables, constants
    )
    return cast(Frame, spark_frame(door.mapRows(frame._jdf, compiled.in_jvm(door), policy), frame))
