"""The params of the stages that feed images to any model."""

from __future__ import annotations

from typing import TypeVar

from sparkdl.param.converters import one_of
from sparkdl.param.declaration import declare_param
from sparkdl.param.image_input import ImageInputParams
from sparkdl.param.model_stage import ModelStageParams, OutputColParams

T = TypeVar("T", bound="ImageModelParams")


class ImageModelParams(ImageInputParams, ModelStageParams, OutputColParams):
    """The images and the form of the output, as in Scala's ImageModelStage."""

    outputMode = declare_param(
        "outputMode",
        "Form of the new column: vector (an MLlib vector of the flattened, row-major output) or "
        "image (Spark's image struct, of an output with height, width and 1, 3 or 4 channels).",
        one_of("outputMode", ("vector", "image")),
    )

    def getOutputMode(self) -> str:
        """Return the form of the new column."""
        return self.getOrDefault(self.outputMode)

    def setOutputMode(self: T, value: str) -> T:
        """Set the form of the new column: vector or image."""
        return self._set(outputMode=value)
