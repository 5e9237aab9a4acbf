"""Live models of both Kerases called as in inference, on a seed and from initial states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sparkdl._models.called_models import call
from sparkdl._models.held_states import held_states
from sparkdl._models.live_keras import is_tf_keras
from sparkdl._models.overridden import overrides
from sparkdl._models.rnn_states import initial_states

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def predict(model: keras.Model, inputs: Any, seed: tf.Tensor) -> Any:
    """Call a model as in inference; Keras 3's layers draw random numbers from the seed."""
    if is_tf_keras(model):
        with held_states(model), _drawing_anew(model):
            # A model of a custom class need not know the argument.
            return _infer(model, inputs, model._expects_training_arg)
    from sparkdl._bundles.keras_seeds import SeedScope

    if not model.built:
        call(model, inputs, training=False)  # makes its variables, which the scope below cannot
    with SeedScope(seed, initial_states(model)):
        return _infer(model, inputs, True)


def _infer(model: keras.Model, inputs: Any, with_mode: bool) -> Any:
    """Return what `model.predict` gives for a batch, which a model's own step may decide."""
    if overrides(model, "predict_step"):
        return model.predict_step((inputs,))
    return call(model, inputs, **({"training": False} if with_mode else {}))


@contextmanager
def _drawing_anew(model: keras.Model) -> Iterator[None]:
    """Let random layers draw from TensorFlow's own stream, for which a graph has a seed."""
    changed = []
    for layer in model._flatten_layers():
        generator: Any = getattr(layer, "_random_generator", None)
        kind = getattr(generator, "_rng_type", None)
        if kind not in (None, "legacy_stateful"):
            changed.append((generator, kind))
            generator._rng_type = "legacy_stateful"
    try:
        yield
    finally:
        for generator, kind in changed:
            generator._rng_type = kind
