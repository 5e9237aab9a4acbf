"""Metrics that take the mean over batches, of which a worker has a share.

Keras' means of losses count 1 for a batch, however many rows it has, and so does every mean of a
number per batch that a model tracks itself. The states of workers add up to those of Keras if a
share counts by its fraction of the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from sparkdl.errors import SettingsException


class BatchMeans:
    """The states of such metrics of a model.

    Parameters
    ----------
    model : keras.Model
        Compiled, and called once on two rows since its metrics were reset: a mean that has counted
        one is a mean over batches.
    """

    def __init__(self, model: keras.Model) -> None:
        losses = _of_losses(model)
        means = [m for m in _all_metrics(model) if m not in losses and _counted_one(m)]
        self._states = [v for metric in (*losses, *means) for v in metric.variables]

    def values(self) -> list[tf.Tensor]:
        """Return the states before a share is counted."""
        return [tf.identity(state.value) for state in self._states]

    def scale(self, before: Sequence[tf.Tensor], part: tf.Tensor) -> None:
        """Let what was counted since then count as this part of a batch."""
        for state, old in zip(self._states, before, strict=True):
            state.assign(old + (state.value - old) * tf.cast(part, old.dtype))


def _of_losses(model: keras.Model) -> list[keras.Metric]:
    """Return the metrics of the losses of single outputs, which older Kerases do not have."""
    return list(getattr(model._compile_loss, "metrics", ()))


def _all_metrics(model: keras.Model) -> Iterable[keras.Metric]:
    for metric in model.metrics:
        if metric is not model._loss_tracker:
            yield from getattr(metric, "metrics", None) or [metric]  # what was compiled


def _counted_one(metric: keras.Metric) -> bool:
    return isinstance(metric, keras.metrics.Mean) and float(np.asarray(metric.count.value)) == 1


def check_results(model: keras.Model, results: Mapping[str, object]) -> None:
    """Refuse what `compute_metrics` returns besides the results of metrics.

    Raises
    ------
    SettingsException
        There is something: workers add up the states of metrics, and it has none.
    """
    others = set(results) ^ set(model.get_metrics_result())
    if others:
        names = ", ".join(map(repr, sorted(others)))
        raise SettingsException(
            f"compute_metrics of {type(model).__name__} returns other results than those of "
            f"model.metrics: {names}. Workers add up the states of metrics: make each result that "
            "of a metric (such as keras.metrics.Mean) that is an attribute of the model, and "
            "return self.get_metrics_result()."
        )
