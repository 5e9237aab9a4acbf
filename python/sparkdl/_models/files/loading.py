"""Loads files of Keras: those of Keras 3 by Keras, those of Keras 2 by tf_keras."""

from __future__ import annotations

import inspect
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sparkdl._models.files import keras_1, keras_2
from sparkdl._models.files.consent import missing, refuse_pickles
from sparkdl._models.files.content import KERAS_ZIP, kind_of
from sparkdl._models.files.custom_objects import objects_of_file
from sparkdl._models.files.keras_3_operations import has_operations, operations_of
from sparkdl._models.files.keras_file import KerasFile, read_keras_file
from sparkdl._models.files.missing_objects import first_unknown, missing_object
from sparkdl._models.files.revival import revivable_objects
from sparkdl._models.files.undrawn import undrawn
from sparkdl._models.libraries import keras, keras_to_train
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException, SparkDLException

_SAVE_AS_ZIP = (
    ". It has operations of keras.ops, of which HDF5 files do not keep all arguments: "
    "save the model as .keras."
)
_LARGE_BYTES = 64 << 20
_OBJECT_ARRAYS = "Object arrays cannot be loaded"


def load_keras_file(path: Path, custom_objects: Mapping[str, Any] | None, safe_mode: bool) -> Any:
    """Load a whole model, not compiled, by the Keras that wrote it.

    Parameters
    ----------
    path : Path
        A file with any name.
    custom_objects : dict, optional
        If there are classes of Keras 3 among them, Keras 3 loads a file of Keras 2.
    safe_mode : bool
        Code that is pickled in the file runs only if this is False.

    Returns
    -------
    keras.Model or tf_keras.Model

    Raises
    ------
    InvalidModelException
        It is not a whole model, has code without consent, or Keras cannot load it.
    """
    file = _read_checked(path, safe_mode)
    with _explain_errors(file, custom_objects or {}):
        if file.by_keras_2 and not _has_classes_of_keras_3(file, custom_objects or {}):
            return keras_2.load(file, custom_objects, safe_mode)
        return _load_keras_3(file, custom_objects, safe_mode)


def load_to_train(path: Path, custom_objects: Mapping[str, Any] | None, safe_mode: bool) -> Any:
    """Load a whole model into Keras 3, which is what sparkdl trains.

    Raises
    ------
    InvalidModelException
        As `load_keras_file`; for a file of Keras 2 that Keras 3 does not load it names two ways.
    SettingsException
        Keras runs on another backend than TensorFlow.
    """
    keras_to_train()
    file = _read_checked(path, safe_mode)
    try:
        with _explain_errors(file, custom_objects or {}):
            return _load_keras_3(file, custom_objects, safe_mode)
    except InvalidModelException as e:
        if file.by_keras_2:
            raise InvalidModelException(cannot_train(str(path), file.version, str(e))) from e
        raise


def cannot_train(what: str, version: str, why: str = "") -> str:
    """Say that a model of Keras 2 cannot be trained here, and how it can be."""
    return (
        f"Cannot train {what}: it is of Keras {version}, and sparkdl trains Keras 3, which does "
        "not take it. Either build the same model in Keras 3, call load_weights on a file of its "
        "weights, and pass the live model; or train it with tf_keras in a custom loop "
        f"(sparkdl.TensorFlowDistributor). {why}".rstrip()
    )


def _read_checked(path: Path, safe_mode: bool) -> KerasFile:
    file = read_keras_file(path)
    if safe_mode:
        refuse_pickles(file)
    return file


def _load_keras_3(
    file: KerasFile, custom_objects: Mapping[str, Any] | None, safe_mode: bool
) -> Any:
    if not file.zipped:
        custom_objects = {**operations_of(file), **(custom_objects or {})}
    known = objects_of_file(file.path, custom_objects or {})
    with _to_read(file) as path, revivable_objects(known), undrawn(keras()) as weights:
        model = keras().saving.load_model(str(path), compile=False, safe_mode=safe_mode)
    weights.draw_rest(model.variables)
    return model


@contextmanager
def _to_read(file: KerasFile) -> Iterator[Path]:
    """Yield, for a block, a file by a name that Keras takes; a large zip as a folder.

    Keras reads the weights of a zip into memory before it gives them to the model.
    """
    if file.zipped and file.path.stat().st_size >= _LARGE_BYTES and _takes_folders():
        with scratch_folder() as folder:
            with zipfile.ZipFile(file.path) as archive:
                archive.extractall(folder)
            yield folder
    else:
        with with_suffix(file.path, file.suffix) as link:
            yield link


def _takes_folders() -> bool:
    """Say whether this Keras loads what a .keras file holds from a folder, too."""
    from keras.src.saving import saving_lib

    return hasattr(saving_lib, "_load_model_from_dir")


@contextmanager
def with_suffix(path: Path, suffix: str) -> Iterator[Path]:
    """Link to a file, for a block, by a name with the ending that Keras expects."""
    with scratch_folder() as folder:
        link = folder / f"model{suffix}"
        link.symlink_to(path.absolute())
        yield link


@contextmanager
def _explain_errors(file: KerasFile, custom_objects: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except SparkDLException:
        raise
    except Exception as e:  # both Kerases raise many classes
        raise _explain(file, custom_objects, e) from e


def _explain(
    file: KerasFile, custom_objects: Mapping[str, Any], error: Exception
) -> InvalidModelException:
    text = str(error)
    unknown = missing_object(text) or first_unknown(file, custom_objects)
    if file.by_keras_1 and (not unknown or unknown[1] in keras_1.REMOVED_LAYERS):
        return keras_1.unreadable(file, text)
    if unknown:
        return missing(file.path, unknown[1], unknown[0])
    if _OBJECT_ARRAYS in text:
        return InvalidModelException(
            f"{file.path} has arrays that are pickled objects. Pickles are code and are never "
            "opened: save the model again, with arrays of numbers."
        )
    who = f"Keras {file.version} wrote it"
    remedy = (
        _SAVE_AS_ZIP if not file.by_keras_2 and has_operations(file) and not file.zipped else ""
    )
    return InvalidModelException(f"Keras cannot load {file.path} ({who}): {text}{remedy}")


def _has_classes_of_keras_3(file: KerasFile, custom_objects: Mapping[str, Any]) -> bool:
    registered = keras().saving.get_custom_objects()
    names = {n for o in file.objects() for n in (o["class_name"], o.get("registered_name"))}
    candidates = [
        *custom_objects.values(),
        *(registered[n] for n in names & registered.keys()),
    ]
    return any(_is_of_keras_3(c) for c in candidates if inspect.isclass(c))


def _is_of_keras_3(kind: type) -> bool:
    return any(base.__module__.split(".")[0] == "keras" for base in kind.__mro__)


@contextmanager
def as_weights(path: Path) -> Iterator[Path]:
    """Yield a file that Keras 3's load_weights takes, for a file of weights or of a whole model.

    A zip of Keras 2 has its arrays elsewhere than Keras 3 looks: it is converted to HDF5.
    """
    if kind_of(path).kind == KERAS_ZIP:
        file = read_keras_file(path)
        if file.by_keras_2:
            with scratch_folder() as folder:
                copy = folder / "model.h5"
                load_keras_file(path, None, True).save_weights(str(copy))
                yield copy
            return
    with with_suffix(path, _suffix_of_weights(path)) as link:
        yield link


def _suffix_of_weights(path: Path) -> str:
    import h5py

    if kind_of(path).kind == KERAS_ZIP:
        return ".keras"
    with h5py.File(path, "r") as file:
        by_name = "layer_names" in file.attrs or "model_weights" in file
    return ".h5" if by_name else ".weights.h5"
