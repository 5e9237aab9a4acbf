"""What the pictures have in common: figures that notebooks show, pixels of any image, colours."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparkdl.errors import InvalidInputException, SettingsException

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pyspark.sql import Row

# Spark's image struct, the bytes of an image file, or pixels.
ImageLike: TypeAlias = "Row | bytes | bytearray | NDArray[Any]"
RIGHT, WRONG = "#1a7f37", "#cf222e"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, of which pyplot does not know."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as e:
        if e.name != "matplotlib":
            raise
        raise SettingsException(
            "Pictures need matplotlib, which is not installed. Install it: "
            "pip install 'sparkdl-py[plot]'."
        ) from None

    class NotebookFigure(Figure):
        """A figure that a notebook shows even where nobody has imported pyplot."""

        def _repr_png_(self) -> bytes:
            out = io.BytesIO()
            self.savefig(out, format="png")
            return out.getvalue()

    return NotebookFigure(figsize=(width, height), layout="constrained")


def as_pixels(image: ImageLike) -> NDArray[Any]:
    """Return the pixels of an image [height, width, channels], RGB or grey.

    Parameters
    ----------
    image : Row, bytes or ndarray
        Spark's image struct, the bytes of a file, or pixels.
    """
    if isinstance(image, (bytes, bytearray)):
        return _decode(bytes(image))
    if hasattr(image, "nChannels") and not isinstance(image, np.ndarray):
        from sparkdl.image.imageIO import fixColorChannelOrdering, imageStructToArray

        pixels: NDArray[Any] = fixColorChannelOrdering("RGB", imageStructToArray(image))
        return pixels
    array = np.asarray(image)
    if array.ndim not in (2, 3):
        raise SettingsException(
            "Expected an image struct, the bytes of an image file, or pixels [height, width, "
            f"channels], got {type(image).__name__} of shape {list(array.shape)}."
        )
    return array[..., None] if array.ndim == 2 else array


def _decode(encoded: bytes) -> NDArray[Any]:
    """Decode a file as the cluster does, rotated as the camera noted."""
    from sparkdl.image.imageIO import PIL_decode, fixColorChannelOrdering

    try:
        pixels: NDArray[Any] = fixColorChannelOrdering("RGB", PIL_decode(encoded))
    except OSError as e:  # PIL's errors are OSErrors
        raise InvalidInputException(
            f"Cannot show an image of {len(encoded)} bytes: {e}. Expected the bytes of a JPEG, "
            "PNG, BMP, GIF, WebP or TIFF file. Leave out rows whose images cannot be read."
        ) from e
    return pixels
