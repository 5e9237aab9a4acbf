"""Images as structs, as numpy arrays and as PIL's, and reading them with custom functions.

`sparkdl.readImages` reads files in the JVM, which is faster than the functions of this module.

An image struct is Spark's: origin, height, width, nChannels, mode and data, which has the pixels
row by row in the order BGR, BGRA or grey. Arrays are [height, width, nChannels], uint8 or float32,
in the same order.
"""

from __future__ import annotations

from sparkdl.image._decoding import (
    PIL_decode,
    PIL_decode_and_resize,
    createResizeImageUDF,
    filesToDF,
    readImagesWithCustomFn,
)
from sparkdl.image._decoding import _readImagesWithCustomFn as _readImagesWithCustomFn
from sparkdl.image._structs import (
    ImageType,
    PIL_to_imageStruct,
    fixColorChannelOrdering,
    imageArrayToStruct,
    imageStructToArray,
    imageStructToPIL,
    imageTypeByName,
    imageTypeByOrdinal,
)

__all__ = [
    "ImageType",
    "PIL_decode",
    "PIL_decode_and_resize",
    "PIL_to_imageStruct",
    "createResizeImageUDF",
    "filesToDF",
    "fixColorChannelOrdering",
    "imageArrayToStruct",
    "imageStructToArray",
    "imageStructToPIL",
    "imageTypeByName",
    "imageTypeByOrdinal",
    "readImagesWithCustomFn",
]
