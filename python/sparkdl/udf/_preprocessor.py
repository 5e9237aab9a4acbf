"""A user's function from the path of an image to an array, as a function of Spark's on images."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from sparkdl.model import TensorSpec
from sparkdl.udf import _worker


def arrow_function(preprocessor: Callable[[str], Any], target: TensorSpec, keep: bool) -> Any:
    """Return the function for image structs and bytes that gives what `target` takes.

    Parameters
    ----------
    preprocessor : callable
        From a path to a numpy array of the shape of `target`, without the batch.
    target : TensorSpec
        The model's input; its rank is known.
    keep : bool
        Whether a row that fails becomes null, instead of failing the query.
    """
    from pyspark import cloudpickle
    from pyspark.sql.functions import ArrowUDFType, arrow_udf

    shape = (target.shape or ())[1:]
    element = "float" if target.dtype in ("float16", "bfloat16", "float32", "float64") else "int"
    run = _worker.preprocess(preprocessor, shape, element, keep)
    returned = "array<" * len(shape) + element + ">" * len(shape)
    function = arrow_udf(run, returned, ArrowUDFType.SCALAR_ITER)
    # By value: the workers then need not have sparkdl installed.
    module = sys.modules[_worker.__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        function._judf  # noqa: B018  (pickles the function)
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    return function
