"""The params of the stages that apply a model to columns of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pyspark.ml.param import Params, TypeConverters

from sparkdl.param.converters import one_of, path
from sparkdl.param.declaration import declare_param
from sparkdl.param.model_stage import ModelStageParams

TENSOR_MODES = ("array", "vector", "scalar")
T = TypeVar("T", bound="TensorStageParams")
F = TypeVar("F", bound="ModelFileParams")
C = TypeVar("C", bound="ColumnsParams")


class TensorStageParams(ModelStageParams):
    """The form of the outputs, as in Scala's TensorStage."""

    outputMode = declare_param(
        "outputMode",
        "Form of the new columns: array (numbers, or arrays nested as deep as a row's output has "
        "dimensions), vector (an MLlib vector of the flattened, row-major output) or scalar (the "
        "number, of outputs of one number).",
        one_of("outputMode", TENSOR_MODES),
    )

    def getOutputMode(self) -> str:
        """Return the form of the new columns."""
        return self.getOrDefault(self.outputMode)

    def setOutputMode(self: T, value: str) -> T:
        """Set the form of the new columns: array, vector or scalar."""
        return self._set(outputMode=value)


class ModelFileParams(Params):
    """A model by its file."""

    modelFile = declare_param(
        "modelFile",
        "The model: path of a bundle, of a SavedModel directory, or of a frozen graph (.pb); in "
        "Python also of a file of Keras (.keras, .h5), which becomes a bundle.",
        path,
    )

    def getModelFile(self) -> str:
        """Return the path of the model."""
        return self.getOrDefault(self.modelFile)

    def setModelFile(self: F, value: str | Path) -> F:
        """Set the path of the model."""
        return self._set(modelFile=value)


class ColumnsParams(Params):
    """Columns by the order of a model's inputs and outputs, as in Scala's KerasStage."""

    inputCol = declare_param(
        "inputCol",
        "Name of the column that feeds the only input; or of a struct, whose fields feed the "
        "inputs of their names.",
        TypeConverters.toString,
    )
    inputCols = declare_param(
        "inputCols",
        "Names of the columns that feed the inputs, in the order of the model's inputs; instead of "
        "inputCol.",
        TypeConverters.toListString,
    )
    outputCols = declare_param(
        "outputCols",
        "Names of the new columns, one per output, in the order of the model's outputs; instead of "
        "outputCol.",
        TypeConverters.toListString,
    )

    def getInputCol(self) -> str:
        """Return the name of the column that feeds the only input."""
        return self.getOrDefault(self.inputCol)

    def setInputCol(self: C, value: str) -> C:
        """Set the name of the column that feeds the only input."""
        return self._set(inputCol=value)

    def getInputCols(self) -> list[str]:
        """Return the names of the columns that feed the inputs."""
        return self.getOrDefault(self.inputCols)

    def setInputCols(self: C, value: Sequence[str]) -> C:
        """Set the names of the columns that feed the inputs."""
        return self._set(inputCols=value)

    def getOutputCols(self) -> list[str]:
        """Return the names of the new columns."""
        return self.getOrDefault(self.outputCols)

    def setOutputCols(self: C, value: Sequence[str]) -> C:
        """Set the names of the new columns."""
        return self._set(outputCols=value)
