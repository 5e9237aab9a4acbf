"""One step of all workers, in which they either sum gradients or work alone for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._processes.worker import Worker
from sparkdl.plot.metric_values import as_keras_logs
from sparkdl.training._loop.ring import Ring
from sparkdl.training._loop.step_functions import Steps
from sparkdl.training._loop.sums import Sums
from sparkdl.training._loop.variables import (
    assign,
    in_groups,
    is_float,
    metric_variables,
    moving_variables,
    split_flat,
    values,
)

if TYPE_CHECKING:
    import keras

_MOST_AVERAGED = 1 << 22  # elements at once


class Totals:
    """The states of metrics, and the sums of loss and rows, which add up over the workers.

    The states of Keras' metrics are sums. What a state begins with is counted once only.
    """

    def __init__(self, model: keras.Model, ring: Ring, rank: int) -> None:
        self._model, self._ring, self._rank = model, ring, rank
        self.sums = np.zeros(2)  # of loss times rows, and of rows
        self._first: list[NDArray[Any]] | None = None

    def add(self, loss_and_rows: NDArray[Any]) -> None:
        """Count rows of this worker."""
        self.sums += loss_and_rows

    def merge(self) -> None:
        """Add up what all workers have; then worker 0 has all of it, and the others nothing."""
        variables = metric_variables(self._model)
        first = self._first_values(variables)
        own = [v - f for v, f in zip(values(variables), first, strict=True)]
        flat = np.concatenate([self.sums, *(np.asarray(o, "float64").ravel() for o in own)])
        self._ring.sum(flat)
        if self._rank:
            flat[:] = 0
        self.sums = flat[:2].copy()
        for (variable, part), start in zip(split_flat(flat[2:], variables), first, strict=True):
            variable.assign((start + part).astype(start.dtype))

    def result(self) -> dict[str, Any]:
        """Return loss and metrics as Keras' logs (those of worker 0 count), and begin again."""
        self.merge()
        self._track_loss()
        results = self._model.get_metrics_result() if self.sums[1] else {}
        loss = self.sums[0] / self.sums[1] if self.sums[1] else 0.0
        own = "loss" in results and self._model._loss_tracker not in self._model.metrics
        logs = as_keras_logs({"loss": loss, **results} if own else {**results, "loss": loss})
        self._model.reset_metrics()
        self.sums = np.zeros(2)
        return logs

    def _track_loss(self) -> None:
        """Let Keras' own mean of the loss have the sums: a model may name its result otherwise."""
        tracker = self._model._loss_tracker
        for state, total in zip((tracker.total, tracker.count), self.sums, strict=True):
            state.assign(total)

    def arrays(self) -> list[NDArray[Any]]:
        """Return what `restore` takes."""
        return [self.sums, *values(metric_variables(self._model))]

    def restore(self, arrays: list[NDArray[Any]]) -> None:
        """Begin with what worker 0 had."""
        self._first_values(metric_variables(self._model))
        if self._rank == 0:
            self.sums = np.array(arrays[0])
            assign(metric_variables(self._model), arrays[1:])

    def _first_values(self, variables: list[keras.Variable]) -> list[NDArray[Any]]:
        """Return the states before anything is counted."""
        if self._first is None or len(self._first) != len(variables):
            now = values(variables)
            self._model.reset_metrics()
            self._first = [np.array(v) for v in values(variables)]
            assign(variables, now)
        return self._first


class Stepping:
    """Takes steps with the other workers.

    Parameters
    ----------
    every : int
        1: all workers take every step together. k: each worker takes k steps with its share of the
        batches, then weights, moving averages and the optimizer's averages are averaged, weighted
        by the rows that each worker has seen.
    """

    def __init__(
        self, model: keras.Model, steps: Steps, ring: Ring, worker: Worker, every: int
    ) -> None:
        self._model, self._steps, self._ring = model, steps, ring
        self._alone, self._rank = worker.count == 1, worker.rank
        self._every, self._steps_alone, self._rows_alone = every, 0, 0
        self._summed: NDArray[Any] | None = None  # what the next step, or `_update`, applies
        summing = not self._alone and every == 1
        self._sums = steps.new_sums() if summing and steps.is_large else None
        self.metrics = Totals(model, ring, worker.rank)
        self._averaged = self._float_variables() if every > 1 else []

    def step(self, arrays: list[NDArray[Any]], batch: int, last: bool) -> float:
        """Take a step on this worker's share, which may be empty, of a batch of so many rows.

        Returns
        -------
        float
            The loss of the batch; when workers step alone, that of this worker's share.
        """
        if self._alone or self._every > 1:
            return self._step_alone(arrays, last)
        if self._sums is not None:
            return self._step_with_sums(self._sums, arrays, batch)
        if len(arrays[0]):
            vector = self._steps.gradients(arrays, batch, self._summed).numpy()
            self.metrics.add(vector[-2:])
        else:
            self._update()
            vector = np.zeros(self._steps.size, self._steps.dtype)
        self._ring.sum(vector)
        self._summed = vector
        return float(vector[-2] / vector[-1])

    def _step_with_sums(self, sums: Sums, arrays: list[NDArray[Any]], batch: int) -> float:
        """Take a step with a large model: nothing of its size is there twice."""
        if len(arrays[0]):
            self._steps.gradients_into(sums, arrays, batch)
            self.metrics.add(sums.flat[-2:])
        else:
            sums.clear()
        self._ring.sum(sums.flat)
        self._steps.update_from(sums)
        return float(sums.flat[-2] / sums.flat[-1])

    def _update(self) -> None:
        """Apply the sums of the last step."""
        if self._summed is not None:
            self._steps.update(self._summed)
        self._summed = None

    def evaluate(self, arrays: list[NDArray[Any]], batch: int) -> None:
        """Count this worker's rows of a batch of so many in the metrics."""
        if len(arrays[0]):
            self.metrics.add(self._steps.evaluate(arrays, batch).numpy())

    def result(self) -> dict[str, Any]:
        """End the last step; return loss and metrics of all workers since the last result."""
        self._update()
        return self.metrics.result()

    def settle(self) -> None:
        """Bring all workers to the same state, of which worker 0 has the metrics."""
        self._update()
        self._average()
        self.metrics.merge()

    def _step_alone(self, arrays: list[NDArray[Any]], last: bool) -> float:
        loss = np.nan
        if len(arrays[0]):
            loss_and_rows = self._steps.whole(arrays).numpy()
            self.metrics.add(loss_and_rows)
            loss = float(loss_and_rows[0] / loss_and_rows[1])
            self._rows_alone += int(loss_and_rows[1])
        self._steps_alone += 1
        if last or self._steps_alone >= self._every:
            self._average()
        return loss

    def _float_variables(self) -> list[keras.Variable]:
        """Return the variables that are averaged."""
        others = [v for v in self._model.optimizer.variables if is_float(v)]
        return [*self._model.trainable_variables, *moving_variables(self._model), *others]

    def _average(self) -> None:
        """Average over the workers what they have changed alone."""
        if self._alone or not self._steps_alone:
            return
        for variables in in_groups(self._averaged, _MOST_AVERAGED):
            weighted = [np.asarray(v, "float64") * self._rows_alone for v in values(variables)]
            flat = np.concatenate([*(w.ravel() for w in weighted), [self._rows_alone]])
            self._ring.sum(flat)
            for variable, part in split_flat(flat, variables):
                variable.assign((part / flat[-1]).astype(str(variable.dtype)))
        self._steps_alone = self._rows_alone = 0
        self._align_iterations()

    def _align_iterations(self) -> None:
        """Count steps as worker 0 does, which has rows of every batch."""
        iterations = self._model.optimizer.iterations
        count = np.zeros(1)
        count[0] = 0 if self._rank else int(iterations.value)
        self._ring.sum(count)
        iterations.assign(int(count[0]))
