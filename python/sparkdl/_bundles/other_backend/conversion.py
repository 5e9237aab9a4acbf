"""What becomes of a model where Keras has another backend: its bundle, made by another process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sparkdl._bundles.description.manifest import read_manifest, write_bundle
from sparkdl._bundles.other_backend.custom_objects import objects_of_file, saved
from sparkdl._bundles.other_backend.process import run
from sparkdl._models.files.content import is_of_keras
from sparkdl._models.libraries import other_backend
from sparkdl._models.live_keras import is_keras, is_tf_keras
from sparkdl._models.model_ends import model_inputs, structure_of
from sparkdl._places.places import local_copy
from sparkdl.errors import InvalidModelException

_BUNDLE = "bundle"
_WRITTEN_ANEW = ("formatVersion", "files")


def is_for_own_process(model: Any, preprocessing: Any) -> bool:
    """Say whether Keras has to be on TensorFlow for a model, and is not in this process.

    That is so with live models and files of Keras, and with any file whose pixels are prepared by
    a function, which may call Keras.
    """
    if other_backend() is None:
        return False
    if isinstance(model, (str, os.PathLike)):
        path = local_copy(model)
        return path is not None and (is_of_keras(path) or callable(preprocessing))
    return is_keras(model) and not is_tf_keras(model)


def convert(
    save: Callable[..., str],
    model: Any,
    path: str | Path,
    overwrite: bool,
    asked: Mapping[str, Any],
) -> str:
    """Make the bundle of a model by `save`, `save_bundle`; `asked` are its other arguments."""
    with tempfile.TemporaryDirectory(prefix="sparkdl-") as scratch:
        return make_elsewhere(_task(save, model, Path(scratch), asked), path, overwrite)


def make_elsewhere(make: Callable[[Path], str], path: str | Path, overwrite: bool) -> str:
    """Let a process where Keras is on TensorFlow make a bundle, and write it where it belongs."""
    with tempfile.TemporaryDirectory(prefix="sparkdl-") as scratch:
        return _moved(run(partial(make, Path(scratch) / _BUNDLE)), path, overwrite)


def _task(
    save: Callable[..., str], model: Any, folder: Path, asked: Mapping[str, Any]
) -> Callable[[Path], str]:
    if isinstance(model, (str, os.PathLike)):
        file = local_copy(model)
        assert file is not None  # see `is_for_own_process`
        objects = objects_of_file(file, asked["custom_objects"] or {})
        return partial(save, str(file), **{**asked, "custom_objects": objects})
    file = folder / "model.keras"
    return partial(_of_live, save, file, saved(model, file), _inputs(model), dict(asked))


def _inputs(model: Any) -> dict[str, Any] | None:
    """Return what a model takes, as users say it of one that does not know."""
    if structure_of(model, "input") is None:
        return None
    return {end.name: (str(end.leaf.dtype), list(end.leaf.shape)) for end in model_inputs(model)}


def _of_live(
    save: Callable[..., str],
    file: Path,
    objects: Mapping[str, Any],
    inputs: Mapping[str, Any] | None,
    asked: dict[str, Any],
    out: Path,
) -> str:
    model = _read(file, objects)
    if structure_of(model, "input") is None and asked["inputs"] is None:
        asked = {**asked, "inputs": inputs}  # Keras could not infer the shapes behind a layer
    return save(model, out, **asked)


def _read(file: Path, objects: Mapping[str, Any]) -> Any:
    from sparkdl._models.files.loading import load_keras_file

    try:  # what code there is in the file comes from the live model
        return load_keras_file(file, objects, safe_mode=False)
    except InvalidModelException as e:
        raise InvalidModelException(
            "Where Keras does not run on TensorFlow, a live model is written as a .keras file and "
            f"read again, which fails: {e} Layers and models of your own need a get_config that "
            "says what they were made with; or set KERAS_BACKEND=tensorflow in the environment "
            "before Python starts."
        ) from e


def _moved(made: str, path: str | Path, overwrite: bool) -> str:
    """Write a bundle where it was asked for."""
    manifest = read_manifest(made)

    def write_files(folder: Path) -> None:
        for name in manifest["files"]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(made) / name, folder / name)

    told = {k: v for k, v in manifest.items() if k not in _WRITTEN_ANEW}
    return write_bundle(path, told, write_files, overwrite)
