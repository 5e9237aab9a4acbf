"""The params of the network below the head, with their setters and getters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pyspark.ml.param import Params, TypeConverters

from sparkdl.param.converters import input_size, model_name, one_of, path
from sparkdl.param.declaration import declare_param

B = TypeVar("B", bound="BaseParams")


class BaseParams(Params):
    """The network below the head."""

    baseModel = declare_param(
        "baseModel", "Name of the network, one of those that sparkdl.models() lists.", model_name
    )
    inputSize = declare_param(
        "inputSize",
        "Height and width in pixels of the input of baseModel; unset: those that sparkdl.models() "
        "lists.",
        input_size,
    )
    modelFile = declare_param(
        "modelFile", "File of Keras (.keras, .h5) of the network, instead of baseModel.", path
    )
    weights = declare_param(
        "weights",
        "Weights of baseModel: imagenet, or the path of a weights file of Keras or of a bundle.",
        path,
    )
    modelDir = declare_param(
        "modelDir",
        "Directory of the named models' bundles; unset: the session's spark.sparkdl.models.dir.",
        path,
    )
    preprocessing = declare_param(
        "preprocessing",
        "How the network of modelFile wants its pixels: none (0 to 255), tf, caffe or torch.",
        one_of("preprocessing", ("none", "tf", "caffe", "torch")),
    )
    unfreezeFrom = declare_param(
        "unfreezeFrom",
        "Name of the first layer of the network that is trained too; unset: only the head is.",
        TypeConverters.toString,
    )

    def getBaseModel(self) -> str:
        """Return the name of the network."""
        return str(self.getOrDefault(self.baseModel))

    def setBaseModel(self: B, value: str) -> B:
        """Set the name of the network."""
        return self._set(baseModel=value)

    def getInputSize(self) -> list[int]:
        """Return height and width of the input of baseModel."""
        size: list[int] = self.getOrDefault(self.inputSize)
        return list(size)

    def setInputSize(self: B, value: Sequence[int]) -> B:
        """Set height and width of the input of baseModel."""
        return self._set(inputSize=value)

    def _size(self) -> list[int] | None:
        return self.getInputSize() if self.isSet("inputSize") else None

    def getModelFile(self) -> str:
        """Return the file of the network."""
        return str(self.getOrDefault(self.modelFile))

    def setModelFile(self: B, value: str | Path) -> B:
        """Set the file of the network."""
        return self._set(modelFile=value)

    def getWeights(self) -> str:
        """Return imagenet, or the path of the weights."""
        return str(self.getOrDefault(self.weights))

    def setWeights(self: B, value: str | Path) -> B:
        """Set imagenet, or the path of the weights."""
        return self._set(weights=value)

    def getModelDir(self) -> str:
        """Return the directory of the bundles."""
        return str(self.getOrDefault(self.modelDir))

    def setModelDir(self: B, value: str | Path) -> B:
        """Set the directory of the bundles."""
        return self._set(modelDir=value)

    def getPreprocessing(self) -> str:
        """Return how pixels are prepared for the network of modelFile."""
        return str(self.getOrDefault(self.preprocessing))

    def setPreprocessing(self: B, value: str) -> B:
        """Set how pixels are prepared for the network of modelFile."""
        return self._set(preprocessing=value)

    def getUnfreezeFrom(self) -> str:
        """Return the first layer of the network that is trained."""
        return str(self.getOrDefault(self.unfreezeFrom))

    def setUnfreezeFrom(self: B, value: str) -> B:
        """Set the first layer of the network that is trained."""
        return self._set(unfreezeFrom=value)
