"""What the stages are tried on: a network that sees colours with images of one colour, and tensors.

The features are the average red, green and blue, its classes the strongest of them.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

HEIGHT, WIDTH = 8, 6
LABELS = [("c0", "red"), ("c1", "green"), ("c2", "blue")]


@cache
def model_dir() -> str:
    """Return a model cache that holds the network under the name of MobileNetV2."""
    folder = Path(tempfile.mkdtemp(prefix="sparkdl-colours-"))
    return str(Path(make_bundle(folder / "MobileNetV2-imagenet")).parent)


def make_bundle(path: Path, name: str = "MobileNetV2", top: bool = True) -> str:
    """Write the network as a bundle."""
    import tensorflow as tf

    import sparkdl

    def colours(images: Any) -> dict[str, Any]:
        average = tf.reduce_mean(images, [1, 2])
        found = {
            "features_avg": average,
            "features_max": tf.reduce_max(images, [1, 2]),
            "features_none": tf.reshape(images, [-1, HEIGHT * WIDTH * 3]),
        }
        return {**found, "predictions": tf.nn.softmax(average * 0.01)} if top else found

    return sparkdl.save_bundle(
        colours,
        path,
        inputs={"images": ("float32", [None, HEIGHT, WIDTH, 3])},
        image=True,
        name=name,
        labels=LABELS if top else None,
    )


@cache
def tripled() -> str:
    """Return a bundle with y = 3 x for float32 x of three numbers per row."""
    import sparkdl

    folder = Path(tempfile.mkdtemp(prefix="sparkdl-tripled-"))
    spec = {"x": ("float32", [None, 3])}
    return sparkdl.save_bundle(lambda x: {"y": 3.0 * x}, folder / "tripled", inputs=spec)


@cache
def colours() -> str:
    """Return the bundle of the network that sees colours."""
    return str(Path(model_dir()) / "MobileNetV2-imagenet")


@cache
def averages() -> str:
    """Return a bundle with the averages of the channels of float32 images."""
    import tensorflow as tf

    import sparkdl

    folder = Path(tempfile.mkdtemp(prefix="sparkdl-averages-"))
    spec = {"x": ("float32", [None, HEIGHT, WIDTH, 3])}
    return sparkdl.save_bundle(
        lambda x: {"y": tf.reduce_mean(x, [1, 2])}, folder / "averages", inputs=spec
    )


@cache
def _picture(number: int) -> str:
    folder = Path(tempfile.mkdtemp(prefix="sparkdl-pictures-"))
    (folder / "picture.png").write_bytes(png(*[255 if i == number else 0 for i in range(3)]))
    return str(folder / "picture.png")


def files(spark: Any, numbers: Sequence[int | None]) -> Any:
    """Return rows of (id, path, content), in one partition; content is the path of a picture."""
    rows = [(i, i, None if n is None else _picture(n)) for i, n in enumerate(numbers)]
    return spark.createDataFrame(rows, "id int, path int, content string").coalesce(1)


def vectors(spark: Any, numbers: Sequence[int | None]) -> Any:
    """Return rows of (id, path, content), in one partition; content is an array of 3 floats."""
    rows = [
        (i, f"/rows/{i}", None if n is None else [float(n), n + 0.5, -float(n)])
        for i, n in enumerate(numbers)
    ]
    return spark.createDataFrame(rows, "id int, path string, content array<float>").coalesce(1)


def png(red: int, green: int, blue: int, height: int = 16, width: int = 12) -> bytearray:
    """Return a PNG of one colour."""
    from PIL import Image

    out = io.BytesIO()
    pixels = np.broadcast_to(np.array([red, green, blue], np.uint8), (height, width, 3))
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG")
    return bytearray(out.getvalue())


def encoded(spark: Any, *images: bytes | bytearray | None) -> Any:
    """Return rows of (id, path, content), in one partition."""
    rows = [
        (i, f"/pictures/{i}.png", None if c is None else bytearray(c)) for i, c in enumerate(images)
    ]
    return spark.createDataFrame(rows, "id int, path string, content binary").coalesce(1)


def three(spark: Any) -> Any:
    """Return one red, one green and one blue picture."""
    return encoded(spark, png(255, 0, 0), png(0, 255, 0), png(0, 0, 255))
