"""`org.sparkdl.Model` on a DataFrame, with choices that the Python API does not offer."""

from __future__ import annotations

from typing import Any


def append_output(
    frame: Any,
    bundle: str,
    output: str,
    column: str,
    result: str,
    batch: int,
    precision: str = "float32",
    hint: str = "SCALE_AREA_AVERAGING",
) -> Any:
    """Return the DataFrame with one output of a bundle's model appended as `result`."""
    from pyspark.sql import DataFrame

    session = frame.sparkSession
    jvm = session._jvm
    model = jvm.org.sparkdl.Model.load(bundle).select(_seq(jvm, output))
    model = model.withPrecision(precision).withScaleHint(hint)
    if batch:
        model = model.withBatchSize(batch)
    no_error_column = getattr(getattr(jvm.scala, "None$"), "MODULE$")
    appended = model.appendTo(frame._jdf, _seq(jvm, column), _seq(jvm, result), no_error_column)
    return DataFrame(appended, session)


def _seq(jvm: Any, *values: str) -> Any:
    return jvm.PythonUtils.toSeq(list(values))
