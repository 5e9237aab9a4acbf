"""Random numbers of Keras' layers, drawn from the hidden seed of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from sparkdl._bundles.graph.generators import is_generator
from sparkdl._bundles.graph.seeds import offset


class SeedScope(keras.StatelessScope):  # type: ignore[misc]
    """Calls a model without changing it; its generators begin where a run's seed says.

    The seeds that its layers were made with, and how often they have drawn before, do not matter.
    Within a call a generator goes on counting as usual: two draws never give the same numbers.
    """

    def __init__(self, seed: tf.Tensor, states: Sequence[tuple[Any, Any]] = ()) -> None:
        super().__init__(list(states))
        self._seed, self._graph = seed, _current_graph()
        self._generators = 0

    def get_current_value(self, variable: keras.Variable) -> Any:
        """Return the value of a variable in this call; None for the one that it has itself."""
        if not is_generator(variable.name):
            return super().get_current_value(variable)
        if self._is_inner():
            return _fresh_state()
        value = super().get_current_value(variable)
        if value is None:
            value = self._seed + offset(f"generator {self._generators}")
            self._generators += 1
            super().add_update((variable, value))
        return value

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Take the new value of a variable, except that of a generator in an inner graph."""
        if not (is_generator(update[0].name) and self._is_inner()):
            super().add_update(update)

    def _is_inner(self) -> bool:
        """Say whether a function inside the graph is being traced, such as the body of a loop.

        An update of a generator there is lost in the next iteration, and outside the function.
        """
        return _current_graph() is not self._graph


def _current_graph() -> Any:
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def _fresh_state() -> Any:
    return tf.raw_ops.RandomUniformInt(
        shape=[2], minval=tf.constant(0, tf.int64), maxval=tf.constant(1 << 62, tf.int64)
    )
