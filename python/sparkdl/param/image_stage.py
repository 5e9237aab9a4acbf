"""The params of every stage that applies a model to a column of images."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pyspark.ml.param import Param, Params, TypeConverters

from sparkdl.param.converters import SCALE_HINTS, at_least_one, model_name, one_of, path

T = TypeVar("T", bound="ImageStageParams")


class ImageStageParams(Params):
    """Params of the image stages, the same as in Scala's trait of this name.

    The texts are those of the Scala side, word for word; a test compares them.
    """

    inputCol: Param[str] = Param(
        Params._dummy(),
        "inputCol",
        "Name of the column of images: Spark's image struct, or encoded bytes such as the content "
        "of binaryFile.",
        TypeConverters.toString,
    )
    outputCol: Param[str] = Param(
        Params._dummy(),
        "outputCol",
        "Name of the new column; the DataFrame must not have it yet.",
        TypeConverters.toString,
    )
    modelName: Param[str] = Param(
        Params._dummy(),
        "modelName",
        "Name of the network, one of those that sparkdl.models() lists; may be unset only when "
        "weights is a bundle.",
        model_name,
    )
    scaleHint: Param[str] = Param(
        Params._dummy(),
        "scaleHint",
        f"How images are resized to the network's input: {', '.join(SCALE_HINTS)}.",
        one_of("scaleHint", SCALE_HINTS),
    )
    batchSize: Param[int] = Param(
        Params._dummy(),
        "batchSize",
        "Images per run of the model, 1 or more; unset: the session's spark.sparkdl.batchSize.",
        at_least_one("batchSize"),
    )
    precision: Param[str] = Param(
        Params._dummy(),
        "precision",
        "float32 or bfloat16, for faster products of about 3 digits on CPUs that have it; unset: "
        "the session's spark.sparkdl.precision.",
        one_of("precision", ("float32", "bfloat16")),
    )
    handleInvalid: Param[str] = Param(
        Params._dummy(),
        "handleInvalid",
        "What becomes of a row whose image is null or cannot be decoded: error (the job fails and "
        "names it), skip (the row is left out), keep (null in outputCol).",
        one_of("handleInvalid", ("error", "skip", "keep")),
    )
    errorCol: Param[str] = Param(
        Params._dummy(),
        "errorCol",
        "Name of a new string column for the reasons of invalid rows, which stays null unless "
        "handleInvalid is keep; unset: no such column.",
        TypeConverters.toString,
    )
    weights: Param[str] = Param(
        Params._dummy(),
        "weights",
        "imagenet, or the path of a weights file of Keras (.weights.h5, .h5, .keras), or of a "
        "bundle, which is what a loaded stage has here.",
        path,
    )
    modelDir: Param[str] = Param(
        Params._dummy(),
        "modelDir",
        "Directory of the named models' bundles, any Hadoop path; unset: the session's "
        "spark.sparkdl.models.dir.",
        path,
    )

    def _set_shared_defaults(self) -> None:
        self._setDefault(
            scaleHint="SCALE_AREA_AVERAGING", handleInvalid="error", weights="imagenet"
        )

    def getInputCol(self) -> str:
        """Return the name of the column of images."""
        return self.getOrDefault(self.inputCol)

    def setInputCol(self: T, value: str) -> T:
        """Set the name of the column of images."""
        return self._set(inputCol=value)

    def getOutputCol(self) -> str:
        """Return the name of the new column."""
        return self.getOrDefault(self.outputCol)

    def setOutputCol(self: T, value: str) -> T:
        """Set the name of the new column."""
        return self._set(outputCol=value)

    def getModelName(self) -> str:
        """Return the name of the network."""
        return self.getOrDefault(self.modelName)

    def setModelName(self: T, value: str) -> T:
        """Set the name of the network, one of `sparkdl.models()`."""
        return self._set(modelName=value)

    def getScaleHint(self) -> str:
        """Return how images are resized."""
        return self.getOrDefault(self.scaleHint)

    def setScaleHint(self: T, value: str) -> T:
        """Set how images are resized."""
        return self._set(scaleHint=value)

    def getBatchSize(self) -> int:
        """Return the images per run of the model."""
        return self.getOrDefault(self.batchSize)

    def setBatchSize(self: T, value: int) -> T:
        """Set the images per run of the model."""
        return self._set(batchSize=value)

    def getPrecision(self) -> str:
        """Return float32 or bfloat16."""
        return self.getOrDefault(self.precision)

    def setPrecision(self: T, value: str) -> T:
        """Set float32 or bfloat16."""
        return self._set(precision=value)

    def getHandleInvalid(self) -> str:
        """Return what becomes of rows that cannot be used."""
        return self.getOrDefault(self.handleInvalid)

    def setHandleInvalid(self: T, value: str) -> T:
        """Set what becomes of rows that cannot be used: error, skip or keep."""
        return self._set(handleInvalid=value)

    def getErrorCol(self) -> str:
        """Return the name of the column of reasons."""
        return self.getOrDefault(self.errorCol)

    def setErrorCol(self: T, value: str) -> T:
        """Set the name of the column of reasons."""
        return self._set(errorCol=value)

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
