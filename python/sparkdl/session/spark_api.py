"""What of pyspark's private API is known to differ between versions of Spark.

`org.apache.spark.sql.sparkdl.versions` is the same in Scala.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    ArraysToArrays = Callable[[Iterator[Any]], Iterator[Any]]


def arrow_iterator_function(function: ArraysToArrays, returned: DataType | str) -> Any:
    """Return a function of Spark's that takes and gives iterators of Arrow arrays.

    Parameters
    ----------
    function : callable
        From one iterator to the other.
    returned : DataType or str
        The type of the new column.
    """
    from pyspark.sql.udf import UserDefinedFunction
    from pyspark.util import PythonEvalType

    # Not pyspark's `arrow_udf`, which wants type hints on the function itself.
    kind = getattr(PythonEvalType, "SQL_SCALAR_ARROW_ITER_UDF", None)
    run = function
    if kind is None:  # Spark 4.0
        kind, run = PythonEvalType.SQL_SCALAR_PANDAS_ITER_UDF, _of_pandas(function)
    return UserDefinedFunction(run, returned, function.__name__, kind)


def received(socket: Any) -> list[bytes]:
    """Return what the JVM sends through a socket that a job of it has answered with."""
    from pyspark.serializers import NoOpSerializer
    from pyspark.util import _load_from_socket

    items: Any = _load_from_socket(socket, NoOpSerializer())
    if not hasattr(items, "__enter__"):
        return list(items)
    with items as opened:  # since Spark 4.2, which closes the socket then
        return list(opened)


def repartition_by_id(frame: DataFrame, count: int, place: Column) -> DataFrame:
    """Return the rows in so many partitions, each in the one whose number is in `place`."""
    if hasattr(type(frame), "repartitionById"):
        return frame.repartitionById(count, place)
    # Spark 4.0 goes by the hash of a column: of a number whose hash falls into that partition.
    from pyspark.sql.functions import array, expr, get, lit

    numbers = frame.sparkSession.range(32 * count).selectExpr("CAST(id AS INT) AS number")
    falls_into = expr(f"pmod(hash(number), {count})").alias("place")
    first = numbers.groupBy(falls_into).agg(expr("min(number)")).orderBy("place").collect()
    return frame.repartition(count, get(array(*(lit(number) for _, number in first)), place))


def _of_pandas(function: ArraysToArrays) -> ArraysToArrays:
    """Return the function for Spark 4.0, which hands over series and, for structs, frames."""

    # Sent to workers by value, as all of it is inside: they need not have sparkdl.
    def run(batches: Iterator[Any]) -> Iterator[Any]:
        import pandas as pd
        import pyarrow as pa

        def value(cell: Any) -> Any:
            # Beside rows without an image, pandas has whole numbers as floats.
            return int(cell) if isinstance(cell, float) and cell.is_integer() else cell

        def structs(frame: pd.DataFrame) -> list[dict[str, Any] | None]:
            missing = frame.isna().all(axis=1)
            rows = zip(missing, frame.to_dict("records"), strict=True)
            return [None if m else {k: value(v) for k, v in row.items()} for m, row in rows]

        def arrays() -> Iterator[pa.Array]:
            for batch in batches:
                if isinstance(batch, pd.DataFrame):
                    yield pa.array(structs(batch))
                else:
                    yield pa.Array.from_pandas(batch)

        for made in function(arrays()):
            if pa.types.is_struct(made.type):
                yield pa.Table.from_struct_array(made).to_pandas()
            else:
                yield made.to_pandas()

    return run
