"""The params of every stage that applies a network known by name to a column of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pyspark.ml.param import TypeConverters

from sparkdl.param.converters import SCALE_HINTS, input_size, model_name, one_of, path
from sparkdl.param.declaration import declare_param
from sparkdl.param.image_input import ImageInputParams
from sparkdl.param.model_stage import ModelStageParams, OutputColParams

T = TypeVar("T", bound="ImageStageParams")


class ImageStageParams(ImageInputParams, ModelStageParams, OutputColParams):
    """Params of the stages with named models, the same as in Scala's trait of this name."""

    inputCol = declare_param(
        "inputCol",
        "Name of the column of images: Spark's image struct, or encoded bytes such as the content "
        "of binaryFile.",
        TypeConverters.toString,
    )
    modelName = declare_param(
        "modelName",
        "Name of the network, one of those that sparkdl.models() lists; may be unset only when "
        "weights is a bundle.",
        model_name,
    )
    inputSize = declare_param(
        "inputSize",
        "Height and width in pixels of the network's input; unset: those that sparkdl.models() "
        "lists.",
        input_size,
    )
    scaleHint = declare_param(
        "scaleHint",
        f"How images are resized to the network's input: {', '.join(SCALE_HINTS)}.",
        one_of("scaleHint", SCALE_HINTS),
    )
    outputMode = declare_param(
        "outputMode",
        "Form of the new column: vector (an MLlib vector) or array (array<float>, which SQL "
        "functions, Lance and Delta take).",
        one_of("outputMode", ("vector", "array")),
    )
    weights = declare_param(
        "weights",
        "imagenet, or the path of a weights file of Keras (.weights.h5, .h5, .keras), or of a "
        "bundle, which is what a loaded stage has here.",
        path,
    )
    modelDir = declare_param(
        "modelDir",
        "Directory of the named models' bundles, any Hadoop path; unset: the session's "
        "spark.sparkdl.models.dir.",
        path,
    )

    def getModelName(self) -> str:
        """Return the name of the network."""
        return self.getOrDefault(self.modelName)

    def setModelName(self: T, value: str) -> T:
        """Set the name of the network, one of `sparkdl.models()`."""
        return self._set(modelName=value)

    def getInputSize(self) -> list[int]:
        """Return height and width of the network's input."""
        return self.getOrDefault(self.inputSize)

    def setInputSize(self: T, value: Sequence[int]) -> T:
        """Set height and width of the network's input."""
        return self._set(inputSize=value)

    def getOutputMode(self) -> str:
        """Return the form of the new column."""
        return self.getOrDefault(self.outputMode)

    def setOutputMode(self: T, value: str) -> T:
        """Set the form of the new column: vector or array."""
        return self._set(outputMode=value)

    def getWeights(self) -> str:
        """Return imagenet, or the path of the weights or of a bundle."""
        return self.getOrDefault(self.weights)

    def setWeights(self: T, value: str | Path) -> T:
        """Set imagenet, or the path of the weights or of a bundle."""
        return self._set(weights=value)

    def getModelDir(self) -> str:
        """Return the directory of the bundles."""
        return self.getOrDefault(self.modelDir)

    def setModelDir(self: T, value: str | Path) -> T:
        """Set the directory of the bundles."""
        return self._set(modelDir=value)
