"""States of tf_keras' recurrent layers that last for one call of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class HeldState:
    """Takes the place of a state's variable: a layer called again reads what its last call left."""

    def __init__(self, value: tf.Tensor, layer: str) -> None:
        self._value = value
        self._layer = layer
        self.dtype = value.dtype
        self.shape = value.shape

    def assign(self, value: tf.Tensor, *_: object, **__: object) -> tf.Tensor:
        if getattr(value, "graph", None) is not getattr(self._value, "graph", None):
            raise InvalidModelException(
                f"The recurrent layer {self._layer!r} is called in a loop or a function inside the "
                "model, such as TimeDistributed, and has stateful=True: what it remembers from one "
                "call to the next cannot leave that. Build the layer with stateful=False."
            )
        self._value = value
        return value

    def __tf_tensor__(self, dtype: tf.DType | None = None, name: str | None = None) -> tf.Tensor:
        import tensorflow as tf

        return self._value if dtype in (None, self.dtype) else tf.cast(self._value, dtype)


@contextmanager
def held_states(model: keras.Model) -> Iterator[None]:
    """Let the recurrent layers of a model begin anew; their variables stay as they are."""
    import tensorflow as tf

    kept = []
    for layer in model._flatten_layers():
        states = getattr(layer, "states", None) if getattr(layer, "stateful", False) else None
        if states is None or any(state is None for state in tf.nest.flatten(states)):
            continue
        kept.append((layer, states))
        held = [
            HeldState(tf.convert_to_tensor(value), layer.name)
            for value in tf.nest.flatten(_initial(layer, states))
        ]
        layer.states = tf.nest.pack_sequence_as(states, held)
    try:
        yield
    finally:
        for layer, states in kept:
            layer.states = states


def _initial(layer: Any, states: Any) -> Any:
    """Return what `reset_states` gives to new variables."""
    import tensorflow as tf

    own = getattr(layer.cell, "get_initial_state", None)
    first = tf.nest.flatten(states)[0]
    if own is None or len(first.shape) > 2:  # cells of convolutions do not know their images' size
        return tf.nest.map_structure(tf.zeros_like, states)
    return own(inputs=None, batch_size=first.shape[0], dtype=first.dtype)
