"""The params of the columns that Spark ML's evaluators take, as Scala's HasPredictions has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pyspark.ml.param import TypeConverters

from sparkdl.errors import SparkDLException
from sparkdl.param.declaration import declare_param
from sparkdl.param.prediction_columns import PredictionColumns

T = TypeVar("T", bound="PredictionParams")


COLUMNS = ("predictionCol", "probabilityCol", "rawPredictionCol", "predictedLabelCol")
PREDICTIONS = (*COLUMNS, "predictionOutput", "thresholds")


def _thresholds(value: object) -> list[float]:
    """Accept numbers above 0, of which one may be 0."""
    numbers = TypeConverters.toListFloat(value)
    if any(not n >= 0 for n in numbers) or numbers.count(0) > 1:
        raise SparkDLException(
            "thresholds must be above 0, except for one at most, which may be 0; got "
            f"{list(numbers)}."
        )
    return list(numbers)


class PredictionParams(PredictionColumns):
    """The columns, and what they are made of."""

    predictionCol = declare_param(
        "predictionCol",
        "Name of a new column of predictions (double): the output's number, or the index of the "
        "predicted class; unset or empty: no such column.",
        TypeConverters.toString,
    )
    probabilityCol = declare_param(
        "probabilityCol",
        "Name of a new column with the probabilities of all classes (vector); unset or empty: no "
        "such column.",
        TypeConverters.toString,
    )
    rawPredictionCol = declare_param(
        "rawPredictionCol",
        "Name of a new column with what the model gives for all classes, logits or probabilities "
        "(vector); unset or empty: no such column.",
        TypeConverters.toString,
    )
    predictedLabelCol = declare_param(
        "predictedLabelCol",
        "Name of a new column with the label of the predicted class (string), where the model has "
        "labels; unset or empty: no such column.",
        TypeConverters.toString,
    )
    predictionOutput = declare_param(
        "predictionOutput",
        "Name of the output that predictions are made of; unset: the only one.",
        TypeConverters.toString,
    )
    thresholds = declare_param(
        "thresholds",
        "A number per class, all above 0 except for one at most: the class with the largest "
        "probability / threshold is predicted; unset: the most probable one.",
        _thresholds,
    )

    def getRawPredictionCol(self) -> str:
        """Return the name of the column of logits or probabilities."""
        return self.getOrDefault(self.rawPredictionCol)

    def setRawPredictionCol(self: T, value: str) -> T:
        """Set the name of the column of logits or probabilities; empty: none."""
        return self._set(rawPredictionCol=value)

    def getPredictionOutput(self) -> str:
        """Return the name of the output that predictions are made of."""
        return self.getOrDefault(self.predictionOutput)

    def setPredictionOutput(self: T, value: str) -> T:
        """Set the name of the output that predictions are made of."""
        return self._set(predictionOutput=value)

    def getThresholds(self) -> list[float]:
        """Return the thresholds of the classes."""
        return self.getOrDefault(self.thresholds)

    def setThresholds(self: T, value: Sequence[float]) -> T:
        """Set the thresholds of the classes."""
        return self._set(thresholds=value)
