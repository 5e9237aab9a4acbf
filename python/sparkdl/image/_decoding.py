"""Decoding and resizing with PIL in Python workers, and reading files with a user's function."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sparkdl.errors import SparkDLException
from sparkdl.image._structs import (
    Array,
    PIL_to_imageStruct,
    imageArrayToStruct,
    imageStructToPIL,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from pyspark import SparkContext
    from pyspark.sql import DataFrame
    from pyspark.sql.types import Row


def _resize(image: Image, width: int, height: int) -> Any:
    """Resize with the bilinear filter.

    PIL's own default has changed (nearest until version 6, bicubic since). PIL's bilinear filter
    averages over all pixels when it shrinks an image and, unlike bicubic, never overshoots at
    edges. It is what the stages do with scaleHint SCALE_SMOOTH.
    """
    from PIL import Image

    if image.size == (width, height):
        return image
    return image.resize((width, height), Image.Resampling.BILINEAR)


def createResizeImageUDF(size: Sequence[int]) -> Any:
    """Return a function for columns that resizes images.

    Parameters
    ----------
    size : (int, int)
        Height and width.

    Returns
    -------
    user-defined function
        From image struct (uint8) to image struct with the same origin, resized with PIL's bilinear
        filter. Null, and an image that could not be decoded, give null. Its `func` is the Python
        function.

    Examples
    --------
    >>> df.select(createResizeImageUDF((224, 224))("image"))  # doctest: +SKIP
    """
    if len(size) != 2:
        raise SparkDLException(f"Expected a size (height, width), got {size!r}.")
    from pyspark.ml.image import ImageSchema
    from pyspark.sql.functions import udf

    height, width = int(size[0]), int(size[1])

    def resize(image: Row | None) -> Row | None:
        if image is None or image.mode == -1:
            return None
        if (image.height, image.width) == (height, width):
            return image
        pixels = PIL_to_imageStruct(_resize(imageStructToPIL(image), width, height))
        return imageArrayToStruct(pixels, image.origin)

    return udf(resize, ImageSchema.columnSchema, useArrow=False)


def PIL_decode(raw_bytes: bytes) -> Array:
    """Return the pixels [height, width, channels] of an encoded image, uint8, BGR(A) or grey.

    The orientation that a camera recorded (EXIF) is applied.
    """
    return PIL_to_imageStruct(_open(raw_bytes))


def PIL_decode_and_resize(size: Sequence[int]) -> Callable[[bytes], Array]:
    """Return a function like `PIL_decode` that also resizes.

    Parameters
    ----------
    size : (int, int)
        Width and height, in the order of PIL.
    """
    width, height = int(size[0]), int(size[1])
    return lambda raw_bytes: PIL_to_imageStruct(_resize(_open(raw_bytes), width, height))


def _open(raw_bytes: bytes) -> Any:
    from PIL import Image, ImageOps

    return ImageOps.exif_transpose(Image.open(io.BytesIO(raw_bytes)))


def filesToDF(sc: SparkContext, path: str, numPartitions: int | None = None) -> DataFrame:
    """Return a row for each file: filePath (string) and fileData (binary).

    Parameters
    ----------
    sc : SparkContext
    path : str
        A directory or glob, or several separated by commas, on any file system that Hadoop reads.
    numPartitions : int, optional
        Default: `sc.defaultParallelism`.
    """
    from pyspark.sql.types import BinaryType, StringType, StructField, StructType

    from sparkdl.session.jvm_door import active_session

    partitions = numPartitions or sc.defaultParallelism
    schema = StructType(
        [
            StructField("filePath", StringType(), False),
            StructField("fileData", BinaryType(), False),
        ]
    )
    files = sc.binaryFiles(path, minPartitions=partitions).repartition(partitions)
    return active_session().createDataFrame(files, schema)


def readImagesWithCustomFn(
    path: str, decode_f: Callable[[bytes], Any], numPartition: int | None = None
) -> DataFrame:
    """Read images with a custom function. `sparkdl.readImages` needs none and is faster.

    Parameters
    ----------
    path : str
        A directory or glob, or several separated by commas, on any file system that Hadoop reads.
    decode_f : callable
        From the content of a file to an array [height, width, channels], uint8 or float32, BGR(A)
        or grey, or to None. It runs in Python workers.
    numPartition : int, optional
        Default: the default parallelism.

    Returns
    -------
    DataFrame
        The columns of `sparkdl.readImages`: ``image``, Spark's image struct, null where the
        function failed or returned None; and ``error``, the reason, null where there is an image.
    """
    from sparkdl.session.jvm_door import active_session

    return _readImagesWithCustomFn(path, decode_f, numPartition, active_session().sparkContext)


def _readImagesWithCustomFn(
    path: str, decode_f: Callable[[bytes], Any], numPartition: int | None, sc: SparkContext
) -> DataFrame:
    from pyspark.ml.image import ImageSchema
    from pyspark.sql.functions import udf
    from pyspark.sql.types import StringType, StructType

    def decode(origin: str, content: bytes) -> tuple[Row | None, str | None]:
        try:
            image = decode_f(bytes(content))
            if image is None:
                return None, "decode_f returned None."
            return imageArrayToStruct(image, origin), None
        except Exception as e:  # a folder of images may well have files that are not images
            return None, f"{type(e).__name__}: {e}"

    read = StructType().add("image", ImageSchema.columnSchema).add("error", StringType())
    # As far as the optimizer is concerned not deterministic, so that it is not called twice.
    decoded = udf(decode, read, useArrow=False).asNondeterministic()("filePath", "fileData")
    rows = filesToDF(sc, path, numPartition).select(decoded.alias("read"))
    return rows.select("read.image", "read.error")
