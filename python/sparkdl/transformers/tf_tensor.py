"""TensorFlow graphs on columns of tensors, as the Scala class of the same name applies them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import keyword_only

from sparkdl.param.constants import ConstantsParams
from sparkdl.param.converters import names
from sparkdl.param.declaration import declare_param
from sparkdl.param.keyword import setter_like
from sparkdl.param.tensor_stage import TensorStageParams
from sparkdl.transformers._graph_stage import GraphStage

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import SparkSession

    from sparkdl.graph.input import TFInputGraph

_EVERY_INPUT = "*"  # in inputMapping: all inputs, by name


class TFTransformer(GraphStage, TensorStageParams, ConstantsParams):
    """Applies a TensorFlow graph with any number of inputs and outputs to columns.

    Input: a column per input of the graph, or one struct with a field of its name for each, of a
    type that its dtype takes (docs/sql.md has the table): numbers, strings, arrays nested as deep
    as a row's value has dimensions, MLlib vectors and matrices. Output: a column per pair of
    outputMapping, in the order of its names: numbers, nested arrays or MLlib vectors. Null only
    with handleInvalid "keep".

    Parameters
    ----------
    tfInputGraph : TFInputGraph, str or Path
        The graph, or the path of a bundle, a SavedModel directory or a frozen graph (.pb).
    inputMapping : dict of str to str
        From the name of a column to the input that it feeds: the key of a signature, a tensor
        ("op:0") or an operation. ``{"s": "*"}`` lets the fields of a struct feed the inputs of
        their names.
    outputMapping : dict of str to str
        From an output (the key of a signature, a tensor or an operation) to the name of the new
        column that it becomes.
    constants : dict, optional
        Values of placeholders and inputs that no column feeds, by name, such as
        ``{"keep_prob": 1.0}``: booleans, numbers, texts, or lists of them.
    outputMode : str
        "array" (default) or "vector".
    batchSize : int, optional
        Rows per run of the model. Default: the session's ``spark.sparkdl.batchSize``.
    precision : str, optional
        "float32" or "bfloat16". Default: the session's ``spark.sparkdl.precision`` (float32).
    handleInvalid : str
        What becomes of a row that cannot be fed: "error" (default), "skip" or "keep".
    errorCol : str, optional
        Name of a new string column for the reasons of rows that handleInvalid "keep" kept.
    seed : int, optional
        Makes the random numbers repeatable that a model draws: they follow from the seed and the
        row. Default: new numbers in every run.

    Raises
    ------
    SchemaMismatchException
        From `transform`: a column is missing, exists already or has another type or shape than the
        input; an input or output does not exist (the message lists those that do) or has no column.

    Examples
    --------
    >>> from sparkdl import TFInputGraph, TFTransformer  # doctest: +SKIP
    >>> graph = TFInputGraph.fromSavedModelWithSignature("/models/s", "serve", "serving_default")
    ... # doctest: +SKIP
    >>> TFTransformer(
    ...     tfInputGraph=graph, inputMapping={"features": "x"}, outputMapping={"y": "score"}
    ... ).transform(df)  # doctest: +SKIP
    """

    inputMapping = declare_param(
        "inputMapping",
        "From the name of a column to the input that it feeds: the key of a signature, a tensor "
        "(op:0) or an operation; or to * from the only column, a struct, whose fields feed the "
        "inputs of their names.",
        names,
    )
    outputMapping = declare_param(
        "outputMapping",
        "From an output (the key of a signature, a tensor or an operation) to the name of the new "
        "column that it becomes.",
        names,
    )

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        tfInputGraph: TFInputGraph | str | Path | None = None,
        inputMapping: Mapping[str, Any] | None = None,
        outputMapping: Mapping[Any, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        outputMode: str = "array",
        batchSize: int | None = None,
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._create(outputMode="array")
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _complete_java(self, java: JavaObject, spark: SparkSession | None) -> None:
        if self._graph is None:
            return
        if self.isSet(self.inputMapping):
            inputs = self.getInputMapping().items()
            java.setInputMapping({c: self._input_name(t) for c, t in inputs})
        if self.isSet(self.outputMapping):
            outputs = self.getOutputMapping().items()
            java.setOutputMapping({self._graph.output_name(t): c for t, c in outputs})

    def _input_name(self, key_or_tensor: str) -> str:
        if key_or_tensor == _EVERY_INPUT:
            return key_or_tensor
        return str(self._graph.input_name(key_or_tensor))

    def getInputMapping(self) -> dict[str, str]:
        """Return which column feeds which input."""
        return self.getOrDefault(self.inputMapping)

    def setInputMapping(self, value: Mapping[str, Any]) -> TFTransformer:
        """Set which column feeds which input."""
        return self._set(inputMapping=value)

    def getOutputMapping(self) -> dict[str, str]:
        """Return which output becomes which column."""
        return self.getOrDefault(self.outputMapping)

    def setOutputMapping(self, value: Mapping[Any, str]) -> TFTransformer:
        """Set which output becomes which column."""
        return self._set(outputMapping=value)
