"""The params of `KerasEstimator` that say what is recorded of a training while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pyspark.ml.param import Params, TypeConverters

from sparkdl.param.converters import at_least, path
from sparkdl.param.declaration import declare_param
from sparkdl.training._estimator.training_converters import callbacks

T = TypeVar("T", bound="RecordParams")


class RecordParams(Params):
    """Callbacks, checkpoints and records."""

    callbacks = declare_param(
        "callbacks",
        "Callbacks of Keras, which run on the driver at the end of each epoch.",
        callbacks,
    )
    checkpointDir = declare_param(
        "checkpointDir",
        "Directory for the states of trainings, local or any path of Hadoop; unset: none is kept.",
        path,
    )
    checkpointSteps = declare_param(
        "checkpointSteps",
        "Steps between checkpoints within an epoch; 0: only at its end.",
        at_least("checkpointSteps", 0),
    )
    resume = declare_param(
        "resume",
        "Whether to resume from the checkpoint of this training, if checkpointDir has one.",
        TypeConverters.toBoolean,
    )
    tensorBoardDir = declare_param(
        "tensorBoardDir",
        "Directory for TensorBoard: losses and metrics per step and epoch; unset: none.",
        path,
    )
    histogramEpochs = declare_param(
        "histogramEpochs",
        "Epochs between histograms of the weights in tensorBoardDir; 0: none.",
        at_least("histogramEpochs", 0),
    )

    def getCallbacks(self) -> list[Any]:
        """Return the callbacks."""
        return self.getOrDefault(self.callbacks)

    def setCallbacks(self: T, value: Sequence[Any]) -> T:
        """Set the callbacks."""
        return self._set(callbacks=value)

    def getCheckpointDir(self) -> str | None:
        """Return the directory of checkpoints."""
        return self.getOrDefault(self.checkpointDir)

    def setCheckpointDir(self: T, value: str | Path) -> T:
        """Set the directory of checkpoints."""
        return self._set(checkpointDir=value)

    def getCheckpointSteps(self) -> int:
        """Return the steps between checkpoints."""
        return self.getOrDefault(self.checkpointSteps)

    def setCheckpointSteps(self: T, value: int) -> T:
        """Set the steps between checkpoints."""
        return self._set(checkpointSteps=value)

    def getResume(self) -> bool:
        """Return whether to resume from a checkpoint."""
        return self.getOrDefault(self.resume)

    def setResume(self: T, value: bool) -> T:
        """Set whether to resume from a checkpoint."""
        return self._set(resume=value)

    def getTensorBoardDir(self) -> str | None:
        """Return the directory for TensorBoard."""
        return self.getOrDefault(self.tensorBoardDir)

    def setTensorBoardDir(self: T, value: str | Path) -> T:
        """Set the directory for TensorBoard."""
        return self._set(tensorBoardDir=value)

    def getHistogramEpochs(self) -> int:
        """Return the epochs between histograms."""
        return self.getOrDefault(self.histogramEpochs)

    def setHistogramEpochs(self: T, value: int) -> T:
        """Set the epochs between histograms."""
        return self._set(histogramEpochs=value)
