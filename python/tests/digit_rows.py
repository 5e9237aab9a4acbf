"""Handwritten digits as images in a DataFrame, and what classifiers of them are made with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from image_rows import as_png

from sparkdl import ImageClassifierEstimator, ImageClassifierModel

ROWS = 300


def digit_rows(spark: Any) -> Any:
    """Return PNG files: columns image, label (int), name (string), held_out, in 3 partitions."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = []
    for i, (pixels, label) in enumerate(zip(found.images[:ROWS], found.target[:ROWS], strict=True)):
        large = np.kron(pixels * 15.9375, np.ones((4, 4))).astype(np.uint8)[..., None]
        rows.append((bytearray(as_png(large)), int(label), f"n{label}", i % 4 == 0))
    schema = "image binary, label int, name string, held_out boolean"
    frame = spark.createDataFrame(rows, schema).repartition(3).cache()
    assert frame.count() == ROWS
    return frame


def estimator(**params: Any) -> ImageClassifierEstimator:
    """Return a small estimator of digits, with other params where they are given."""
    given = {"inputCol": "image", "labelCol": "label", "baseModel": "TinyNet", "verbose": 0}
    return ImageClassifierEstimator(**{**given, "headUnits": 32, "epochs": 12, **params})


def network(name: str = "small") -> Any:
    """Return a small network, always the same, whose features are maps."""
    import keras

    keras.utils.set_random_seed(3)
    layers = [
        keras.Input((32, 32, 3)),
        keras.layers.Conv2D(8, 5, strides=3, name="first"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Conv2D(16, 3, activation="relu", name="second"),
    ]
    return keras.Sequential(layers, name=name)


def check_exported(model: ImageClassifierModel, digits: Any, file: Path) -> Any:
    """Compare what the cluster gives with plain Keras on the exported model, which is returned."""
    import keras
    from PIL import Image

    whole = keras.saving.load_model(model.export_keras(file))
    rows = model.transform(digits.limit(9)).collect()
    pixels = [np.asarray(Image.open(io.BytesIO(r.image)).convert("RGB"), "float32") for r in rows]
    expected = whole.predict(np.stack(pixels), verbose=0)
    np.testing.assert_allclose([r.probability.toArray() for r in rows], expected, atol=2e-5)
    return whole
