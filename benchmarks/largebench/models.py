"""The models, by name, with what each is fed. Keras draws the weights of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MODELS = ("ResNet50", "VGG19", "table of 0.9 GB", "table of 3 GB")
_WIDTH, _WORDS, _SIZE = 64, 4, 224


def is_table(name: str) -> bool:
    """Say whether a model is a table of embeddings."""
    return name.startswith("table of ")


def build(name: str) -> Any:
    """Return the Keras model."""
    import keras

    keras.utils.set_random_seed(1)
    if not is_table(name):
        return getattr(keras.applications, name)(weights=None)
    layers = keras.layers
    rows = int(float(name.split()[2]) * 1e9 / 4 / _WIDTH)
    return keras.Sequential(
        [
            keras.Input((_WORDS,), dtype="int32", name="words"),
            # Drawn numbers would leave two more copies in memory.
            layers.Embedding(rows, _WIDTH, embeddings_initializer="ones"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ]
    )


def feed(name: str, rows: int = 8) -> np.ndarray:
    """Return rows for the model's only input."""
    if is_table(name):
        return np.arange(rows * _WORDS, dtype=np.int32).reshape(rows, _WORDS)
    pixels = np.arange(rows * _SIZE * _SIZE * 3, dtype=np.float32) % 255
    return pixels.reshape(rows, _SIZE, _SIZE, 3)


def frame(spark: SparkSession, name: str) -> DataFrame:
    """Return sixteen rows for it in two partitions, as the column `x`."""
    if is_table(name):
        cell = f"transform(sequence(0, {_WORDS - 1}), i -> cast(id * 7 + i AS int))"
    else:
        row = f"array_repeat(array(cast(id AS float), 1F, 2F), {_SIZE})"
        cell = f"array_repeat({row}, {_SIZE})"
    return spark.range(16).selectExpr(f"{cell} AS x").repartition(2)
