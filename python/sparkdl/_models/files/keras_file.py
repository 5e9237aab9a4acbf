"""What a file of Keras says of itself: its configuration, and which Keras wrote it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._models.files.content import (
    GRAPH,
    HDF5,
    KERAS_ZIP,
    SAVED_MODEL,
    TEXT_GRAPH,
    ZIP_ERRORS,
    kind_of,
    no_file,
    not_a_model,
)
from sparkdl._models.files.hdf5_heaps import check_heaps
from sparkdl._places.places import place_of
from sparkdl._text_files import NestedTooDeeply, parse_json
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    import h5py

_UNPACKED_FREELY = 1 << 30  # bytes that any file may have in it
_MOST_UNPACKED = 100  # times its size
_LOAD_WEIGHTS = (
    "Weights alone are not a model: build the model in Python, call load_weights on this file, "
    "and pass the live model."
)


@dataclass(frozen=True)
class KerasFile:
    """A file with a whole model.

    Attributes
    ----------
    path : Path
    zipped : bool
        Whether it is a zip (.keras), else HDF5.
    config : dict or list
        Of the model.
    version : str
        Of the Keras that wrote it; "1" for files before Keras 1.0.8, which do not say it.
    """

    path: Path
    zipped: bool
    config: Any
    version: str

    @property
    def by_keras_2(self) -> bool:
        """Whether Keras 1, Keras 2, tf.keras or tf_keras wrote it."""
        return self.by_keras_1 or self.version.split(".")[0] == "2"

    @property
    def by_keras_1(self) -> bool:
        """Whether Keras 0 or 1 wrote it."""
        return self.version.split(".")[0] in ("0", "1")

    @property
    def suffix(self) -> str:
        """How Keras wants the file's name to end."""
        return ".keras" if self.zipped else ".h5"

    def objects(self) -> Iterator[Mapping[str, Any]]:
        """Yield every object of the configuration that has a class, also layers within layers."""
        return _objects(self.config)


def read_keras_file(path: Path) -> KerasFile:
    """Read the configuration of a whole model.

    Raises
    ------
    InvalidModelException
        It is something else; the message says what, and what to do.
    ModelNotFoundException
        There is nothing.
    """
    if not path.exists():
        raise no_file(place_of(path))
    kind = kind_of(path)
    if kind.kind in (KERAS_ZIP, HDF5):
        check_heaps(path)
        return _read_zip(path) if kind.kind == KERAS_ZIP else _read_hdf5(path)
    if kind.kind in (GRAPH, TEXT_GRAPH, SAVED_MODEL):
        raise InvalidModelException(f"{path} is {kind.what}. Expected a file that Keras wrote.")
    raise not_a_model(path, kind)


def _read_zip(path: Path) -> KerasFile:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(path, archive)
            config = parse_json(archive.read("config.json"))
            metadata = parse_json(archive.read("metadata.json"))
        version = str(metadata.get("keras_version", "3"))
    except NestedTooDeeply as e:
        raise _nested(path) from e
    except InvalidModelException:
        raise
    except (OSError, KeyError, ValueError, AttributeError, *ZIP_ERRORS) as e:
        raise InvalidModelException(f"{path} is a damaged .keras file: {e}. Save it again.") from e
    return KerasFile(path, True, config, version)


def _check_size(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise if what is in a zip would fill memory that its own size does not let expect."""
    size = sum(entry.file_size for entry in archive.infolist())
    if size > max(_UNPACKED_FREELY, _MOST_UNPACKED * path.stat().st_size):
        raise InvalidModelException(
            f"{path} would take {size / 1e9:.1f} GB when it is unpacked, over {_MOST_UNPACKED} "
            "times what it has, as no model does: it is damaged, or was made to fill the memory."
        )


def _nested(path: Path) -> InvalidModelException:
    return InvalidModelException(
        f"{path} has a configuration that is nested too deeply to be one of a model: the file is "
        "damaged. Save it again."
    )


def _read_hdf5(path: Path) -> KerasFile:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
            if text is None:
                raise InvalidModelException(_without_model(path, file))
            version = _text(file.attrs.get("keras_version", "1"))
            config = parse_json(_text(text))
            return KerasFile(path, False, config, version)
    except NestedTooDeeply as e:
        raise _nested(path) from e
    except (OSError, ValueError, KeyError, RuntimeError) as e:  # as h5py says it
        if isinstance(e, InvalidModelException):
            raise
        raise damaged(path, e) from e


def damaged(path: Path, error: Exception) -> InvalidModelException:
    """Return the error about an HDF5 file that cannot be read."""
    if "truncated file" in str(error):
        return InvalidModelException(
            f"{path} is a truncated HDF5 file: it has {path.stat().st_size} bytes, fewer than when "
            "it was written. Copy or save it again."
        )
    return InvalidModelException(f"{path} is a damaged HDF5 file: {error}. Save it again.")


def holds_weights(file: h5py.File) -> bool:
    """Say whether an open HDF5 file has weights as Keras writes them."""
    layers = {"layers", "_layer_checkpoint_dependencies", "vars", "model_weights"}
    return "layer_names" in file.attrs or bool(layers & set(file))


def _without_model(path: Path, file: h5py.File) -> str:
    if holds_weights(file):
        return f"{path} holds weights only, as save_weights writes them. {_LOAD_WEIGHTS}"
    names = ", ".join(list(file)[:5]) or "nothing"
    return f"{path} is an HDF5 file, but not one that Keras wrote: it has {names}. {_LOAD_WEIGHTS}"


def _text(value: object) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _objects(config: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(config, Mapping):
        if isinstance(config.get("class_name"), str):
            yield config
        for value in config.values():
            yield from _objects(value)
    elif isinstance(config, list):
        for value in config:
            yield from _objects(value)
