"""What of pyspark's private API is known to differ between versions of Spark.

`org.apache.spark.sql.sparkdl.versions` is the same in Scala.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def arrow_iterator_function(function: Callable[..., Any], returned: str) -> Any:
    """Return a function of Spark's that takes and gives iterators of Arrow arrays.

    Parameters
    ----------
    function : callable
        From one iterator to the other.
    returned : str
        The type of the new column.
    """
    from pyspark.sql.udf import UserDefinedFunction
    from pyspark.util import PythonEvalType

    # Not pyspark's `arrow_udf`, which wants type hints on the function itself. Spark 4.0 has
    # no such kind: it hands over series of pandas.
    kind = PythonEvalType.SQL_SCALAR_ARROW_ITER_UDF
    return UserDefinedFunction(function, returned, function.__name__, kind)
