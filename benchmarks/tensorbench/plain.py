"""Modes (a) and (b): without Spark, the whole array in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tensorbench.task import Task


class PlainTensorFlow:
    """(a) The frozen graph in a session, batch by batch: the limit."""

    def __init__(self, task: Task) -> None:
        import tensorflow as tf

        v1 = tf.compat.v1
        self.task, self.rows = task, np.load(task.file("rows.npy"))
        graph_def = v1.GraphDef.FromString(Path(task.file("bundle/graph.pb")).read_bytes())
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
        threads = v1.ConfigProto(intra_op_parallelism_threads=task.slots)
        self.session = v1.Session(graph=graph, config=threads)
        placeholder = next(n.name for n in graph_def.node if n.op == "Placeholder")
        self.ends = (f"{placeholder}:0", f"{graph_def.node[-1].name}:0")

    def first(self) -> None:
        self._predict(self.rows[:1])

    def run(self) -> None:
        self.predictions()

    def predictions(self) -> np.ndarray:
        batch = self.task.batch
        parts = [self._predict(self.rows[i : i + batch]) for i in range(0, len(self.rows), batch)]
        return np.concatenate(parts)[:, 0]

    def _predict(self, rows: np.ndarray) -> np.ndarray:
        given, wanted = self.ends
        result: np.ndarray = self.session.run(wanted, {given: rows})
        return result

    def details(self) -> dict[str, Any]:
        return {}


class KerasPredict:
    """(b) `keras.Model.predict`."""

    def __init__(self, task: Task) -> None:
        import keras

        self.task, self.rows = task, np.load(task.file("rows.npy"))
        self.model = keras.models.load_model(task.file("model.keras"), compile=False)

    def first(self) -> None:
        self.model.predict(self.rows[:1], verbose=0)

    def run(self) -> None:
        self.predictions()

    def predictions(self) -> np.ndarray:
        found = self.model.predict(self.rows, batch_size=self.task.batch, verbose=0)
        return np.asarray(found)[:, 0]

    def details(self) -> dict[str, Any]:
        return {}
