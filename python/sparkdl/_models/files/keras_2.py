"""Loads files of Keras 1, Keras 2, tf.keras and tf_keras with tf_keras, which continues Keras 2."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sparkdl._models.files import keras_2_13
from sparkdl._models.files.consent import refuse_imports
from sparkdl._models.files.keras_file import KerasFile
from sparkdl._models.files.undrawn import undrawn
from sparkdl._models.libraries import tf_keras
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException

_BYTECODE_WORDS = ("marshal", "EOF", "opcode", "code object", "code()")


def load(file: KerasFile, custom_objects: Mapping[str, Any] | None, safe_mode: bool) -> Any:
    """Load a whole model, not compiled.

    Raises
    ------
    SettingsException
        tf_keras is not installed.
    InvalidModelException
        The file has code without consent, or code of another Python.
    """
    k = tf_keras()
    objects = dict(custom_objects or {})
    if safe_mode:
        refuse_imports(file, {**k.saving.get_custom_objects(), **objects})
    if file.zipped and keras_2_13.wrote(file.path):
        return keras_2_13.load(file, objects, safe_mode)
    with _local_copy(file) as path, _explain_bytecode(file), undrawn(k) as weights:
        model = k.models.load_model(
            str(path), custom_objects=objects, compile=False, safe_mode=safe_mode
        )
    weights.draw_rest(model.variables)
    return model


@contextmanager
def _local_copy(file: KerasFile) -> Iterator[Path]:
    """Copy a file to a name with the ending that tf_keras wants, which opens zips for writing."""
    with scratch_folder() as folder:
        copy = folder / f"model{file.suffix}"
        if file.zipped:
            shutil.copyfile(file.path, copy)
        else:
            copy.symlink_to(file.path.absolute())
        yield copy


@contextmanager
def _explain_bytecode(file: KerasFile) -> Iterator[None]:
    """Explain Python's errors about bytecode of another version, in Lambda layers."""
    try:
        yield
    except (ValueError, EOFError, TypeError, SystemError) as e:
        if not any(word in str(e) for word in _BYTECODE_WORDS):
            raise
        raise InvalidModelException(
            f"{file.path} has Lambda layers whose code was pickled by another version of Python, "
            f"which this one cannot read ({e}). Load the file with the Python that wrote it and "
            "save it without Lambda layers, or build the model in Python, call load_weights on "
            "this file and pass the live model."
        ) from e
