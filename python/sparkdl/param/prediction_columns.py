"""Getters and setters of the columns that all stages with predictions have."""

from __future__ import annotations

from typing import TypeVar

from pyspark.ml.param import Param, Params

T = TypeVar("T", bound="PredictionColumns")


class PredictionColumns(Params):
    """The columns; the params themselves, which mean other things for images, are the stages'."""

    predictionCol: Param[str]
    probabilityCol: Param[str]
    predictedLabelCol: Param[str]

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
        """Return the name of the column of predicted labels."""
        return self.getOrDefault(self.predictedLabelCol)

    def setPredictedLabelCol(self: T, value: str) -> T:
        """Set the name of the column of predicted labels; empty: none."""
        return self._set(predictedLabelCol=value)
