"""The cache of named models: `<dir>/<name>-<key>` or `<dir>/<name>-<height>x<width>-<key>`."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sparkdl._bundles.description.manifest import (
    MANIFEST,
    known_sha256,
    read_manifest,
    verify_bundle,
)
from sparkdl._places.places import PathOrUri, Place, local_copy, place_of
from sparkdl._places.remote_files import is_reachable
from sparkdl.errors import ModelNotFoundException, SettingsException
from sparkdl.networks.named_models import NamedModel, named_model
from sparkdl.session.jvm_door import active_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DEFAULT_DIR = "~/.sparkdl/models"
_SETTING = "spark.sparkdl.models.dir"
_KEY_LENGTH = 16

# Bundles whose hashes were checked in this process, with the time they were written.
_checked: dict[str, int] = {}


def cache_place(model_dir: PathOrUri | None = None, spark: SparkSession | None = None) -> Place:
    """Return the model cache: `model_dir`, else the session's setting, else the default.

    Parameters
    ----------
    model_dir : str or Path, optional
    spark : SparkSession, optional
        Default: the active session, if there is one.
    """
    return place_of(model_dir or _from_session(spark) or DEFAULT_DIR)


def cache_dir(model_dir: PathOrUri | None = None) -> Path:
    """Return the model cache as a local folder, in which bundles can be made.

    Raises
    ------
    SettingsException
        It is on another file system, where bundles can be read but not made.
    """
    place = cache_place(model_dir)
    if place.local is None:
        raise SettingsException(
            f"The model cache {place} is not on this machine, and bundles are made in local caches "
            "only. Export the bundle there once: python -m sparkdl export NAME --out "
            f"{place / 'NAME-imagenet'}"
        )
    return place.local


def _from_session(spark: SparkSession | None) -> str | None:
    if spark is None and not is_reachable():
        return None
    folder = (spark or active_session()).conf.get(_SETTING, None)
    return str(folder) if folder else None


def is_cached(model: NamedModel, model_dir: PathOrUri | None = None) -> bool:
    """Say whether any bundle of this model is in the cache (or comes with sparkdl)."""
    if model.resource:
        return True
    cache = cache_place(model_dir)
    candidates = [name for name in cache.names() or [] if name.startswith(f"{model.name}-")]
    return any(MANIFEST in ((cache / name).names() or []) for name in candidates)


def ensure_bundle(
    model_name: str,
    weights: str = "imagenet",
    model_dir: PathOrUri | None = None,
    labels: str | Path | None = None,
    verify: bool = True,
    size: Sequence[int] | None = None,
) -> str | None:
    """Return the bundle of a named model, making it first if it is not in the cache.

    Parameters
    ----------
    model_name : str
        A name of the table (`sparkdl.models()`).
    weights : str
        "imagenet" (Keras downloads its weights once), the path of a weights file of Keras
        (.weights.h5, .h5, .keras), or the path of a bundle, which is returned as it is. Paths may
        be on any of Hadoop's file systems.
    model_dir : str or Path, optional
        The model cache, a local directory.
    labels : str or Path, optional
        A labels file for a bundle that is made now.
    verify : bool
        Whether a bundle that is made now is compared with the network; see `export_named`.
    size : (int, int), optional
        Height and width of the input; default: those of the table.

    Returns
    -------
    str or None
        Path of the bundle; None for a network that comes with sparkdl (TinyNet), which the JVM
        has in its jar.

    Raises
    ------
    ModelNotFoundException
        The name or the file does not exist, or the weights cannot be downloaded.
    InvalidModelException
        The file holds other weights, or the bundle in the cache is damaged.

    Notes
    -----
    Several processes may call it at once: one makes the bundle, the others wait for it.
    """
    model = named_model(model_name, size)
    if weights != "imagenet":
        path = local_copy(weights)
        if path is not None and path.is_dir():
            read_manifest(path)
            return str(place_of(weights))
    elif model.resource:
        return None
    target = cache_dir(model_dir) / f"{model.name}{_size_key(size)}-{_key(model, weights)}"
    if not target.exists():
        with _lock(target):
            if not target.exists():
                from sparkdl.networks.keras_export import export_named

                export_named(model.name, target, weights, labels, verify=verify, size=size)
    _verify_once(target)
    return str(target)


def _size_key(size: Sequence[int] | None) -> str:
    return "" if size is None else f"-{size[0]}x{size[1]}"


def _key(model: NamedModel, weights: str) -> str:
    if weights == "imagenet":
        return "imagenet"
    file = local_copy(weights)
    if file is None or not file.is_file():
        raise ModelNotFoundException(
            f"There is no weights file {weights} for {model.name}. Expected 'imagenet', a weights "
            "file of Keras (.weights.h5, .h5, .keras) or the directory of a bundle."
        )
    return known_sha256(file)[:_KEY_LENGTH]


@contextmanager
def _lock(target: Path) -> Iterator[None]:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # its owner's alone
    with open(target.parent / f".{target.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _verify_once(target: Path) -> None:
    written = (target / MANIFEST).stat().st_mtime_ns if (target / MANIFEST).is_file() else 0
    if _checked.get(str(target)) != written or not written:
        verify_bundle(target)
        _checked[str(target)] = written
