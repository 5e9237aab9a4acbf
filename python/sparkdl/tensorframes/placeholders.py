"""Placeholders of TensorFlow 1 for columns: `block` and `row`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._models.libraries import tensorflow
from sparkdl._old_names import old_keywords
from sparkdl.errors.builtin_errors import WrongStateException
from sparkdl.tensorframes._frames import PandasFrame, columns_of
from sparkdl.tensorframes._tensor_columns import tensor_column

if TYPE_CHECKING:
    import tensorflow as tf
    from pyspark.sql import DataFrame

__all__ = ["block", "row"]


@old_keywords(dframe="df", col_name="col", tf_name="name")
def block(df: DataFrame | PandasFrame, col: str, name: str | None = None) -> tf.Tensor:
    """Return a placeholder for blocks of a column, in TensorFlow's current default graph.

    Parameters
    ----------
    df : pyspark.sql.DataFrame or pandas.DataFrame
    col : str
        A column.
    name : str, optional
        The name of the placeholder; by default the column's.

    Returns
    -------
    tf.Tensor
        Of the column's dtype, shape [None, ...].

    Raises
    ------
    SchemaMismatchException
        There is no such column, or its values are not tensors.
    AssertionError
        There is no graph to add it to.

    Examples
    --------
    >>> with tf.Graph().as_default():  # doctest: +SKIP
    ...     x = tfs.block(df, "x")
    ...     df2 = tfs.map_blocks(tf.add(x, 3, name="z"), df)
    """
    return _placeholder(df, col, name, block=True)


@old_keywords(dframe="df", col_name="col", tf_name="name")
def row(df: DataFrame | PandasFrame, col: str, name: str | None = None) -> tf.Tensor:
    """Return a placeholder for one row of a column, in TensorFlow's current default graph.

    As `block`, but the shape is that of one value.
    """
    return _placeholder(df, col, name, block=False)


def _placeholder(df: DataFrame | PandasFrame, col: str, name: str | None, block: bool) -> tf.Tensor:
    tf = tensorflow()
    if tf.executing_eagerly():
        raise WrongStateException(
            "A placeholder belongs to a graph, but TensorFlow computes eagerly here. Build the "
            "program within 'with tf.Graph().as_default():', or pass a function of tensors."
        )
    column = tensor_column(col, columns_of(df), "a placeholder")
    return tf.compat.v1.placeholder(tf.as_dtype(column.dtype), column.shape(block), name or col)
