"""Conversion of models where Keras has another backend: another process makes the bundle."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import read_manifest, write_bundle
from sparkdl._bundles.other_backend.process import run
from sparkdl._models.files.content import is_of_keras
from sparkdl._models.files.custom_objects import objects_of_file, save_with_objects
from sparkdl._models.libraries import other_backend
from sparkdl._models.live_keras import is_keras, is_tf_keras, output_layers
from sparkdl._models.meanings import meanings, remember
from sparkdl._models.model_ends import model_inputs, structure_of
from sparkdl._places.places import local_copy
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    import keras

_BUNDLE = "bundle"
_ADDED_ON_WRITING = ("formatVersion", "files")


def is_for_own_process(model: object, preprocessing: object) -> bool:
    """Say whether Keras has to run on TensorFlow for a model, and does not in this process.

    Live models and files of Keras need it, and any file whose pixels are prepared by a function,
    which may call Keras.
    """
    if other_backend() is None:
        return False
    if isinstance(model, (str, os.PathLike)):
        path = local_copy(model)
        return path is not None and (is_of_keras(path) or callable(preprocessing))
    return is_keras(model) and not is_tf_keras(model)


def convert(
    save: Callable[..., str],
    model: object,
    path: str | Path,
    overwrite: bool,
    options: Mapping[str, Any],
) -> str:
    """Make the bundle of a model by `save`, `save_bundle`; `options` are its other arguments."""
    with scratch_folder() as scratch:
        return make_elsewhere(_task(save, model, scratch, options), path, overwrite)


def make_elsewhere(make: Callable[[Path], str], path: str | Path, overwrite: bool) -> str:
    """Let a process where Keras is on TensorFlow make a bundle, and write it where it belongs."""
    with scratch_folder() as scratch:
        return _move(run(partial(make, scratch / _BUNDLE)), path, overwrite)


def _task(
    save: Callable[..., str], model: object, folder: Path, options: Mapping[str, Any]
) -> Callable[[Path], str]:
    if isinstance(model, (str, os.PathLike)):
        file = local_copy(model)
        assert file is not None  # see `is_for_own_process`
        objects = objects_of_file(file, options["custom_objects"] or {})
        return partial(save, str(file), **{**options, "custom_objects": objects})
    file = folder / "model.keras"
    return partial(_save_live, save, _written(model, file), dict(options))


@dataclass(frozen=True)
class _Written:
    """A live model's file, and what is not in it.

    Parameters
    ----------
    objects : mapping
        What the model is made of, by name.
    inputs : mapping or None
        What it takes, as users describe it for one that does not know.
    known : mapping
        What its outputs mean, which its losses say.
    """

    file: Path
    objects: Mapping[str, Any]
    inputs: Mapping[str, Any] | None
    known: Mapping[str, str]


def _written(model: Any, file: Path) -> _Written:
    known = meanings(model, output_layers(model))
    return _Written(file, _write(model, file), _inputs(model), known)


def _write(model: Any, file: Path) -> dict[str, Any]:
    try:
        return save_with_objects(model, file)
    except Exception as e:  # Keras raises many kinds
        raise InvalidModelException(
            f"Keras runs on {other_backend()!r} here, so the model has to go as a .keras file to a "
            f"process in which it runs on TensorFlow, and Keras cannot write that file: {e} Fix "
            "that (custom layers need get_config, for example), or set KERAS_BACKEND=tensorflow in "
            "the environment before Python starts."
        ) from e


def _inputs(model: keras.Model) -> dict[str, Any] | None:
    """Return what a model takes, as users describe it for one that does not know."""
    if structure_of(model, "input") is None:
        return None
    return {end.name: (str(end.leaf.dtype), list(end.leaf.shape)) for end in model_inputs(model)}


def _save_live(
    save: Callable[..., str],
    written: _Written,
    options: dict[str, Any],
    out: Path,
) -> str:
    model = _reload(written.file, written.objects)
    remember(model, written.known)
    if structure_of(model, "input") is None and options["inputs"] is None:
        options = {
            **options,
            "inputs": written.inputs,
        }  # Keras could not infer the shapes after a layer
    return save(model, out, **options)


def _reload(file: Path, objects: Mapping[str, Any]) -> Any:
    from sparkdl._models.files.loading import load_keras_file

    try:  # any code in the file comes from the live model
        return load_keras_file(file, objects, safe_mode=False)
    except InvalidModelException as e:
        raise InvalidModelException(
            "Where Keras does not run on TensorFlow, a live model is written as a .keras file and "
            f"read again, which fails: {e} Custom layers and models need a get_config that returns "
            "the arguments that they were made with; or set KERAS_BACKEND=tensorflow in the "
            "environment before Python starts."
        ) from e


def _move(bundle: str, path: str | Path, overwrite: bool) -> str:
    """Write a bundle where it was asked for."""
    manifest = read_manifest(bundle)

    def write_files(folder: Path) -> None:
        for name in manifest["files"]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(bundle) / name, folder / name)

    description = {k: v for k, v in manifest.items() if k not in _ADDED_ON_WRITING}
    return write_bundle(path, description, write_files, overwrite)
