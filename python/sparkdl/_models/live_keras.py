"""Live models of both Kerases: Keras 3, and Keras 2, which is tf_keras.

Whoever has such a model has already imported its Keras, perhaps as `tf.keras` under
TF_USE_LEGACY_KERAS=1. So nothing here imports a Keras that the model is not of.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sparkdl._models.libraries import keras

if TYPE_CHECKING:
    import tensorflow as tf


class LiveModel(Protocol):
    """What type checkers see of models of Keras 3 and of tf_keras, neither of which they know."""

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


def save_keras(model: LiveModel, file: Path) -> None:
    """Write a live model as a .keras file, by the Keras that it is of."""
    if is_tf_keras(model):
        model.save(str(file), save_format="keras")
    else:
        keras().saving.save_model(model, file)


def versions(model: object) -> dict[str, str]:
    """Return the name and version of the Keras of a model."""
    module = sys.modules["tf_keras"] if is_tf_keras(model) else keras()
    return {module.__name__: str(module.__version__)}


def output_layers(model: object) -> list[str]:
    """Return the names of the layers that give a model's outputs, repeated where one gives several.

    tf_keras's own list numbers the repeated ones, which Keras 3's does not.
    """
    layers = getattr(model, "_output_layers", None) if is_tf_keras(model) else None
    if layers:
        return [layer.name for layer in layers]
    return list(getattr(model, "output_names", None) or [])


def export_model(
    model: Any, function: tf.types.experimental.GenericFunction, name: str, folder: Path
) -> None:
    """Write a function of a model as a SavedModel, with the model's variables and tables."""
    concrete = function.get_concrete_function()  # tf_keras refuses one that was never traced
    if is_tf_keras(model):
        archive: Any = sys.modules["tf_keras"].export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(name, function)
        with redirect_stdout(StringIO()):  # it prints what it has written
            archive.write_out(str(folder))
        return
    import tensorflow as tf

    from sparkdl._models.lookup_tables import tables_of

    # Not Keras' own archive, which in older versions finds only tables of its own layers.
    owner = tf.Module()
    owner.parts = [*concrete.variables, *tables_of(model)]
    tf.saved_model.save(owner, str(folder), signatures={name: concrete})
