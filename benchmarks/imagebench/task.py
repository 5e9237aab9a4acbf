"""What one run of one mode is given, and what all modes have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagebench.on_disk import OnDisk


@dataclass(frozen=True)
class Task(OnDisk):
    """One mode on one model.

    Attributes
    ----------
    mode : str
        A letter of `MODES`.
    slots : int
        Task slots of the Spark session; processors for the modes without Spark.
    warmups, repeat : int
        Passes over all images before, and passes that are timed.
    batch : int
        Images per run; 0 = sparkdl's default.
    budget : float
        Seconds after the first result, after which no further pass is begun (two are always
        timed).
    """

    mode: str
    model: str
    bundle: str
    keras_file: str
    size: int
    images: str
    batch: int
    slots: int
    warmups: int
    repeat: int
    budget: float
    driver_memory: str
    features: str

    @property
    def graph(self) -> str:
        """The frozen graph in the bundle."""
        return str(Path(self.bundle) / "graph.pb")


class Mode(ABC):
    """A way to compute features of JPEG files. Making one starts whatever it needs."""

    @abstractmethod
    def first(self) -> None:
        """Compute the first result."""

    @abstractmethod
    def run(self) -> None:
        """Compute the features of all images once, and leave them."""

    @abstractmethod
    def features(self) -> np.ndarray:
        """Return the features, float32 [images, length], in the order of the files' names."""

    def details(self) -> dict[str, Any]:
        """Return what else there is to report."""
        return {}


MODES = {
    "a": "TensorFlow session in Python, no Spark",
    "b": "Keras predict + tf.data, no Spark",
    "c": "Spark predict_batch_udf + Keras",
    "d": "Spark pandas_udf + frozen graph",
    "e": "sparkdl float32",
    "f": "sparkdl bfloat16",
}
