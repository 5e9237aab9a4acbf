"""Live models of both Kerases: Keras 3, and Keras 2, which is tf_keras.

Whoever has such a model has imported its Keras, be it as `tf.keras` under TF_USE_LEGACY_KERAS=1,
so that what is not imported need not be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from sparkdl._models.libraries import keras
from sparkdl._models.rnn_states import initial_states


class LiveModel(Protocol):
    """What models of Keras 3 and of tf_keras are for type checkers, which know of neither here."""

    def predict(self, *args: Any, **kwargs: Any) -> Any: ...

    @property
    def weights(self) -> Any: ...

    def load_weights(self, *args: Any, **kwargs: Any) -> Any: ...

    def get_weights(self, *args: Any, **kwargs: Any) -> Any: ...

    def save(self, *args: Any, **kwargs: Any) -> Any: ...


def is_keras(model: object) -> bool:
    """Say whether something is a model of Keras 3 or of tf_keras."""
    return _is_of("keras", model) or is_tf_keras(model)


def is_tf_keras(model: object) -> bool:
    """Say whether something is a model of tf_keras."""
    return _is_of("tf_keras", model)


def _is_of(package: str, model: object) -> bool:
    kind = getattr(sys.modules.get(package), "Model", None)
    return kind is not None and isinstance(model, kind)


def save_keras(model: Any, file: Path) -> None:
    """Write a live model as a .keras file, by the Keras that it is of."""
    if is_tf_keras(model):
        model.save(str(file), save_format="keras")
    else:
        keras().saving.save_model(model, file)


def versions(model: Any) -> dict[str, str]:
    """Return the name and version of the Keras of a model."""
    module = sys.modules["tf_keras"] if is_tf_keras(model) else keras()
    return {module.__name__: str(module.__version__)}


def predict(model: Any, fed: Any, seed: Any) -> Any:
    """Call a model as in inference; Keras 3's layers draw random numbers from the seed."""
    if is_tf_keras(model):
        with _stateless(model):  # a model of a custom class need not know the argument
            return model(fed, training=False) if model._expects_training_arg else model(fed)
    from sparkdl._bundles.keras_seeds import SeedScope

    if not model.built:
        model(fed, training=False)  # makes its variables, which a scope without state cannot
    with SeedScope(seed, initial_states(model)):
        return model(fed, training=False)


@contextmanager
def _stateless(model: Any) -> Iterator[None]:
    """Let recurrent layers begin with zeros, and random ones draw from TensorFlow's own stream."""
    changed = []
    for layer in model._flatten_layers():
        for owner, name, value in (
            (layer, "stateful", False),
            (getattr(layer, "_random_generator", None), "_rng_type", "legacy_stateful"),
        ):
            if getattr(owner, name, value) != value:
                changed.append((owner, name, getattr(owner, name)))
                setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in changed:
            setattr(owner, name, value)


def output_layers(model: Any) -> list[str]:
    """Return the names of the layers that give a model's outputs, repeated where one gives several.

    tf_keras numbers those that come again, as Keras 3 does not.
    """
    layers = getattr(model, "_output_layers", None) if is_tf_keras(model) else None
    if layers:
        return [layer.name for layer in layers]
    return list(getattr(model, "output_names", None) or [])


def export_model(model: Any, function: Any, name: str, folder: Path) -> None:
    """Write a function of a model as a SavedModel, with the model's variables and tables."""
    function.get_concrete_function()  # what was never traced is refused by tf_keras
    if is_tf_keras(model):
        archive: Any = sys.modules["tf_keras"].export.ExportArchive()
        quiet = {}
    else:
        from keras.export import ExportArchive

        archive, quiet = ExportArchive(), {"verbose": False}
    archive.track(model)
    archive.add_endpoint(name, function)
    with redirect_stdout(StringIO()):  # both print what they have written
        archive.write_out(str(folder), **quiet)
