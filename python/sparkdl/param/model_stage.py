"""The params of every stage that applies a model."""

from __future__ import annotations

from typing import TypeVar

from pyspark.ml.param import Params, TypeConverters

from sparkdl.param.converters import at_least_one, one_of
from sparkdl.param.declaration import declare_param
from sparkdl.param.invalid_rows import POLICIES

T = TypeVar("T", bound="ModelStageParams")
U = TypeVar("U", bound="OutputColParams")


class ModelStageParams(Params):
    """Params of all stages, the same as in Scala's trait of this name.

    The texts are those of the Scala side, word for word; a test compares them.
    """

    batchSize = declare_param(
        "batchSize",
        "Rows per run of the model, 1 or more; unset: the session's spark.sparkdl.batchSize.",
        at_least_one("batchSize"),
    )
    precision = declare_param(
        "precision",
        "float32 or bfloat16, for faster products of about 3 digits on CPUs that have it; unset: "
        "the session's spark.sparkdl.precision.",
        one_of("precision", ("float32", "bfloat16")),
    )
    handleInvalid = declare_param(
        "handleInvalid",
        "What becomes of a row that cannot be fed to the model (a null, a damaged image, an array "
        "of another length): error (the job fails and names it), skip (the row is left out), keep "
        "(null in the new columns).",
        one_of("handleInvalid", POLICIES),
    )
    errorCol = declare_param(
        "errorCol",
        "Name of a new string column for the reasons of invalid rows, which stays null unless "
        "handleInvalid is keep; unset: no such column.",
        TypeConverters.toString,
    )

    seed = declare_param(
        "seed",
        "Makes the random numbers that a model draws (in a sampling layer, or by dropout at "
        "inference) repeatable: those of a row follow from the seed and the row's columns; unset: "
        "new numbers in every run.",
        TypeConverters.toInt,
    )

    def getBatchSize(self) -> int:
        """Return the rows per run of the model."""
        return self.getOrDefault(self.batchSize)

    def setBatchSize(self: T, value: int) -> T:
        """Set the rows per run of the model."""
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

    def getSeed(self) -> int:
        """Return the seed of the random numbers that the model draws."""
        return self.getOrDefault(self.seed)

    def setSeed(self: T, value: int) -> T:
        """Set the seed of the random numbers that the model draws."""
        return self._set(seed=value)


class OutputColParams(Params):
    """The one new column of a stage that adds one, as Scala's HasOutputCol."""

    outputCol = declare_param(
        "outputCol",
        "Name of the new column; the DataFrame must not have it yet. Default: the stage's uid and "
        "__output.",
        TypeConverters.toString,
    )

    def getOutputCol(self) -> str:
        """Return the name of the new column."""
        return self.getOrDefault(self.outputCol)

    def setOutputCol(self: U, value: str) -> U:
        """Set the name of the new column."""
        return self._set(outputCol=value)
