"""Images that a user's function loads, in Python workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sparkdl._columns import existing_column
from sparkdl.errors import SettingsException
from sparkdl.session.spark_api import arrow_iterator_function

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from pyspark.sql import DataFrame

Loader = Callable[[Any], Any]
_IMAGE_1X = "__sdl_img"

# A batch goes back to the JVM when it has this many bytes: Spark's batches of 10,000 rows, made
# for numbers, would be gigabytes of images.
_BATCH_BYTES = 16 << 20

_RESULT_TYPE = (
    "struct<image: struct<origin: string, height: int, width: int, nChannels: int, mode: int, "
    "data: binary>, reason: string>"
)

# OpenCV's types, from dtype and channels to the number in an image struct.
_MODES = {
    ("uint8", 1): 0,
    ("uint8", 3): 16,
    ("uint8", 4): 24,
    ("float32", 1): 5,
    ("float32", 3): 21,
    ("float32", 4): 29,
}


class ImageLoading:
    """A stage with an `imageLoader`."""

    def _loader(self) -> Loader:
        """Return the function; one that came with a saved stage is loaded, with consent."""
        from sparkdl.param.saved_function import SavedFunction

        stage: Any = self
        loader: Any = stage.getImageLoader()
        return loader.load() if isinstance(loader, SavedFunction) else loader

    def loadImagesInternal(self, dataframe: DataFrame, inputCol: str) -> DataFrame:
        """Add the images that imageLoader loads as column "__sdl_img"; null where it fails."""
        stage: Any = self
        if not stage.isSet("imageLoader"):
            raise SettingsException("imageLoader is not set: set the function that loads an image.")
        reason = f"{stage.uid}__reason"
        return load_images(dataframe, inputCol, self._loader(), _IMAGE_1X, reason).drop(reason)


def load_images(
    df: DataFrame, uri_col: str, loader: Loader, image_col: str, reason_col: str
) -> DataFrame:
    """Add the images that a function loads, and the reasons why there are none.

    Parameters
    ----------
    df : DataFrame
    uri_col : str
        A column of any type, usually of URIs; the function is not called for nulls.
    loader : callable
        From a value to an array ``[1, height, width, channels]`` or ``[height, width, channels]``
        in RGB order (grey, or with alpha), uint8 or float; floats become float32. It runs in
        Python workers of the executors, so it must be picklable.
    image_col : str
        New column: Spark's image struct in BGR order, origin = the URI (the value as text). Null if
        there is none.
    reason_col : str
        New column: null, or why there is no image: the type and text of what the function raised,
        or what is wrong with its result, and the URI.

    Returns
    -------
    DataFrame
        Lazy: nothing runs before an action, and nothing is collected.
    """
    from pyspark.sql.functions import col

    def load(batches: Iterator[pa.Array]) -> Any:
        return _in_batches((u.as_py() for uris in batches for u in uris), loader)

    loading = arrow_iterator_function(load, _RESULT_TYPE)
    image_and_reason = f"{image_col}__{reason_col}"
    return (
        df.withColumn(image_and_reason, loading(existing_column(df, uri_col).column))
        .withColumns(
            {
                image_col: col(f"`{image_and_reason}`.image"),
                reason_col: col(f"`{image_and_reason}`.reason"),
            }
        )
        .drop(image_and_reason)
    )


def _in_batches(uris: Iterator[Any], loader: Loader) -> Iterator[pa.Array]:
    rows: list[dict[str, Any]] = []
    size = 0
    for uri in uris:
        row = _row(uri, loader)
        rows.append(row)
        size += len(row["image"]["data"]) if row["image"] else 0
        if size >= _BATCH_BYTES:
            yield _array(rows)
            rows, size = [], 0
    if rows:
        yield _array(rows)


def _array(rows: list[dict[str, Any]]) -> pa.Array:
    import pyarrow as pa

    numbers = [(name, pa.int32()) for name in ("height", "width", "nChannels", "mode")]
    image = pa.struct([("origin", pa.string()), *numbers, ("data", pa.binary())])
    return pa.array(rows, pa.struct([("image", image), ("reason", pa.string())]))


def _row(uri: Any, loader: Loader) -> dict[str, Any]:
    if uri is None:
        return {"image": None, "reason": None}
    try:
        return {"image": image_of(loader(uri), str(uri)), "reason": None}
    except Exception as e:  # whatever the user's function raises is the row's reason
        return {"image": None, "reason": f"{type(e).__name__}: {e} (imageLoader on '{uri}')"}


def image_of(result: object, origin: str) -> dict[str, Any]:
    """Return the fields of the image struct, in BGR order, for a loader's result in RGB.

    Raises
    ------
    ValueError
        The shape is not that of an image.
    TypeError
        The numbers are neither uint8 nor floats.
    """
    import numpy as np

    pixels = _pixels(np.asarray(result))
    height, width, channels = pixels.shape
    if channels >= 3:
        pixels = pixels[:, :, [2, 1, 0, 3][:channels]]
    return {
        "origin": origin,
        "height": height,
        "width": width,
        "nChannels": channels,
        "mode": _MODES[str(pixels.dtype), channels],
        "data": np.ascontiguousarray(pixels).tobytes(),
    }


def _pixels(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shape = array.shape
    if len(shape) == 4 and shape[0] == 1:
        array = array[0]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(
            "expected an array [1, height, width, channels] or [height, width, channels] with 1, "
            f"3 or 4 channels, got {'no array' if array.dtype == object else list(shape)}"
        )
    if array.dtype.kind == "f":
        return array.astype("float32", copy=False)
    if array.dtype != "uint8":
        raise TypeError(f"expected uint8 or float pixels, got {array.dtype}")
    return array
