"""The params of the stages that feed images to any model."""

from __future__ import annotations

from typing import TypeVar

from pyspark.ml.param import Param

from sparkdl.param.converters import SCALE_HINTS, one_of
from sparkdl.param.declaration import declare_param
from sparkdl.param.model_stage import ModelStageParams, OutputColParams

T = TypeVar("T", bound="ImageModelParams")


class ImageModelParams(ModelStageParams, OutputColParams):
    """The form of the output and the way of resizing, as in Scala's ImageModelStage.

    The column of images, `inputCol`, has a text of its own in every stage.
    """

    inputCol: Param[str]
    outputMode = declare_param(
        "outputMode",
        "Form of the new column: vector (an MLlib vector of the flattened, row-major output) or "
        "image (Spark's image struct, of an output with height, width and 1, 3 or 4 channels).",
        one_of("outputMode", ("vector", "image")),
    )
    scaleHint = declare_param(
        "scaleHint",
        f"How images are resized to the model's input: {', '.join(SCALE_HINTS)}.",
        one_of("scaleHint", SCALE_HINTS),
    )

    def getInputCol(self) -> str:
        """Return the name of the column of images."""
        return self.getOrDefault(self.inputCol)

    def setInputCol(self: T, value: str) -> T:
        """Set the name of the column of images."""
        return self._set(inputCol=value)

    def getOutputMode(self) -> str:
        """Return the form of the new column."""
        return self.getOrDefault(self.outputMode)

    def setOutputMode(self: T, value: str) -> T:
        """Set the form of the new column: vector or image."""
        return self._set(outputMode=value)

    def getScaleHint(self) -> str:
        """Return how images are resized."""
        return self.getOrDefault(self.scaleHint)

    def setScaleHint(self: T, value: str) -> T:
        """Set how images are resized."""
        return self._set(scaleHint=value)
