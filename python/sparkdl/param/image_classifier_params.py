"""The params that an estimator of classifiers of images shares with its model."""

from __future__ import annotations

from typing import TypeVar

from pyspark.ml.param import TypeConverters

from sparkdl.param.declaration import declare_param
from sparkdl.param.image_input import ImageInputParams
from sparkdl.param.model_stage import ModelStageParams

T = TypeVar("T", bound="ImageClassifierParams")


class ImageClassifierParams(ImageInputParams, ModelStageParams):
    """The columns, as in Scala's ImageClassifierModel."""

    inputCol = declare_param(
        "inputCol",
        "Name of the column of images: Spark's image struct, or encoded bytes such as the content "
        "of binaryFile.",
        TypeConverters.toString,
    )
    predictionCol = declare_param(
        "predictionCol",
        "Name of the new column of predictions (double): the label where labels are numbers, else "
        "its place among the sorted labels; empty: no such column.",
        TypeConverters.toString,
    )
    probabilityCol = declare_param(
        "probabilityCol",
        "Name of the new column of probabilities (vector), in the order of the sorted labels; "
        "empty: no such column.",
        TypeConverters.toString,
    )
    predictedLabelCol = declare_param(
        "predictedLabelCol",
        "Name of the new column of the most probable labels (string); empty: no such column.",
        TypeConverters.toString,
    )

    def getPredictionCol(self) -> str:
        """Return the name of the column of predictions."""
        return self.getOrDefault(self.predictionCol)

    def setPredictionCol(self: T, value: str) -> T:
        """Set the name of the column of predictions; empty: none."""
        return self._set(predictionCol=value)

    def getProbabilityCol(self) -> str:
        """Return the name of the column of probabilities."""
        return self.getOrDefault(self.probabilityCol)

    def setProbabilityCol(self: T, value: str) -> T:
        """Set the name of the column of probabilities; empty: none."""
        return self._set(probabilityCol=value)

    def getPredictedLabelCol(self) -> str:
        """Return the name of the column of labels as text."""
        return self.getOrDefault(self.predictedLabelCol)

    def setPredictedLabelCol(self: T, value: str) -> T:
        """Set the name of the column of labels as text; empty: none."""
        return self._set(predictedLabelCol=value)
