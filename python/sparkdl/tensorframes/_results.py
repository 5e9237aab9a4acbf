"""The result of a reduction: the values of one row as NumPy has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl.errors import SparkDLException
from sparkdl.tensorframes._frames import spark_frame

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from sparkdl.tensorframes._program import Program

_DTYPES = {
    "boolean": np.bool_,
    "tinyint": np.int8,
    "smallint": np.int16,
    "int": np.int32,
    "bigint": np.int64,
    "float": np.float32,
    "double": np.float64,
    "decimal(20,0)": np.uint64,
}


def only_row(merged: JavaObject, df: DataFrame, program: Program, operation: str) -> Any:
    """Run a reduction and return the value of its row.

    Parameters
    ----------
    merged : py4j.java_gateway.JavaObject
        The JVM's DataFrame of one row, or of none if there was nothing to merge.
    df : pyspark.sql.DataFrame
        The DataFrame whose rows were merged.
    program : Program
        Says in which order, and in what form, results are returned.
    operation : str
        For messages.
    """
    frame = spark_frame(merged, df)
    rows = frame.collect()
    if not rows:
        raise SparkDLException(_empty(operation))
    values = {f.name: _numpy(rows[0][f.name], f.dataType) for f in frame.schema.fields}
    if len(values) == 1:
        return next(iter(values.values()))
    ordered = {name: values[name] for name in program.outputs}
    return ordered if program.from_function else list(ordered.values())


def _empty(operation: str) -> str:
    return (
        f"{operation} has nothing to merge: the DataFrame has no rows (or all were skipped), and a "
        "TensorFlow program has no neutral element to return instead. Check df.isEmpty() first, "
        "or add a row with the neutral element."
    )


def _numpy(value: object, data_type: DataType) -> Any:
    from pyspark.sql.types import ArrayType

    depth = 0
    while isinstance(data_type, ArrayType):
        data_type, depth = data_type.elementType, depth + 1
    dtype = _DTYPES.get(data_type.simpleString())
    if depth == 0:
        return value if dtype is None else dtype(value)
    return np.asarray(value, dtype or object)
