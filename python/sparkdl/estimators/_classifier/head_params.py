"""The params of how a classifier is trained, with their setters and getters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pyspark.ml.param import Params, TypeConverters

from sparkdl._models.keras_arguments import OptimizerLike
from sparkdl.errors import SparkDLException
from sparkdl.param import SparkDLTypeConverters
from sparkdl.param.converters import at_least_one, one_of, path
from sparkdl.param.declaration import declare_param
from sparkdl.training._estimator.training_converters import callbacks

P = TypeVar("P", bound="HeadParams")

AUGMENTATIONS = ("flip", "crop", "colour")


def _least(name: str, least: float, below: float = float("inf")) -> Callable[[Any], float]:
    """Return a converter that accepts numbers from `least` to less than `below`."""

    def to_number(value: object) -> float:
        number = TypeConverters.toFloat(value)
        if not least <= number < below:
            limit = f" and less than {below:g}" if below < float("inf") else ""
            raise SparkDLException(f"{name} must be at least {least:g}{limit}, got {number:g}.")
        return number

    return to_number


def _whole(name: str) -> Callable[[Any], int]:
    check = _least(name, 0)
    return lambda value: int(check(TypeConverters.toInt(value)))


def _augmentations(value: object) -> list[str]:
    kinds = TypeConverters.toListString([value] if isinstance(value, str) else value)
    unknown = [k for k in kinds if k not in AUGMENTATIONS]
    if unknown:
        raise SparkDLException(
            f"Unknown augment {unknown[0]!r}. Expected a list of: {', '.join(AUGMENTATIONS)}."
        )
    return kinds


_augmentations.__name__ = "toListOfAugmentations"  # pyspark asks the name whether it is a list


class HeadParams(Params):
    """The head, and how it is trained."""

    headUnits = declare_param(
        "headUnits",
        "Units of the dense layer (relu) between the features and the softmax; 0: no such layer.",
        _whole("headUnits"),
    )
    optimizer = declare_param(
        "optimizer",
        "Name of one of Keras' optimizers, or an optimizer, of which the configuration is taken.",
        SparkDLTypeConverters.toKerasOptimizer,
    )
    learningRate = declare_param(
        "learningRate", "The optimizer's learning rate; unset: its own.", _least("learningRate", 0)
    )
    fineTuneLearningRate = declare_param(
        "fineTuneLearningRate",
        "The optimizer's learning rate when unfreezeFrom is set and the network is trained.",
        _least("fineTuneLearningRate", 0),
    )
    epochs = declare_param("epochs", "Largest number of epochs.", at_least_one("epochs"))
    batchSize = declare_param(
        "batchSize", "Images per step of training, on all workers.", at_least_one("batchSize")
    )
    validationFraction = declare_param(
        "validationFraction",
        "Share of the images that is held out for validation, 0 for none.",
        _least("validationFraction", 0, 1),
    )
    validationCol = declare_param(
        "validationCol",
        "Name of a boolean column, true for rows that are held out; instead of validationFraction.",
        TypeConverters.toString,
    )
    earlyStoppingPatience = declare_param(
        "earlyStoppingPatience",
        "Epochs without a smaller validation loss after which training stops; 0: never.",
        _whole("earlyStoppingPatience"),
    )
    augment = declare_param(
        "augment",
        f"What is done at random to copies of the training images: {', '.join(AUGMENTATIONS)}.",
        _augmentations,
    )
    augmentCopies = declare_param(
        "augmentCopies",
        "How many copies of each image augment makes for a frozen network.",
        at_least_one("augmentCopies"),
    )
    callbacks = declare_param(
        "callbacks",
        "Callbacks of Keras, which run on the driver: in the training of the head, then in that of "
        "the network.",
        callbacks,
    )
    classWeight = declare_param(
        "classWeight",
        "none, or balanced: rows of rare classes count more.",
        one_of("classWeight", ("none", "balanced")),
    )
    tensorBoardDir = declare_param(
        "tensorBoardDir", "Directory for TensorBoard; unset: none.", path
    )
    checkpointDir = declare_param(
        "checkpointDir",
        "Directory for the state after each epoch, from which a fit that was interrupted resumes.",
        path,
    )
    seed = declare_param(
        "seed", "Seed of first weights, order, split and augmentation.", TypeConverters.toInt
    )
    numWorkers = declare_param(
        "numWorkers",
        "Tasks that train the network, when unfreezeFrom is set; unset: all task slots.",
        at_least_one("numWorkers"),
    )
    verbose = declare_param(
        "verbose", "0: silent; 1: a line per epoch on stderr.", _whole("verbose")
    )

    def getHeadUnits(self) -> int:
        """Return the units of the dense layer of the head."""
        return int(self.getOrDefault(self.headUnits))

    def setHeadUnits(self: P, value: int) -> P:
        """Set the units of the dense layer of the head."""
        return self._set(headUnits=value)

    def getOptimizer(self) -> Any:
        """Return the optimizer."""
        return self.getOrDefault(self.optimizer)

    def setOptimizer(self: P, value: OptimizerLike) -> P:
        """Set the optimizer."""
        return self._set(optimizer=value)

    def getCallbacks(self) -> list[Any]:
        """Return the callbacks."""
        return self.getOrDefault(self.callbacks)

    def setCallbacks(self: P, value: Sequence[Any]) -> P:
        """Set the callbacks."""
        return self._set(callbacks=value)

    def getLearningRate(self) -> float:
        """Return the optimizer's learning rate."""
        return float(self.getOrDefault(self.learningRate))

    def setLearningRate(self: P, value: float) -> P:
        """Set the optimizer's learning rate."""
        return self._set(learningRate=value)

    def getFineTuneLearningRate(self) -> float:
        """Return the learning rate for the network."""
        return float(self.getOrDefault(self.fineTuneLearningRate))

    def setFineTuneLearningRate(self: P, value: float) -> P:
        """Set the learning rate for the network."""
        return self._set(fineTuneLearningRate=value)

    def getEpochs(self) -> int:
        """Return the largest number of epochs."""
        return int(self.getOrDefault(self.epochs))

    def setEpochs(self: P, value: int) -> P:
        """Set the largest number of epochs."""
        return self._set(epochs=value)

    def getBatchSize(self) -> int:
        """Return the images per step of training."""
        return int(self.getOrDefault(self.batchSize))

    def setBatchSize(self: P, value: int) -> P:
        """Set the images per step of training."""
        return self._set(batchSize=value)

    def getValidationFraction(self) -> float:
        """Return the share of rows that is held out."""
        return float(self.getOrDefault(self.validationFraction))

    def setValidationFraction(self: P, value: float) -> P:
        """Set the share of rows that is held out."""
        return self._set(validationFraction=value)

    def getValidationCol(self) -> str:
        """Return the name of the column that says which rows are held out."""
        return str(self.getOrDefault(self.validationCol))

    def setValidationCol(self: P, value: str) -> P:
        """Set the name of the column that says which rows are held out."""
        return self._set(validationCol=value)

    def getEarlyStoppingPatience(self) -> int:
        """Return the epochs to wait for a smaller loss."""
        return int(self.getOrDefault(self.earlyStoppingPatience))

    def setEarlyStoppingPatience(self: P, value: int) -> P:
        """Set the epochs to wait for a smaller loss."""
        return self._set(earlyStoppingPatience=value)

    def getAugment(self) -> list[str]:
        """Return the random changes of training images."""
        kinds: list[str] = self.getOrDefault(self.augment)
        return list(kinds)

    def setAugment(self: P, value: Sequence[str] | str) -> P:
        """Set the random changes of training images."""
        return self._set(augment=value)

    def getAugmentCopies(self) -> int:
        """Return the copies of each image that augment makes."""
        return int(self.getOrDefault(self.augmentCopies))

    def setAugmentCopies(self: P, value: int) -> P:
        """Set the copies of each image that augment makes."""
        return self._set(augmentCopies=value)

    def getClassWeight(self) -> str:
        """Return the weighting of classes."""
        return str(self.getOrDefault(self.classWeight))

    def setClassWeight(self: P, value: str) -> P:
        """Set the weighting of classes."""
        return self._set(classWeight=value)

    def getTensorBoardDir(self) -> str:
        """Return the directory for TensorBoard."""
        return str(self.getOrDefault(self.tensorBoardDir))

    def setTensorBoardDir(self: P, value: str | Path) -> P:
        """Set the directory for TensorBoard."""
        return self._set(tensorBoardDir=value)

    def getCheckpointDir(self) -> str:
        """Return the directory for the state of training."""
        return str(self.getOrDefault(self.checkpointDir))

    def setCheckpointDir(self: P, value: str | Path) -> P:
        """Set the directory for the state of training."""
        return self._set(checkpointDir=value)

    def getSeed(self) -> int:
        """Return the seed."""
        return int(self.getOrDefault(self.seed))

    def setSeed(self: P, value: int) -> P:
        """Set the seed."""
        return self._set(seed=value)

    def getNumWorkers(self) -> int:
        """Return the number of tasks that train the network."""
        return int(self.getOrDefault(self.numWorkers))

    def setNumWorkers(self: P, value: int) -> P:
        """Set the number of tasks that train the network."""
        return self._set(numWorkers=value)

    def getVerbose(self) -> int:
        """Return whether a line per epoch is printed."""
        return int(self.getOrDefault(self.verbose))

    def setVerbose(self: P, value: int) -> P:
        """Set whether a line per epoch is printed."""
        return self._set(verbose=value)
