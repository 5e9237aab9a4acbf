"""The params of `KerasEstimator` that say how to train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pyspark.ml.param import Params, TypeConverters

from sparkdl._models.keras_arguments import LossLike, OptimizerLike, PerOutput
from sparkdl.param.converters import at_least_one, path
from sparkdl.param.declaration import declare_param
from sparkdl.param.sparkdl_converters import SparkDLTypeConverters
from sparkdl.training._estimator.training_converters import (
    loss_weights,
    losses,
    metrics,
    padding,
    seconds,
)

T = TypeVar("T", bound="TrainingParams")


class TrainingParams(Params):
    """How a model is trained, and by how many workers."""

    modelFile = declare_param(
        "modelFile",
        "The model with its first weights: path of a file of Keras (.keras, .h5).",
        path,
    )
    optimizer = declare_param(
        "optimizer",
        "An optimizer of Keras, or its name.",
        SparkDLTypeConverters.toKerasOptimizer,
    )
    loss = declare_param(
        "loss",
        "A loss of Keras, its name or a function; or a list or dict of one per output.",
        losses,
    )
    lossWeights = declare_param(
        "lossWeights",
        "Factors of the outputs' losses in the sum that is minimized: a list, or a dict by output; "
        "unset: 1.",
        loss_weights,
    )
    metrics = declare_param(
        "metrics",
        "A list of metrics of Keras or names; or a list or dict of such lists by output.",
        metrics,
    )
    batchSize = declare_param(
        "batchSize",
        "Rows of a global batch, which the workers share, 1 or more.",
        at_least_one("batchSize"),
    )
    epochs = declare_param(
        "epochs",
        "Passes over the rows, 1 or more.",
        at_least_one("epochs"),
    )
    shuffle = declare_param(
        "shuffle",
        "Whether each epoch has its own order of the rows; else that of the DataFrame.",
        TypeConverters.toBoolean,
    )
    paddingValue = declare_param(
        "paddingValue",
        "What rows of unequal length are padded with at their end, to the longest of their batch: "
        "a number, or {input: number}.",
        padding,
    )
    bucketByLength = declare_param(
        "bucketByLength",
        "Whether the rows of a batch are of like length, so that less is padded.",
        TypeConverters.toBoolean,
    )
    seed = declare_param(
        "seed",
        "Seed of the order of the rows, of dropout, and of the rows that validationFraction takes.",
        TypeConverters.toInt,
    )
    syncEvery = declare_param(
        "syncEvery",
        "1: workers sum their gradients in each step. k: each takes k steps alone, then their "
        "weights are averaged.",
        at_least_one("syncEvery"),
    )
    numWorkers = declare_param(
        "numWorkers",
        "Workers, 1 or more, each of which needs a task slot; unset: all task slots.",
        at_least_one("numWorkers"),
    )
    timeout = declare_param(
        "timeout",
        "Seconds that workers wait for each other, for the driver and for task slots.",
        seconds,
    )
    verbose = declare_param(
        "verbose",
        "0: nothing is printed; 1: a line per epoch.",
        TypeConverters.toInt,
    )

    def getModelFile(self) -> str:
        """Return the path of the model."""
        return self.getOrDefault(self.modelFile)

    def setModelFile(self: T, value: str | Path) -> T:
        """Set the path of the model."""
        return self._set(modelFile=value)

    def getOptimizer(self) -> Any:
        """Return the optimizer."""
        return self.getOrDefault(self.optimizer)

    def setOptimizer(self: T, value: OptimizerLike) -> T:
        """Set the optimizer."""
        return self._set(optimizer=value)

    def getLoss(self) -> LossLike | PerOutput | None:
        """Return the loss."""
        return self.getOrDefault(self.loss)

    def setLoss(self: T, value: LossLike | PerOutput) -> T:
        """Set the loss."""
        return self._set(loss=value)

    def getLossWeights(self) -> PerOutput | None:
        """Return the factors of the losses."""
        return self.getOrDefault(self.lossWeights)

    def setLossWeights(self: T, value: PerOutput) -> T:
        """Set the factors of the losses."""
        return self._set(lossWeights=value)

    def getMetrics(self) -> PerOutput | None:
        """Return the metrics."""
        return self.getOrDefault(self.metrics)

    def setMetrics(self: T, value: PerOutput) -> T:
        """Set the metrics."""
        return self._set(metrics=value)

    def getBatchSize(self) -> int:
        """Return the rows of a global batch."""
        return self.getOrDefault(self.batchSize)

    def setBatchSize(self: T, value: int) -> T:
        """Set the rows of a global batch."""
        return self._set(batchSize=value)

    def getEpochs(self) -> int:
        """Return the number of epochs."""
        return self.getOrDefault(self.epochs)

    def setEpochs(self: T, value: int) -> T:
        """Set the number of epochs."""
        return self._set(epochs=value)

    def getShuffle(self) -> bool:
        """Return whether each epoch has its own order."""
        return self.getOrDefault(self.shuffle)

    def setShuffle(self: T, value: bool) -> T:
        """Set whether each epoch has its own order."""
        return self._set(shuffle=value)

    def getPaddingValue(self) -> float | dict[str, float]:
        """Return what rows of unequal length are padded with."""
        return self.getOrDefault(self.paddingValue)

    def setPaddingValue(self: T, value: float | Mapping[str, float]) -> T:
        """Set what rows of unequal length are padded with."""
        return self._set(paddingValue=value)

    def getBucketByLength(self) -> bool:
        """Return whether the rows of a batch are of like length."""
        return self.getOrDefault(self.bucketByLength)

    def setBucketByLength(self: T, value: bool) -> T:
        """Set whether the rows of a batch are of like length."""
        return self._set(bucketByLength=value)

    def getSeed(self) -> int:
        """Return the seed."""
        return self.getOrDefault(self.seed)

    def setSeed(self: T, value: int) -> T:
        """Set the seed."""
        return self._set(seed=value)

    def getSyncEvery(self) -> int:
        """Return after how many steps workers synchronize."""
        return self.getOrDefault(self.syncEvery)

    def setSyncEvery(self: T, value: int) -> T:
        """Set after how many steps workers synchronize."""
        return self._set(syncEvery=value)

    def getNumWorkers(self) -> int:
        """Return the number of workers."""
        return self.getOrDefault(self.numWorkers)

    def setNumWorkers(self: T, value: int) -> T:
        """Set the number of workers."""
        return self._set(numWorkers=value)

    def getTimeout(self) -> float:
        """Return the deadline of waits in seconds."""
        return self.getOrDefault(self.timeout)

    def setTimeout(self: T, value: float) -> T:
        """Set the deadline of waits in seconds."""
        return self._set(timeout=value)

    def getVerbose(self) -> int:
        """Return whether epochs are printed."""
        return self.getOrDefault(self.verbose)

    def setVerbose(self: T, value: int) -> T:
        """Set whether epochs are printed."""
        return self._set(verbose=value)
