"""What runs in Spark's Python workers. It is sent to them, so it must not import sparkdl."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import pyarrow as pa

# A path, encoded bytes, or an image struct.
ImageCell = str | bytes | Mapping[str, Any]

_ROWS = 32  # in a batch that is sent back: a row often has a megabyte
_SUFFIXES = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"RIFF": ".webp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def preprocess(
    load: Callable[[str], Any], shape: Sequence[int | None], element: str, keep: bool
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Return a function from Arrow arrays of images to Arrow arrays of what `load` returns."""
    name = getattr(load, "__name__", type(load).__name__)

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        with tempfile.TemporaryDirectory(prefix="sparkdl-preprocess-") as folder:
            for batch in batches:
                for start in range(0, len(batch), _ROWS):
                    rows = batch.slice(start, _ROWS)
                    yield to_nested_lists(
                        [load_row(row, Path(folder)) for row in rows], len(shape), element
                    )

    def load_row(row: pa.Scalar, folder: Path) -> Any:
        if not row.is_valid:
            return None
        value = row.as_py()
        try:
            with image_file(value, folder) as file:
                return check_shape(load(file), shape)
        except Exception as e:
            if keep:
                return None
            origin = value.get("origin") if isinstance(value, dict) else None
            if isinstance(value, str):
                origin = value
            raise RuntimeError(
                f"The preprocessor '{name}' failed on {origin or 'an image'}: "
                f"{type(e).__name__}: {e}. Fix it or the image, or register the function with "
                "handle_invalid='keep' to get null for such images."
            ) from e

    run.__name__ = name
    return run


@contextmanager
def image_file(value: ImageCell, folder: Path) -> Iterator[str]:
    """Yield the path of an image: that of the user's file, or of one that is removed."""
    if isinstance(value, str):
        parts = urlsplit(value)
        yield unquote(parts.path) if parts.scheme == "file" else value
        return
    file = write_image(value, folder)
    try:
        yield str(file)
    finally:
        file.unlink(missing_ok=True)


def write_image(value: ImageCell, folder: Path) -> Path:
    """Write encoded bytes as they are, or an image struct as a PNG; return the file."""
    if isinstance(value, bytes):
        suffixes = [s for start, s in _SUFFIXES.items() if value.startswith(start)]
        file = folder / ("image" + (suffixes or [""])[0])
        file.write_bytes(value)
        return file
    import numpy as np
    from PIL import Image

    assert not isinstance(value, str)  # which needs no file
    height, width, channels = value["height"], value["width"], value["nChannels"]
    if channels not in _MODES or len(value["data"]) != height * width * channels:
        raise ValueError(
            f"the image struct does not hold a uint8 image ({height} x {width}, {channels})"
        )
    pixels = np.frombuffer(value["data"], np.uint8).reshape(height, width, channels)
    rgb = pixels[..., 0] if channels == 1 else pixels[..., [2, 1, 0, *range(3, channels)]]
    file = folder / "image.png"
    Image.fromarray(np.ascontiguousarray(rgb), _MODES[channels]).save(file, compress_level=1)
    return file


def check_shape(value: object, shape: Sequence[int | None]) -> Any:
    """Return an array of this shape, without a leading 1 that functions for Keras like to add."""
    import numpy as np

    expected = "[" + ", ".join("?" if d is None else str(d) for d in shape) + "]"
    if not isinstance(value, np.ndarray):
        raise TypeError(f"it must return a numpy array {expected}, got {type(value).__name__}")
    array = value[0] if value.ndim == len(shape) + 1 and len(value) == 1 else value
    fits = array.ndim == len(shape) and all(
        d in (None, f) for d, f in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"it must return a numpy array {expected}, got {list(value.shape)}")
    return array


def to_nested_lists(arrays: Sequence[Any], depth: int, element: str) -> Any:
    """Return numpy arrays (or None) of `depth` dimensions as one Arrow array of nested lists."""
    import numpy as np
    import pyarrow as pa

    def lists(
        lengths: Sequence[int] | np.ndarray, values: pa.Array, mask: pa.Array | None = None
    ) -> Any:
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), values, mask=mask)

    present = [a for a in arrays if a is not None]
    dtype = np.float32 if element == "float" else np.int32
    flat = [a.astype(dtype, copy=False).ravel() for a in present]
    values = pa.array(np.concatenate([np.empty(0, dtype), *flat]))
    for level in range(depth - 1, 0, -1):
        counts = [int(np.prod(a.shape[:level])) for a in present]
        values = lists(np.repeat([a.shape[level] for a in present], counts), values)
    missing = pa.array([a is None for a in arrays])
    return lists([0 if a is None else len(a) for a in arrays], values, missing)
