"""Bundles of this process: models that a stage or function was given live, or as a file of Keras.

Their directories are named by content, so that the same model is one model for the engine, however
often it is handed over. They are removed when nothing refers to them any more (`held_folders`);
those of files are kept a while, and made again when they are needed after that.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import threading
import zipfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from sparkdl._bundles.description.manifest import (
    MANIFEST,
    known_sha256,
    read_manifest,
    sha256_of,
)
from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._bundles.saving import save_bundle
from sparkdl._models.files.content import no_file
from sparkdl._models.libraries import eagerly
from sparkdl._models.live_keras import LiveModel, save_keras
from sparkdl._places.held_folders import HeldPath, held, hold_new, holding, holding_copy
from sparkdl._places.places import Place, local_copy, place_of
from sparkdl._places.temporary_folders import process_folder, remove_folder, scratch_folder
from sparkdl.labels import read_labels
from sparkdl.session.jvm_door import door_if_open

_KEY_LENGTH = 16
# They say how a model is loaded, and nothing about what is in a bundle.
_LOADING_OPTIONS = {"signature", "custom_objects", "safe_mode", "verify"}
# Names that Keras and Python give to what has none: "sequential_3" says when it was made, not what.
_DEFAULT_NAMES = re.compile(r"(sequential|functional|model)(_\d+)?|<lambda>")

_lock = threading.RLock()
_paths_by_key: dict[Hashable, str] = {}


def stored_bundle(model: object, **options: Any) -> str:
    """Return the bundle of a model in a directory of this process, making it if it is not there.

    Parameters
    ----------
    model : object
        Whatever `save_bundle` takes. A file or SavedModel is converted once for the same content
        and options. A directory that is a bundle already is returned as it is.
    **options
        Those of `save_bundle`, except `overwrite`.

    Returns
    -------
    str
        An absolute path, the same for the same model. What is there stays as long as somebody has
        this object, or the JVM has a model, column, function or plan that was made from it.

    Raises
    ------
    InvalidModelException, SettingsException, ModelNotFoundException
        As `save_bundle`.
    """
    options = {k: v for k, v in options.items() if v is not None}
    if "constants" in options:
        options["constants"] = plain_values(options["constants"])
    if "labels" in options:  # the file may change, and a list can be compared
        options["labels"] = read_labels(options["labels"])
    place = place_of(model) if isinstance(model, (str, os.PathLike)) else None
    path = None if place is None else _local_path(place)
    if path is not None and (path / MANIFEST).is_file() and not options.keys() - _LOADING_OPTIONS:
        return holding(str(path)) if place and path == place.local else holding_copy(path)
    with _lock:
        key = _key(path, options)
        bundle = held(_paths_by_key.get(key, "")) if key is not None else None
        if bundle is None:
            name = _name(model, path, options)
            bundle = _store(model if path is None else path, options, name, kept=key is not None)
            if key is not None:
                _paths_by_key[key] = str(bundle)
        if path is None:
            _trust(bundle)
        return bundle


def _trust(bundle: HeldPath) -> None:
    """Let a bundle of live code reach out of its graph: it is the user's own program."""
    door = door_if_open()
    if door is not None:
        door.trustBundle(str(bundle))


def _local_path(place: Place) -> Path:
    path = place.fetch()
    if path is None:
        raise no_file(place, bundles=True)
    return path


def is_bundle(model: object) -> bool:
    """Say whether what a user calls a model is the directory of a bundle."""
    path = local_copy(model) if isinstance(model, (str, os.PathLike)) else None
    return path is not None and (path / MANIFEST).is_file()


def _key(path: Path | None, options: Mapping[str, Any]) -> Hashable | None:
    """Return what identifies a conversion: content and options; None if nothing does."""
    if path is None:
        return None
    key = (path.name, _content(path), _comparable(options))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _content(path: Path) -> str:
    if path.is_file():
        return known_sha256(path)
    files = sorted(f for f in path.rglob("*") if f.is_file())
    lines = [f"{f.relative_to(path).as_posix()}:{known_sha256(f)}" for f in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _comparable(value: object) -> Any:
    if isinstance(value, Mapping):
        return tuple((k, _comparable(v)) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    if isinstance(value, (bool, int, float)):
        return (type(value), value)  # 1, 1.0 and True are equal, and not the same constant
    return value


def _name(model: object, path: Path | None, options: Mapping[str, Any]) -> str:
    if options.get("name"):
        return str(options["name"])
    if path is not None:
        return path.stem
    name = getattr(model, "name", None) or getattr(model, "__name__", None)
    return name if isinstance(name, str) and not _DEFAULT_NAMES.fullmatch(name) else "model"


def _store(model: object, options: Mapping[str, Any], name: str, kept: bool) -> HeldPath:
    unfinished = Path(tempfile.mkdtemp(prefix=".new-", dir=process_folder()))
    try:
        save_bundle(model, unfinished, **{**options, "name": name, "overwrite": True})
        readable = re.sub(r"[^\w.-]", "_", name)[:40]
        target = process_folder() / f"{readable}-{_digest(unfinished, model)}"
        known = held(str(target))
        if known is not None:
            return known
        remove_folder(target)  # if it could not be removed when nobody had it any more
        unfinished.rename(target)
        return hold_new(target, kept)
    finally:
        remove_folder(unfinished)


def _digest(bundle: Path, model: Any) -> str:
    content = read_manifest(bundle)
    live = content["source"].get("kind") == "keras" and not isinstance(model, (str, os.PathLike))
    if live and "savedModel" in content:
        # TensorFlow writes the same model differently each time.
        ends = {e: [s["name"] for s in content[e]] for e in ("inputs", "outputs")}
        labels = {k: v for k, v in content["files"].items() if k == "labels.json"}
        content = {"name": content["name"], **ends, **labels, "keras": _keras_content(model)}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def _keras_content(model: LiveModel) -> list[str]:
    """Return the hashes of what is in a model's .keras file, except the date it was written."""
    with scratch_folder() as folder:
        file = folder / "model.keras"
        with eagerly():
            save_keras(model, file)
        with zipfile.ZipFile(file) as archive:
            names = sorted(n for n in archive.namelist() if n != "metadata.json")
            return [f"{n}:{_sha256_in(archive, n)}" for n in names]


def _sha256_in(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return sha256_of(file)
