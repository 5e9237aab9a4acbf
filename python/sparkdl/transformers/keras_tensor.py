"""Keras models on columns of tensors, as the Scala class of the same name applies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import keyword_only

from sparkdl.param.keyword import setter_like
from sparkdl.param.model_stage import OutputColParams
from sparkdl.param.predictions import PredictionParams
from sparkdl.param.tensor_stage import ColumnsParams, TensorStageParams
from sparkdl.transformers._keras_file import KerasFileStage

if TYPE_CHECKING:
    from sparkdl._models.live_keras import LiveModel


class KerasTransformer(
    KerasFileStage, TensorStageParams, ColumnsParams, OutputColParams, PredictionParams
):
    """Applies a Keras model to columns.

    Input: a column per input of the model, in the order of its inputs, of a type that its dtype
    takes (docs/sql.md has the table): numbers, strings (text), arrays, MLlib vectors; plain numbers
    and strings also feed inputs of shape ``[rows, 1]``. Output: a column per output, in the order
    of its outputs: numbers, arrays nested as deep as a row's output has dimensions, or MLlib
    vectors. Null only with handleInvalid "keep".

    Parameters
    ----------
    inputCol, outputCol : str
        The column that feeds the only input, or a struct, whose fields feed the inputs of their
        names; and the new column. A field of a struct is named by its path, "s.v".
    inputCols, outputCols : list of str
        The same for models with several inputs or outputs.
    modelFile : str or Path
        The model: a file of Keras (.keras, .h5), a bundle, a SavedModel directory or a frozen
        graph (.pb).
    model : keras.Model
        A live model, instead of modelFile. It is converted at once: later training or changes have
        no effect.
    custom_objects : dict
        For Keras, when it loads a file: custom classes and functions, by name.
    safe_mode : bool
        False lets Keras run code that is pickled in a file (Lambda layers): only for files that
        you trust.
    verify : bool
        Whether the bundle that is made of a live model or a file of Keras is compared with it on
        made-up rows; see `save_bundle`.
    outputMode : str
        "array" (default), "vector" or "scalar", the number of outputs that have one.
    predictionCol : str, optional
        New column for Spark ML's evaluators, double: the number of an output that has one, or the
        index of the predicted class. docs/keras-on-tables.md has the rules.
    probabilityCol, rawPredictionCol : str, optional
        New columns, MLlib vectors: the probabilities of all classes, and what the model gives.
    predictedLabelCol : str, optional
        New column, string: the label of the predicted class.
    predictionOutput : str, optional
        The output that these columns are made of. Default: the only one.
    thresholds : list of float, optional
        One per class: the largest probability / threshold is predicted.
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
        model's input, or the number of columns is not that of the inputs or outputs.
    InvalidModelException, ModelNotFoundException
        The model cannot be read or converted.

    Examples
    --------
    >>> import sparkdl
    >>> stage = sparkdl.KerasTransformer(
    ...     inputCol="features", outputCol="score", modelFile="model.keras"
    ... )  # doctest: +SKIP
    >>> stage.transform(df).select("score")  # doctest: +SKIP
    """

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        inputCols: Sequence[str] | None = None,
        outputCols: Sequence[str] | None = None,
        modelFile: str | Path | None = None,
        model: LiveModel | None = None,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
        verify: bool = True,
        outputMode: str = "array",
        predictionCol: str | None = None,
        probabilityCol: str | None = None,
        rawPredictionCol: str | None = None,
        predictedLabelCol: str | None = None,
        predictionOutput: str | None = None,
        thresholds: Sequence[float] | None = None,
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
