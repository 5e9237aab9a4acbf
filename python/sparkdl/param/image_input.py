"""The params of every stage that takes a column of images and resizes them."""

from __future__ import annotations

from typing import TypeVar

from pyspark.ml.param import Param, Params

from sparkdl.param.converters import SCALE_HINTS, one_of
from sparkdl.param.declaration import declare_param

T = TypeVar("T", bound="ImageInputParams")


class ImageInputParams(Params):
    """The column of images, which each stage documents itself, and how they are resized."""

    inputCol: Param[str]
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

    def getScaleHint(self) -> str:
        """Return how images are resized."""
        return self.getOrDefault(self.scaleHint)

    def setScaleHint(self: T, value: str) -> T:
        """Set how images are resized."""
        return self._set(scaleHint=value)
