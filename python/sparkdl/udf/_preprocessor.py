"""A user's function from the path of an image to an array, as a Spark function of images."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from sparkdl.session.spark_api import arrow_iterator_function
from sparkdl.udf import _python_worker
from sparkdl.udf.model import TensorSpec


def arrow_function(preprocessor: Callable[[str], Any], target: TensorSpec, keep: bool) -> Any:
    """Return the JVM's handle of a function of images whose results `target` takes.

    Parameters
    ----------
    preprocessor : callable
        From a path to a numpy array of the shape of `target`, without the batch.
    target : TensorSpec
        The model's input; its rank is known.
    keep : bool
        Whether a row that fails becomes null, instead of failing the query.
    """
    import pyspark.cloudpickle
    from pyspark.sql.pandas.utils import require_minimum_pyarrow_version

    require_minimum_pyarrow_version()
    shape = (target.shape or ())[1:]
    element = "float" if target.dtype in ("float16", "bfloat16", "float32", "float64") else "int"
    run = _python_worker.preprocess(preprocessor, shape, element, keep)
    result_type = "array<" * len(shape) + element + ">" * len(shape)
    function = arrow_iterator_function(run, result_type)
    # By value: the workers then need not have sparkdl installed.
    pickling: Any = pyspark.cloudpickle
    module = sys.modules[_python_worker.__name__]
    pickling.register_pickle_by_value(module)
    try:
        return function._judf
    finally:
        pickling.unregister_pickle_by_value(module)
