"""The params of stages that take image files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pyspark.ml.param import TypeConverters

from sparkdl.param.converters import one_of, size
from sparkdl.param.declaration import declare_param
from sparkdl.param.image_model import ImageModelParams

T = TypeVar("T", bound="ImageFileParams")

_PREPROCESSING = ("none", "tf", "caffe", "torch")


def _function(value: object) -> Callable[..., Any]:
    from sparkdl.param.saved_function import function  # which needs these params

    return function(value)


class ImageFileParams(ImageModelParams):
    """Where images come from and what is made of them, as in Scala's KerasImageFileTransformer."""

    inputCol = declare_param(
        "inputCol",
        "Name of the column of paths or URIs of image files.",
        TypeConverters.toString,
    )
    imageLoader = declare_param(
        "imageLoader",
        "A function of Python from a URI, or whatever else inputCol holds, to an array [1, height, "
        "width, channels] or [height, width, channels] in RGB order, uint8 or float; unset: the "
        "files are read in the JVM.",
        _function,
    )
    targetSize = declare_param(
        "targetSize",
        "Height and width in pixels that images are resized to; unset: the model's, or each "
        "image's own where the model takes any.",
        size,
    )
    preprocessing = declare_param(
        "preprocessing",
        "What is made of the pixels before the model sees them: none (0 to 255), tf (-1 to 1), "
        "caffe (BGR minus ImageNet's mean) or torch (ImageNet's mean 0, deviation 1), as "
        "keras.applications.imagenet_utils has them.",
        one_of("preprocessing", _PREPROCESSING),
    )

    def getImageLoader(self) -> Callable[[str], Any]:
        """Return the function from a URI to an array."""
        return self.getOrDefault(self.imageLoader)

    def setImageLoader(self: T, value: Callable[[str], Any]) -> T:
        """Set the function from a URI to an array."""
        return self._set(imageLoader=value)

    def getTargetSize(self) -> list[int]:
        """Return height and width that images are resized to."""
        return self.getOrDefault(self.targetSize)

    def setTargetSize(self: T, value: Sequence[int]) -> T:
        """Set height and width that images are resized to."""
        return self._set(targetSize=value)

    def getPreprocessing(self) -> str:
        """Return what is made of the pixels before the model sees them."""
        return self.getOrDefault(self.preprocessing)

    def setPreprocessing(self: T, value: str) -> T:
        """Set what is made of the pixels before the model sees them: none, tf, caffe or torch."""
        return self._set(preprocessing=value)
