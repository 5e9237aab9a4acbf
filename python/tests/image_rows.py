"""Images in the forms in which stages take them, and what is expected of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MODES = {("uint8", 1): 0, ("uint8", 3): 16, ("uint8", 4): 24}
_MODES |= {("float32", 1): 5, ("float32", 3): 21, ("float32", 4): 29}


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> Array:
    """Return random uint8 pixels, RGB, RGBA or grey."""
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def as_png(pixels: Array) -> bytes:
    """Encode RGB, RGBA or grey pixels."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels.squeeze() if pixels.shape[2] == 1 else pixels).save(out, "PNG")
    return out.getvalue()


def write_png(folder: Path, name: str, pixels: Array) -> str:
    """Write a file and return its path."""
    (folder / name).write_bytes(as_png(pixels))
    return str(folder / name)


def as_struct(pixels: Array) -> tuple[Any, ...]:
    """Return the image struct, in BGR order, of RGB, RGBA or grey pixels."""
    height, width, channels = pixels.shape
    bgr = pixels if channels == 1 else pixels[:, :, [2, 1, 0, 3][:channels]]
    mode = _MODES[str(pixels.dtype), channels]
    return ("memory", height, width, channels, mode, bytearray(np.ascontiguousarray(bgr).tobytes()))


def as_array(struct: Any) -> Array:
    """Return the pixels of an image struct as they are stored."""
    dtype = np.uint8 if struct.mode in (0, 16, 24) else np.float32
    return np.frombuffer(struct.data, dtype).reshape(struct.height, struct.width, struct.nChannels)


def structs(spark: Any, *images: Array | None) -> Any:
    """Return rows of (id, image), in one partition."""
    from pyspark.ml.image import ImageSchema
    from pyspark.sql.types import IntegerType, StructField, StructType

    schema = StructType(
        [StructField("id", IntegerType()), StructField("image", ImageSchema.columnSchema)]
    )
    rows = [(i, None if a is None else as_struct(a)) for i, a in enumerate(images)]
    return spark.createDataFrame(rows, schema).coalesce(1)


def rgb(pixels: Array) -> Array:
    """Return what a model in RGB order gets of these pixels, before any scaling."""
    repeated = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    return repeated[:, :, :3].astype(np.float32)


def outputs(frame: Any, column: str = "out") -> list[Array]:
    """Return a column of vectors as arrays."""
    return [np.array(r[0].toArray()) for r in frame.select(column).collect()]
