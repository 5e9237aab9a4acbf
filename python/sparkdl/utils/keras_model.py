"""Keras models as bytes, and what Keras knows by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sparkdl._models.files.content import HDF5, kind_of_bytes
from sparkdl._models.keras_configuration import loss_of, optimizer_of
from sparkdl._models.libraries import eagerly, keras
from sparkdl._models.live_keras import save_keras
from sparkdl._old_names import old_keywords
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from sparkdl._models.live_keras import LiveModel


def model_to_bytes(model: LiveModel) -> bytes:
    """Return a model of Keras 3 or tf_keras as the content of a .keras file."""
    with eagerly(), scratch_folder() as folder:
        file = folder / "model.keras"
        save_keras(model, file)
        return file.read_bytes()


@old_keywords(remove_temp_path=None)
def bytes_to_model(
    modelBytes: bytes,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """Return the Keras model, not compiled, in the content of a .keras or .h5 file.

    What Keras 2 wrote, as in sparkdl 1.x, becomes a model of tf_keras.

    Parameters
    ----------
    modelBytes : bytes
        From `model_to_bytes`, also that of sparkdl 1.x.
    custom_objects : dict, optional
        Passed to Keras.
    safe_mode : bool
        False lets Keras unpickle code (Lambda layers): only for models that you trust.
    """
    keras()
    from sparkdl._models.files.loading import load_keras_file

    _check(modelBytes)
    with eagerly(), scratch_folder() as folder:
        file = folder / "model"
        file.write_bytes(modelBytes)
        return load_keras_file(file, custom_objects, safe_mode)


def bytes_to_h5file(modelBytes: bytes) -> str:
    """Write a model into a temporary .h5 file, which the caller removes, and return its path."""
    with tempfile.NamedTemporaryFile(prefix="sparkdl-", suffix=".h5", delete=False) as file:
        if _check(modelBytes) == HDF5:
            file.write(modelBytes)
            return file.name
    with eagerly():
        bytes_to_model(modelBytes).save(file.name)
    return file.name


def _check(modelBytes: bytes) -> str:
    kind = kind_of_bytes(modelBytes)
    if kind.kind not in (HDF5, "zip"):
        raise InvalidModelException(
            f"These {len(modelBytes)} bytes are not a Keras model: they are {kind.what}. Expected "
            "the content of a .keras or .h5 file, as model_to_bytes returns it."
        )
    return kind.kind


@old_keywords(identifier="optimizer")
def is_valid_optimizer(optimizer: object) -> bool:
    """Say whether Keras knows an optimizer.

    >>> is_valid_optimizer("adam"), is_valid_optimizer("eve")  # doctest: +SKIP
    (True, False)
    """
    return _is_known(optimizer_of, optimizer)


@old_keywords(identifier="loss")
def is_valid_loss_function(loss: object) -> bool:
    """Say whether Keras knows a loss."""
    return _is_known(loss_of, loss)


def _is_known(get: Callable[[object], object], identifier: object) -> bool:
    keras()  # without it no name is known, which is another problem
    try:
        return get(identifier) is not None
    except (ValueError, TypeError):
        return False
