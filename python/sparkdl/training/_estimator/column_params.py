"""The params of `KerasEstimator` that name columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pyspark.ml.param import Param, Params, TypeConverters

from sparkdl.param.converters import one_of
from sparkdl.param.declaration import declare_param
from sparkdl.param.tensor_stage import TENSOR_MODES
from sparkdl.training._estimator.training_converters import columns, fraction

T = TypeVar("T", bound="TrainingColumns")

Columns = list[str] | dict[str, str]
GivenColumns = Sequence[str] | Mapping[str, str] | str


class TrainingColumns(Params):
    """Columns that a model is trained on, and those that the fitted model adds."""

    inputCols = declare_param(
        "inputCols",
        "Columns that feed the inputs: by name ({input: column}), or in the order in which the "
        "model was given its inputs.",
        columns,
    )
    labelCols = declare_param(
        "labelCols",
        "Columns of labels: by name ({output: column}), or in the order in which the model was "
        "given its outputs; unset: none.",
        columns,
    )
    outputCols = declare_param(
        "outputCols",
        "New columns of the fitted model: by name ({output: column}), or in the order in which the "
        "model was given its outputs; default: the uid and __output.",
        columns,
    )
    outputMode = declare_param(
        "outputMode",
        "Form of the new columns of the fitted model: array, vector or scalar.",
        one_of("outputMode", TENSOR_MODES),
    )
    # Optional columns have the default None, which pyspark keeps without the converter.
    sampleWeightCol: Param[str | None] = declare_param(
        "sampleWeightCol",
        "Column of a number per row that its loss is multiplied by; unset: 1.",
        TypeConverters.toString,
    )
    validationFraction = declare_param(
        "validationFraction",
        "Fraction of the rows to validate on instead of training, from 0 (none) to less than 1.",
        fraction,
    )
    validationCol: Param[str | None] = declare_param(
        "validationCol",
        "Boolean column: rows to validate on instead of training; unset: none.",
        TypeConverters.toString,
    )

    def getInputCols(self) -> Columns:
        """Return the columns that feed the inputs."""
        return self.getOrDefault(self.inputCols)

    def setInputCols(self: T, value: GivenColumns) -> T:
        """Set the columns that feed the inputs."""
        return self._set(inputCols=value)

    def getLabelCols(self) -> Columns:
        """Return the columns of labels."""
        return self.getOrDefault(self.labelCols)

    def setLabelCols(self: T, value: GivenColumns) -> T:
        """Set the columns of labels."""
        return self._set(labelCols=value)

    def getOutputCols(self) -> Columns:
        """Return the new columns of the fitted model."""
        return self.getOrDefault(self.outputCols)

    def setOutputCols(self: T, value: GivenColumns) -> T:
        """Set the new columns of the fitted model."""
        return self._set(outputCols=value)

    def getOutputMode(self) -> str:
        """Return the form of the new columns."""
        return self.getOrDefault(self.outputMode)

    def setOutputMode(self: T, value: str) -> T:
        """Set the form of the new columns."""
        return self._set(outputMode=value)

    def getSampleWeightCol(self) -> str | None:
        """Return the column of weights of rows."""
        return self.getOrDefault(self.sampleWeightCol)

    def setSampleWeightCol(self: T, value: str) -> T:
        """Set the column of weights of rows."""
        return self._set(sampleWeightCol=value)

    def getValidationFraction(self) -> float:
        """Return the fraction of rows to validate on."""
        return self.getOrDefault(self.validationFraction)

    def setValidationFraction(self: T, value: float) -> T:
        """Set the fraction of rows to validate on."""
        return self._set(validationFraction=value)

    def getValidationCol(self) -> str | None:
        """Return the column of rows to validate on."""
        return self.getOrDefault(self.validationCol)

    def setValidationCol(self: T, value: str) -> T:
        """Set the column of rows to validate on."""
        return self._set(validationCol=value)
