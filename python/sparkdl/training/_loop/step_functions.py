"""The TensorFlow functions that train: gradients, update, both in one, and evaluation.

Keras' loss of a batch is the mean over its rows. If the loss of each worker's share is multiplied
by the share's fraction of the batch, the gradients of all workers add up to those of the whole
batch. Regularisation losses, which each worker adds in full, count once for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sparkdl._models.called_models import call
from sparkdl._models.model_ends import model_inputs, model_outputs, pack, structure_of
from sparkdl._models.overridden import overrides
from sparkdl._placement.local_arrays import Rows
from sparkdl.training._loop.batch_means import BatchMeans, check_results
from sparkdl.training._loop.sums import Sums
from sparkdl.training._loop.variables import moving_variables

_ENDS = 2  # the loss and the number of rows are the last elements of a vector
LARGE_BYTES = 64 << 20  # of what is summed, from which on memory counts more than time


class Steps:
    """The steps of one model.

    Parameters
    ----------
    model : keras.Model
        Compiled, with an optimizer that is built.
    rows : Rows
        Inputs, labels (perhaps none), weight (perhaps none).
    labels : int
        How many of them are labels.
    weighted : bool
        Whether the last one weights the rows.
    """

    def __init__(
        self,
        model: keras.Model,
        rows: Rows,
        labels: int,
        weighted: bool,
    ) -> None:
        self._model, self._labels, self._weighted = model, labels, weighted
        self._inputs, self._outputs = model_inputs(model), model_outputs(model)
        self._moving = moving_variables(model)
        self._specs = [tf.TensorSpec([None, *shape], dtype) for shape, dtype in rows.kinds()]
        self._examples = rows.examples()
        self._used: list[keras.Variable] = []
        self._functions: dict[str, Callable[..., Any]] = {}
        self._make_metrics()

    @property
    def size(self) -> int:
        """Elements of the vector that `gradients` returns."""
        self._function("gradients")
        sizes = [int(np.prod(v.shape)) for v in [*self._used, *self._moving]]
        return sum(sizes) + _ENDS

    @property
    def is_large(self) -> bool:
        """Whether `gradients_into` and `update_from` are to be used, which make fewer copies."""
        variables = [*self._model.trainable_variables, *self._moving]
        sizes = [int(np.prod(v.shape)) for v in variables]
        return sum(sizes) * np.dtype(self.dtype).itemsize >= LARGE_BYTES

    def new_sums(self) -> Sums:
        """Return the array that `gradients_into` fills."""
        self._function("parts")
        return Sums([tuple(v.shape) for v in [*self._used, *self._moving]], self.dtype)

    @property
    def dtype(self) -> str:
        """The dtype of that vector: float64 if any variable is."""
        wide = any("64" in str(v.dtype) for v in self._model.trainable_variables)
        return "float64" if wide else "float32"

    def gradients(
        self, arrays: Sequence[NDArray[Any]], batch: int, summed: NDArray[Any] | None = None
    ) -> tf.Tensor:
        """Return this worker's part of what is summed over all workers.

        A vector: gradients and changes of moving averages, each times this worker's fraction of
        the `batch` rows of all; then the loss times the rows, and the rows.

        `summed`, the previous step's vector summed over all workers, is applied first: a call of
        TensorFlow takes a fifth of a millisecond, as long as the update of a small model.
        """
        before = np.empty(0, self.dtype) if summed is None else summed
        size = tf.constant(batch, tf.float32)
        return self._function("next")(before, size, *map(tf.convert_to_tensor, arrays))

    def update(self, vector: NDArray[Any]) -> None:
        """Apply a vector that was summed over all workers."""
        self._function("update")(tf.convert_to_tensor(vector))

    def gradients_into(self, sums: Sums, arrays: Sequence[NDArray[Any]], batch: int) -> None:
        """Do as `gradients`, but put what it returns into an array."""
        size = tf.constant(batch, tf.float32)
        *parts, ends = self._function("parts")(size, *map(tf.convert_to_tensor, arrays))
        sums.fill(parts, ends.numpy())

    def update_from(self, sums: Sums) -> None:
        """Apply sums. Not as a graph, which would keep what it computes for all variables."""
        self._apply(sums.tensors())

    def whole(self, arrays: Sequence[NDArray[Any]]) -> tf.Tensor:
        """Take a step alone; return [loss times rows, rows]."""
        return self._function("whole")(*map(tf.convert_to_tensor, arrays))

    def evaluate(self, arrays: Sequence[NDArray[Any]], batch: int) -> tf.Tensor:
        """Count this worker's part of a batch of so many rows in the metrics, without training.

        Return [loss times rows, rows].
        """
        size = tf.constant(batch, tf.float32)
        return self._function("evaluate")(size, *map(tf.convert_to_tensor, arrays))

    def loss(self, arrays: Sequence[NDArray[Any]]) -> float:
        """Return the loss of some rows, of weight 1, without training; metrics begin again."""
        loss = float(np.asarray(self._infer([tf.convert_to_tensor(a) for a in arrays])))
        self._model.reset_metrics()
        return loss

    def _infer(self, tensors: Sequence[tf.Tensor]) -> tf.Tensor:
        x, y, weight = self._split(tensors)
        weight = None if weight is None else tf.ones_like(weight)
        return self._loss(x, y, self._call(x, False), weight, False)

    def _make_metrics(self) -> None:
        """Have Keras make the metrics' variables, which it does when it sees the first row."""
        pairs = zip(self._specs, self._examples, strict=True)
        rows = [tf.zeros([2, *shape], spec.dtype) for spec, shape in pairs]
        self._infer(rows)
        self._batch_means = BatchMeans(self._model)
        self._model.reset_metrics()

    def _function(self, name: str) -> Callable[..., Any]:
        """Return a traced function. It is traced here, so that workers without rows know it too."""
        if name not in self._functions:
            function = tf.function(getattr(self, f"_{name}"), autograph=False)
            self._functions[name] = function.get_concrete_function(*self._arguments(name))
        return self._functions[name]

    def _arguments(self, name: str) -> list[tf.TensorSpec]:
        rows, vector = tf.TensorSpec([], "float32"), tf.TensorSpec([None], self.dtype)
        before = {
            "update": [vector],
            "gradients": [rows],
            "parts": [rows],
            "next": [vector, rows],
            "evaluate": [rows],
        }.get(name, [])
        return before if name == "update" else [*before, *self._specs]

    def _next(self, summed: tf.Tensor, batch: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        gradients = self._function("gradients")  # its trace decides which variables are updated
        tf.cond(tf.size(summed) > 0, lambda: self._update(summed), lambda: None)
        return gradients(batch, *tensors)

    def _gradients(self, batch: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        return tf.concat([tf.reshape(p, [-1]) for p in self._parts(batch, *tensors)], 0)

    def _parts(self, batch: tf.Tensor, *tensors: tf.Tensor) -> list[tf.Tensor]:
        before = [tf.identity(v.value) for v in self._moving]
        gradients, loss, rows = self._differentiate(tensors, batch)
        pairs = zip(gradients, self._model.trainable_weights, strict=True)
        known = [(g, v) for g, v in pairs if g is not None]
        self._used = [v for _, v in known]
        parts = [tf.convert_to_tensor(g) for g, _ in known]  # dense, also of embeddings
        for variable, old in zip(self._moving, before, strict=True):
            parts.append(
                (variable.value - old) * tf.cast(rows / tf.cast(batch, rows.dtype), old.dtype)
            )
            variable.assign(old)  # until the change of all workers is known
        return [tf.cast(p, self.dtype) for p in [*parts, tf.stack([loss, rows])]]

    def _update(self, vector: tf.Tensor) -> None:
        variables = [*self._used, *self._moving]
        sizes = [int(np.prod(v.shape)) for v in variables]
        split = tf.split(vector, [*sizes, _ENDS])[:-1]
        self._apply([tf.reshape(p, v.shape) for p, v in zip(split, variables, strict=True)])

    def _apply(self, sums: list[tf.Tensor]) -> None:
        pairs = zip(sums, [*self._used, *self._moving], strict=True)
        parts = [tf.cast(part, variable.dtype) for part, variable in pairs]
        count = len(self._used)
        if count:
            known = {id(v): part for v, part in zip(self._used, parts, strict=False)}
            every = self._model.trainable_weights  # as Keras: None where there is no gradient
            self._model.optimizer.apply_gradients([(known.get(id(v)), v) for v in every])
        for variable, change in zip(self._moving, parts[count:], strict=True):
            variable.assign_add(change)

    def _whole(self, *tensors: tf.Tensor) -> tf.Tensor:
        gradients, loss, rows = self._differentiate(tensors, None)
        variables = self._model.trainable_weights
        if variables:
            self._model.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack([loss, rows])

    def _evaluate(self, batch: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        mean, rows, _ = self._forward(tensors, batch, training=False)
        return tf.stack([mean * rows, rows])

    def _differentiate(
        self, tensors: Sequence[tf.Tensor], batch: tf.Tensor | None
    ) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        """Return gradients, the loss times rows, and rows.

        The gradients are those of the rows as a part of a batch of so many; None: as all of it.
        """
        with tf.GradientTape() as tape:
            mean, rows, part = self._forward(tensors, batch, training=True)
            scaled = self._model.optimizer.scale_loss(mean if part is None else mean * part)
        return tape.gradient(scaled, self._model.trainable_weights), mean * rows, rows

    def _forward(
        self, tensors: Sequence[tf.Tensor], batch: tf.Tensor | None, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
        """Return the mean loss, the rows, and which part they are of a batch of so many, if known.

        They are counted in the metrics.
        """
        x, y, weight = self._split(tensors)
        before = self._batch_means.values()
        mean = self._loss(x, y, self._call(x, training), weight, training)
        rows = tf.cast(tf.shape(keras.tree.flatten(x)[0])[0], mean.dtype)
        if batch is None:
            return mean, rows, None
        part = rows / tf.cast(batch, rows.dtype)
        self._batch_means.scale(before, part)
        return mean, rows, part

    def _call(self, x: object, training: bool) -> Any:
        """Call the model as Keras does: one that does not know the mode is not told."""
        modes = {"training": training} if self._model._call_has_training_arg else {}
        return call(self._model, x, **modes)

    def _loss(
        self, x: object, y: object, predicted: object, weight: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        """Return the loss that the model computes, and let it count in its metrics."""
        mean = self._model._compute_loss(x, y, predicted, weight, training)
        results = self._model.compute_metrics(x, y, predicted, weight)
        if overrides(self._model, "compute_metrics"):
            check_results(self._model, results)
        return mean

    def _split(self, tensors: Sequence[tf.Tensor]) -> tuple[object, object, tf.Tensor | None]:
        """Return x, y and weight as the model takes them."""
        *others, weight = tensors if self._weighted else (*tensors, None)
        split = len(others) - self._labels
        pairs = zip(others[:split], self._inputs, strict=True)
        x = pack(
            structure_of(self._model, "input"),
            self._inputs,
            [tf.cast(t, end.leaf.dtype) for t, end in pairs],
        )
        if not self._labels:
            return x, None, weight
        return x, pack(structure_of(self._model, "output"), self._outputs, others[split:]), weight
