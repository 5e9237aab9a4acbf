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


def convert(model: Any, path: str | Path, overwrite: bool, asked: Mapping[str, Any]) -> str:
    """Make the bundle of a model; `asked` are the other arguments of `save_bundle`."""
    with tempfile.TemporaryDirectory(prefix="sparkdl-") as scratch:
        folder = Path(scratch)
        task = _task(model, folder, asked)
        return _moved(run(partial(task, folder / _BUNDLE)), path, overwrite)


def export(
    name: str, path: str | Path, weights: str, labels: Any, overwrite: bool, verify: bool
) -> str:
    """Make the bundle of a named network; the arguments are those of `export_named`."""
    from sparkdl.networks.keras_export import export_named

    given = weights if weights in ("imagenet", "random") else _here(weights)
    names = _here(labels) if labels is not None else None
    with tempfile.TemporaryDirectory(prefix="sparkdl-") as scratch:
        made = Path(scratch) / _BUNDLE
        return _moved(
            run(partial(export_named, name, made, given, names, verify=verify)), path, overwrite
        )


def _here(given: str | Path) -> str:
    """Return a local path, for only this process has Spark, which reaches other file systems."""
    return str(local_copy(given) or given)


def _task(model: Any, folder: Path, asked: Mapping[str, Any]) -> Callable[[Path], str]:
    if isinstance(model, (str, os.PathLike)):
        file = local_copy(model)
        assert file is not None  # see `is_for_own_process`
        objects = objects_of_file(file, asked["custom_objects"] or {})
        return partial(_of_file, str(file), {**asked, "custom_objects": objects})
    file = folder / "model.keras"
    return partial(_of_live, file, saved(model, file), _inputs(model), dict(asked))


def _inputs(model: Any) -> dict[str, Any] | None:
    """Return what a model takes, as users say it of one that does not know."""
    if structure_of(model, "input") is None:
        return None
    return {end.name: (str(end.leaf.dtype), list(end.leaf.shape)) for end in model_inputs(model)}


def _of_file(file: str, asked: Mapping[str, Any], out: Path) -> str:
    from sparkdl._bundles.saving import save_bundle

    return save_bundle(file, out, **asked)


def _of_live(
    file: Path,
    objects: Mapping[str, Any],
    inputs: Mapping[str, Any] | None,
    asked: dict[str, Any],
    out: Path,
) -> str:
    from sparkdl._bundles.saving import save_bundle

    model = _read(file, objects)
    if structure_of(model, "input") is None and asked["inputs"] is None:
        asked = {**asked, "inputs": inputs}  # Keras could not infer the shapes behind a layer
    return save_bundle(model, out, **asked)


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
