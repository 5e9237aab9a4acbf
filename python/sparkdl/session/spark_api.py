"""What of pyspark's private API is known to differ between versions of Spark.

`org.apache.spark.sql.sparkdl.versions` is the same in Scala.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

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

    # Not pyspark's `arrow_udf`, which wants type hints on the function itself.
    kinds = _private("PythonEvalType")
    kind = getattr(kinds, "SQL_SCALAR_ARROW_ITER_UDF", None)
    run = function
    if kind is None:  # before Spark 4.1
        kind, run = kinds.SQL_SCALAR_PANDAS_ITER_UDF, _of_pandas(function)
    return UserDefinedFunction(run, returned, function.__name__, kind)


def arrow_schema(schema: StructType, large: bool) -> Any:
    """Return the schema of record batches; `large`: of texts and bytes that may be large.

    Raises
    ------
    SettingsException
        Before Spark 4.0, whose Python knows no large ones.
    """
    from pyspark.sql.pandas.types import to_arrow_schema

    if not large:
        return to_arrow_schema(schema)
    if "prefers_large_types" not in signature(to_arrow_schema).parameters:
        raise SettingsException(
            "spark.sql.execution.arrow.useLargeVarTypes is true, and the Python of this Spark "
            "reads no such columns: set it to false, or use Spark 4."
        )
    return to_arrow_schema(schema, prefers_large_types=True)


def arrow_table(frame: DataFrame) -> Any:
    """Return all rows, of which there is at least one, as a table of Arrow."""
    import pyarrow as pa

    if hasattr(type(frame), "toArrow"):
        return frame.toArrow()
    before_spark_4: Any = frame
    return pa.Table.from_batches(before_spark_4._collect_as_arrow())


def thread_target(session: SparkSession, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function for other threads, whose jobs have the properties of this one's."""
    from pyspark import inheritable_thread_target

    if signature(inheritable_thread_target).parameters["f"].default is None:
        # Since Spark 4.0 it takes a session, whose tags it hands on as well.
        target: Any = inheritable_thread_target(session)
        return cast("Callable[[Any], Any]", target(function))
    return cast("Callable[[Any], Any]", inheritable_thread_target(function))


def received(socket: Any) -> list[bytes]:
    """Return what the JVM sends through a socket that a job of it has answered with."""
    from pyspark.serializers import NoOpSerializer

    items: Any = _private("_load_from_socket")(socket, NoOpSerializer())
    if not hasattr(items, "__enter__"):
        return list(items)
    with items as opened:  # since Spark 4.2, which closes the socket then
        return list(opened)


def error_condition(error: Any) -> str | None:
    """Return what pyspark calls an error, such as ``JAVA_GATEWAY_EXITED``."""
    name = error.getCondition() if hasattr(error, "getCondition") else error.getErrorClass()
    return None if name is None else str(name)


def repartition_by_id(frame: DataFrame, count: int, place: Column) -> DataFrame:
    """Return the rows in so many partitions, each in the one whose number is in `place`."""
    if hasattr(type(frame), "repartitionById"):
        return frame.repartitionById(count, place)
    # Before Spark 4.1, by the hash of a column: of a number whose hash falls into that partition.
    from pyspark.sql.functions import array, expr, get, lit

    numbers = frame.sparkSession.range(32 * count).selectExpr("CAST(id AS INT) AS number")
    falls_into = expr(f"pmod(hash(number), {count})").alias("place")
    first = numbers.groupBy(falls_into).agg(expr("min(number)")).orderBy("place").collect()
    return frame.repartition(count, get(array(*(lit(number) for _, number in first)), place))


def _private(name: str) -> Any:
    """Return what of `pyspark.util` was in `pyspark.rdd` before Spark 4.0."""
    module = import_module("pyspark.util")
    return getattr(module if hasattr(module, name) else import_module("pyspark.rdd"), name)


def _of_pandas(function: ArraysToArrays) -> ArraysToArrays:
    """Return the function for Spark before 4.1, which hands over series; for structs, frames."""

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
