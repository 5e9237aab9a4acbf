"""Modes (a) and (b): TensorFlow and Keras in one Python process, without Spark."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from imagebench.photos import picture_files
from imagebench.task import Mode, Task


def decoded(content: Any, size: int) -> Any:
    """Decode and resize as sparkdl does: area averaging, rounded to uint8."""
    pixels = tf.io.decode_jpeg(content, channels=3)
    resized = tf.image.resize(pixels, [size, size], method="area")
    return tf.cast(tf.round(resized), tf.uint8)


def frozen_session(task: Task, threads: int) -> tuple[Any, Any, Any]:
    """Return a session on the bundle's graph, its input and its features."""
    with tf.Graph().as_default() as graph, open(task.graph, "rb") as file:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(file.read()), name="")
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=-1
    )
    session = tf.compat.v1.Session(graph=graph, config=config)
    named = graph.get_tensor_by_name
    return session, named("images:0"), named("features_avg:0")


def dataset(task: Task, paths: list[str], prepare: Any = None) -> Any:
    """Return batches of decoded images.

    The number of parallel calls is fixed and autotuning is off: on two cores its thread stalls
    iterators at the end of a pass.
    """

    def load(path: Any) -> Any:
        pixels = decoded(tf.io.read_file(path), task.size)
        return pixels if prepare is None else prepare(pixels)

    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = task.slots
    files = tf.data.Dataset.from_tensor_slices(paths)
    images = files.map(load, num_parallel_calls=task.slots, deterministic=True)
    return images.batch(task.batch).prefetch(2).with_options(options)


class PlainTensorFlow(Mode):
    """(a) The engine's own limit: a session on the frozen graph, fed by tf.data."""

    def __init__(self, task: Task) -> None:
        self.paths = picture_files(task.images)
        self.task = task
        self.session, self.input, self.output = frozen_session(task, task.slots)
        self.data = dataset(task, self.paths)

    def _batch(self, pixels: Any) -> np.ndarray:
        return self.session.run(self.output, {self.input: pixels.numpy()})

    def first(self) -> None:
        self._batch(next(iter(self.data)))

    def run(self) -> None:
        for pixels in self.data:
            self._batch(pixels)

    def features(self) -> np.ndarray:
        return np.concatenate([self._batch(pixels) for pixels in self.data])


class KerasPredict(Mode):
    """(b) What most people write: `model.predict(dataset)`."""

    def __init__(self, task: Task) -> None:
        import keras

        self.paths = picture_files(task.images)
        self.model = keras.models.load_model(task.keras_file, compile=False)
        prepare = preprocessing(task.model)
        self.data = dataset(task, self.paths, lambda x: prepare(tf.cast(x, tf.float32)))

    def first(self) -> None:
        self.model.predict(self.data.take(1), verbose=0)

    def run(self) -> None:
        self.features()

    def features(self) -> np.ndarray:
        return self.model.predict(self.data, verbose=0)


def preprocessing(model: str) -> Any:
    """Return `preprocess_input` of a model of `keras.applications`."""
    from importlib import import_module

    from sparkdl.networks.named_models import named_model

    module = named_model(model).keras.split(".")[0]
    return import_module(f"keras.applications.{module}").preprocess_input
