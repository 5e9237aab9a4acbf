"""What a file is: its bytes say it, not its name."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

from sparkdl._places.places import Place
from sparkdl.errors import InvalidModelException, ModelNotFoundException

# Kinds that the code distinguishes; the table has the others, and what messages say of them.
HDF5, KERAS_ZIP = "HDF5", "zip of Keras"
GRAPH, TEXT_GRAPH = "frozen graph", "frozen graph as text"
SAVED_MODEL, BUNDLE, CHECKPOINT = "SavedModel", "bundle", "checkpoint"
OF_KERAS = (HDF5, KERAS_ZIP)
_KINDS_OF_THE_JVM = (GRAPH, TEXT_GRAPH, "zip of a bundle", "zip of a SavedModel")

_TABLE = files("sparkdl") / "resources" / "file_kinds.json"
# What Python's zipfile raises about damage (RuntimeError: encryption, unknown compression).
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
_START_BYTES = 1024  # and as many names of a folder's files


@dataclass(frozen=True)
class Kind:
    """A kind of file or folder.

    Attributes
    ----------
    kind : str
        Its name.
    of : {"start", "zip", "broken zip", "folder"}
        What the pattern is looked for in: the first bytes, as Latin-1, or the names of files.
    pattern : str
        A regular expression that Python and Java read alike.
    what : str
        "It is ...", for messages.
    remedy : str
        What to do about it, where it is not a model.
    """

    kind: str
    of: str
    pattern: str
    what: str
    remedy: str = "Expected a file of Keras, a frozen graph, or the directory of a SavedModel."


@lru_cache(maxsize=1)
def kinds() -> tuple[Kind, ...]:
    """Return the table; the first kind that matches counts."""
    return tuple(Kind(**row) for row in json.loads(_TABLE.read_text(encoding="utf-8")))


def kind_of(path: Path) -> Kind:
    """Say what the file or folder at a path is.

    Raises
    ------
    InvalidModelException
        It cannot be read.
    """
    try:
        if path.is_dir():
            return _first("folder", "\n".join(islice(_names(path), _START_BYTES)))
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
        kind = _first("start", start.decode("latin-1"))
        return _in_zip(path, kind) if kind.kind == "zip" else kind
    except OSError as e:
        raise InvalidModelException(f"Cannot read {path}: {e.strerror or e}.") from e


def kind_of_bytes(content: bytes) -> Kind:
    """Say what the content of a file is, as far as its start tells."""
    return _first("start", content[:_START_BYTES].decode("latin-1"))


def is_for_python(path: Path) -> bool:
    """Say whether the JVM leaves a local file to Python: all but its own kinds of models."""
    return path.is_file() and kind_of(path).kind not in _KINDS_OF_THE_JVM


def is_of_keras(path: Path) -> bool:
    """Say whether there is a file that Keras has written, a whole model or weights."""
    return path.is_file() and kind_of(path).kind in OF_KERAS


def not_a_model(path: Path, kind: Kind) -> InvalidModelException:
    """Return the error about a file that is not a model, or not one that is taken here."""
    return InvalidModelException(f"{path} is {kind.what}. {kind.remedy}")


def no_file(place: Place, bundles: bool = False) -> ModelNotFoundException:
    """Return the error about a place where nothing is, which may be the prefix of a checkpoint.

    `bundles` says whether it could also have been a bundle.
    """
    index = place.local.with_name(f"{place.name}.index") if place.local else None
    if index is not None and index.is_file():
        kind = kind_of(index)
        return ModelNotFoundException(
            f"There is no model at {place}. Its folder has {index.name}, {kind.what}. {kind.remedy}"
        )
    return ModelNotFoundException(
        f"There is no model at {place}. Expected a file of Keras (.keras, .h5), a frozen graph "
        f"(.pb) or the directory of a SavedModel{' or bundle' if bundles else ''}."
    )


def _first(of: str, text: str) -> Kind:
    for kind in kinds():
        if kind.of == of and re.search(kind.pattern, text, re.MULTILINE if of != "start" else 0):
            return kind
    shown = text[:16].encode("latin-1") if of == "start" else text.split("\n")[:10]
    begins = "begins with the bytes" if of == "start" else "is a zip of"
    return Kind("unknown", of, "", f"of no kind that sparkdl knows: it {begins} {shown!r}")


def _in_zip(path: Path, kind: Kind) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            return _first("zip", "\n".join(archive.namelist()))
    except ZIP_ERRORS:
        return _first("broken zip", "")


def _names(folder: Path) -> Iterator[str]:
    """Yield the files of a folder and of the folders in it."""
    for entry in sorted(folder.iterdir()):
        yield entry.name
        if entry.is_dir():
            yield from (f"{entry.name}/{e.name}" for e in sorted(entry.iterdir()))
