"""The networks, and rows for them from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = 10


@dataclass(frozen=True)
class Network:
    """A network and what it is trained on.

    Attributes
    ----------
    title : str
    shape : tuple of int
        Of one row of its input.
    rows, batch : int
    build : callable
        Returns the model, with weights from a seed.
    """

    title: str
    shape: tuple[int, ...]
    rows: int
    batch: int
    build: Callable[[], Any]

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (float32 [rows, *shape]) and classes (int64 [rows])."""
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, *self.shape), dtype=np.float32)
        return x, random.integers(0, CLASSES, self.rows)


def _cnn() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    convolutions: list[Any] = []
    for filters in (32, 64):
        convolutions += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *convolutions,
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def _mlp() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(256, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


NETWORKS = {
    "cnn": Network("CNN on 32x32 images", (32, 32, 3), 8_192, 128, _cnn),
    "mlp": Network("MLP on 100 features", (100,), 131_072, 512, _mlp),
}
OPTIMIZER, LOSS = "adam", "sparse_categorical_crossentropy"
