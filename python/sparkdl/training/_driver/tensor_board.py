"""Scalars and histograms for TensorBoard, written by TensorFlow itself."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sparkdl._places.places import place_of
from sparkdl._places.temporary_folders import new_folder
from sparkdl.plot.metric_values import single_numbers

_BINS = 30


class Board(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes `train` and `validation` under a directory, with the names of Keras' callback.

    Parameters
    ----------
    folder : str
        Path or URI; on other file systems than this machine's there is a copy after each epoch.
    histograms : int
        Epochs between histograms of the weights; 0: none.

    Notes
    -----
    Keras' own callback needs the package tensorboard, which is there to read these files and not
    needed to train. Nor does it take metrics with several results; here each number has its curve,
    "p[0]".
    """

    def __init__(self, folder: str, histograms: int) -> None:
        super().__init__()
        self._place, self._histograms = place_of(folder), histograms
        self._folder = self._place.local or new_folder("tensorboard")
        self._batches = 0
        self._writers: dict[str, Any] = {}

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Write the loss of a step."""
        self._scalars("train", "batch", self._batches, logs or {})
        self._batches += 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the numbers of an epoch."""
        training = dict(logs or {})
        validation = {k[4:]: training.pop(k) for k in list(training) if k.startswith("val_")}
        self._scalars("train", "epoch", epoch, training)
        if validation:
            self._scalars("validation", "epoch", epoch, validation)
        if self._histograms and (epoch + 1) % self._histograms == 0:
            for weight in self.model.weights:
                self._histogram(weight.path, np.asarray(weight.value, "float64").ravel(), epoch)
        for writer in self._writers.values():
            writer.flush()
        self._copy()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._copy()
        self._writers.clear()

    def _copy(self) -> None:
        if self._place.local is None:
            for part in self._writers:
                for file in (self._folder / part).iterdir():
                    with (self._place / part / file.name).writing() as copy:
                        shutil.copyfile(file, copy)

    def _scalars(self, part: str, unit: str, step: int, logs: Mapping[str, Any]) -> None:
        numbers = (pair for name, value in logs.items() for pair in single_numbers(name, value))
        for name, value in numbers:
            self._write(part, f"{unit}_{name}", tf.constant(value, tf.float32), step, "scalars")

    def _histogram(self, name: str, values: NDArray[Any], step: int) -> None:
        counts, edges = np.histogram(values[np.isfinite(values)], bins=_BINS)
        buckets = tf.constant(np.stack([edges[:-1], edges[1:], counts], 1))
        self._write("train", f"{name}/histogram", buckets, step, "histograms")

    def _write(self, part: str, tag: str, tensor: tf.Tensor, step: int, plugin: str) -> None:
        if part not in self._writers:
            self._writers[part] = tf.summary.create_file_writer(str(self._folder / part))
        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name=plugin)
        )
        with self._writers[part].as_default():
            tf.summary.write(tag, tensor, step=step, metadata=metadata)
