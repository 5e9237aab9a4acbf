"""Image structs to arrays and PIL images, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sparkdl._old_names import old_keywords
from sparkdl.errors import InvalidInputException, SparkDLException
from sparkdl.errors.builtin_errors import UnknownNameException, WrongStateException

if TYPE_CHECKING:
    import tensorflow as tf
    from PIL.Image import Image
    from pyspark.sql.types import Row

Array = npt.NDArray[Any]


class ImageType(NamedTuple):
    """A type of pixels.

    Attributes
    ----------
    name : str
        OpenCV's name.
    ord : int
        OpenCV's number, which image structs have as `mode`.
    nChannels : int
        1 (grey), 3 (BGR) or 4 (BGRA).
    dtype : str
        numpy's name of the type of a value.
    """

    name: str
    ord: int
    nChannels: int
    dtype: str


_TYPES = (
    ImageType("CV_8UC1", 0, 1, "uint8"),
    ImageType("CV_32FC1", 5, 1, "float32"),
    ImageType("CV_8UC3", 16, 3, "uint8"),
    ImageType("CV_32FC3", 21, 3, "float32"),
    ImageType("CV_8UC4", 24, 4, "uint8"),
    ImageType("CV_32FC4", 29, 4, "float32"),
)


@old_keywords(ordinal="ord")
def imageTypeByOrdinal(ord: int) -> ImageType:
    """Return the type for a struct's `mode`; a KeyError if sparkdl does not know it.

    >>> imageTypeByOrdinal(16)
    ImageType(name='CV_8UC3', ord=16, nChannels=3, dtype='uint8')
    """
    return _type({t.ord: t for t in _TYPES}, ord)


def imageTypeByName(name: str) -> ImageType:
    """Return the type with OpenCV's name; a KeyError if sparkdl does not know it."""
    return _type({t.name: t for t in _TYPES}, name)


def _type(types: dict[Any, ImageType], key: object) -> ImageType:
    if key not in types:
        known = ", ".join(f"{t.name} ({t.ord})" for t in _TYPES)
        raise UnknownNameException(f"Unknown type of image: {key!r}. Expected one of {known}.")
    return types[key]


def imageArrayToStruct(imgArray: npt.ArrayLike, origin: str = "") -> Row:
    """Return the image struct of an array. Its colours are taken as they are, so pass BGR(A).

    Parameters
    ----------
    imgArray : numpy.ndarray
        [height, width, channels] or [1, height, width, channels], uint8 or float32, with 1, 3 or
        4 channels.
    origin : str
        Where it comes from.

    Raises
    ------
    AssertionError, ValueError, KeyError
        The number of dimensions, the dtype or the number of channels is not one of these.
    """
    from pyspark.sql import Row

    image = _three_dimensions(np.asarray(imgArray))
    kinds = {t.nChannels: t for t in _TYPES if t.dtype == image.dtype}
    if not kinds:
        raise SparkDLException(
            f"An image struct holds uint8 or float32, got an array of {image.dtype}. "
            'Convert it, for example image.astype("float32").'
        )
    if image.shape[2] not in kinds:
        raise UnknownNameException(f"An image has 1, 3 or 4 channels, got shape {image.shape}.")
    height, width, channels = image.shape
    return Row(
        origin=origin,
        height=height,
        width=width,
        nChannels=channels,
        mode=kinds[channels].ord,
        data=bytearray(np.ascontiguousarray(image).tobytes()),
    )


def _three_dimensions(image: Array) -> Array:
    if image.ndim == 4:
        if image.shape[0] != 1:
            raise SparkDLException(f"Expected one image, got a batch of shape {image.shape}.")
        image = image[0]
    if image.ndim != 3:
        raise WrongStateException(
            f"Expected an array [height, width, channels], got shape {image.shape}. "
            "A grey image has one channel: image[..., None]."
        )
    return image


def imageStructToArray(imageRow: Row) -> Array:
    """Return the pixels [height, width, nChannels] of a struct, without a copy of them.

    The array cannot be written to when `data` is `bytes`, as it is in functions on rows.
    """
    kind = _kind(imageRow)
    shape = (imageRow.height, imageRow.width, kind.nChannels)
    expected = int(np.prod(shape)) * np.dtype(kind.dtype).itemsize
    if len(imageRow.data) != expected:
        raise InvalidInputException(
            f"The image {imageRow.origin!r} of {shape[0]} x {shape[1]} pixels {kind.name} should "
            f"have {expected} bytes of data, got {len(imageRow.data)}."
        )
    pixels: Array = np.ndarray(shape, kind.dtype, imageRow.data)
    return pixels


def _kind(imageRow: Row) -> ImageType:
    if imageRow.mode == -1:
        raise InvalidInputException(f"The image {imageRow.origin!r} could not be decoded.")
    return imageTypeByOrdinal(imageRow.mode)


def imageStructToPIL(imageRow: Row) -> Any:
    """Return a uint8 struct as a PIL image: RGB, RGBA or L (grey).

    Raises
    ------
    ValueError
        Its values are float32, for which PIL has no colours.
    """
    from PIL import Image

    kind = _kind(imageRow)
    if kind.dtype != "uint8":
        raise SparkDLException(f"PIL takes images of uint8, got {kind.name} ({kind.dtype}).")
    pixels = fixColorChannelOrdering("RGB", imageStructToArray(imageRow))
    return Image.fromarray(pixels[..., 0] if kind.nChannels == 1 else np.ascontiguousarray(pixels))


def PIL_to_imageStruct(img: Image) -> Array:
    """Return a PIL image as an array [height, width, channels] of uint8, BGR, BGRA or grey.

    Other modes of PIL (palettes, CMYK) are converted. For a struct, pass the result to
    `imageArrayToStruct`.
    """
    if img.mode not in ("RGB", "RGBA", "L"):
        transparent = img.mode in ("LA", "PA", "La", "RGBa") or "transparency" in img.info
        img = img.convert("RGBA" if transparent else "L" if img.mode == "1" else "RGB")
    pixels: Array = np.asarray(img)
    if pixels.ndim == 2:
        return pixels[..., None]
    reordered: Array = np.ascontiguousarray(fixColorChannelOrdering("RGB", pixels))
    return reordered


@old_keywords(currentOrder="currentChannelOrder")
def fixColorChannelOrdering(currentChannelOrder: str, imgAry: npt.NDArray[Any] | tf.Tensor) -> Any:
    """Turn RGB into BGR; BGR and grey stay as they are, and so does alpha, which is last.

    Since the colours are just reversed, "RGB" also turns BGR into RGB.

    Parameters
    ----------
    currentChannelOrder : {"RGB", "BGR", "L"}
        The order of the array.
    imgAry : numpy.ndarray or tf.Tensor
        [..., channels], or a grey image [height, width].

    Raises
    ------
    ValueError
        The order is another, or an array with the order "L" has several channels.
    """
    channels = 1 if len(imgAry.shape) == 2 else imgAry.shape[-1]
    if currentChannelOrder not in ("RGB", "BGR", "L"):
        raise SparkDLException(
            f"Unknown channel order {currentChannelOrder!r}. Expected RGB, BGR or L."
        )
    if currentChannelOrder == "L" and channels not in (1, None):
        raise SparkDLException(f"An image with the order L has 1 channel, got {channels}.")
    if currentChannelOrder != "RGB" or channels == 1:
        return imgAry
    if isinstance(imgAry, np.ndarray):
        return imgAry[..., [2, 1, 0, 3] if channels == 4 else [2, 1, 0]]
    from sparkdl.graph.pieces import reversed_channels

    return reversed_channels(imgAry)
