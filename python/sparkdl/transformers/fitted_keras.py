"""The model that `KerasEstimator` returns, as the Scala class of the same name applies it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark import keyword_only
from pyspark.ml import Model

from sparkdl.param.keyword import setter_like
from sparkdl.param.model_stage import OutputColParams
from sparkdl.param.predictions import PredictionParams
from sparkdl.param.tensor_stage import ColumnsParams, TensorStageParams
from sparkdl.transformers._fitted import FittedModel
from sparkdl.transformers._keras_file import KerasFileStage


class KerasModel(
    FittedModel,
    KerasFileStage,
    TensorStageParams,
    ColumnsParams,
    OutputColParams,
    PredictionParams,
    Model,
):
    """A model that `KerasEstimator` has trained on columns, with the history of its training.

    It is applied like the model of a `KerasTransformer`: a column per input, and a new column per
    output, in the model's order.

    Parameters
    ----------
    inputCol, outputCol, inputCols, outputCols, modelFile, outputMode, predictionCol, \
probabilityCol, rawPredictionCol, predictedLabelCol, predictionOutput, thresholds, batchSize, \
precision, handleInvalid, errorCol, seed
        As in `KerasTransformer`. modelFile is the bundle that the estimator has written.

    Raises
    ------
    SchemaMismatchException, InvalidModelException, ModelNotFoundException
        From `transform`, as in `KerasTransformer`.

    Examples
    --------
    >>> model = sparkdl.KerasModel.load("/models/scores")  # doctest: +SKIP
    >>> model.history["val_loss"], model.transform(df)  # doctest: +SKIP
    >>> model.export_keras("scores.keras")  # doctest: +SKIP
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
