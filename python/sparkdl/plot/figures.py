"""What the pictures have in common: figures that notebooks show, pixels of any image, colours."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl.errors import InvalidInputException, SettingsException

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RIGHT, WRONG = "#1a7f37", "#cf222e"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, apart from pyplot."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as e:
        if e.name != "matplotlib":
            raise
        raise SettingsException(
            "Pictures need matplotlib, which is not installed. Install it: "
            "pip install 'sparkdl[plot]'."
        ) from None

    class Shown(Figure):
        """A figure that a notebook shows even where nobody has imported pyplot."""

        def _repr_png_(self) -> bytes:
            out = io.BytesIO()
            self.savefig(out, format="png")
            return out.getvalue()

    return Shown(figsize=(width, height), layout="constrained")


def as_pixels(image: Any) -> Any:
    """Return the pixels of an image [height, width, channels], RGB or grey.

    Parameters
    ----------
    image : Row, bytes or ndarray
        Spark's image struct, the bytes of a file, or pixels.
    """
    if isinstance(image, (bytes, bytearray)):
        return _decoded(bytes(image))
    if hasattr(image, "nChannels"):
        from sparkdl.image.imageIO import fixColorChannelOrdering, imageStructToArray

        return fixColorChannelOrdering("RGB", imageStructToArray(image))
    array = np.asarray(image)
    if array.ndim not in (2, 3):
        raise SettingsException(
            "Expected an image struct, the bytes of an image file, or pixels [height, width, "
            f"channels], got {type(image).__name__} of shape {list(array.shape)}."
        )
    return array[..., None] if array.ndim == 2 else array


def _decoded(encoded: bytes) -> Any:
    """Decode a file as the cluster does, turned as the camera noted."""
    from sparkdl.image.imageIO import PIL_decode, fixColorChannelOrdering

    try:
        return fixColorChannelOrdering("RGB", PIL_decode(encoded))
    except OSError as e:  # PIL's errors are OSErrors
        raise InvalidInputException(
            f"Cannot show an image of {len(encoded)} bytes: {e}. Expected the bytes of a file of "
            "JPEG, PNG, BMP or GIF. Leave rows out whose images cannot be read."
        ) from e
