"""model.json, the description of a bundle, and how a bundle is written and checked."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from sparkdl._places.places import Place, local_copy, place_of
from sparkdl._text_files import parse_json, read_text
from sparkdl.errors import InvalidModelException, SettingsException

MANIFEST = "model.json"
WEIGHTS = "weights"  # the key of the file with weights beside the graph
# Bundles with that file have the second version, so that an older sparkdl says what is wrong.
_PLAIN_VERSION, _WEIGHTS_VERSION = 1, 2
# The placeholder that a graph which draws random numbers is fed beside its inputs.
SEED = "sparkdl_seed"


@dataclass(frozen=True)
class BundleEnd:
    """An input or output of a bundle, as model.json describes it.

    Attributes
    ----------
    name : str
        What users call it.
    tensor : str
        Its name in the graph, "node:0".
    dtype : str
        TensorFlow's name of the type.
    shape : list of int or None
        -1 is an unknown dimension, None an unknown rank. The first dimension is the batch.
    """

    name: str
    tensor: str
    dtype: str
    shape: list[int] | None


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return sha256_of(file)


def sha256_of(file: IO[bytes]) -> str:
    """Return the SHA-256 of what is left of an open file, of which only a little is in memory."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


# By path, size and times: hashes of files that were read in this process.
_hashes: dict[tuple[str, int, int, int], str] = {}
_RECENT_NS = 2_000_000_000  # a file that is written again so soon may keep its time


def known_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, which is read once per process as long as it does not change.

    For files that users have, of up to some gigabytes. To find out whether a file is damaged, use
    `sha256`.
    """
    status = os.stat(path)
    key = (os.path.realpath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if key not in _hashes:
        digest = sha256(path)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _RECENT_NS:
            return digest
        _hashes[key] = digest
    return _hashes[key]


def write_bundle(
    path: str | Path,
    manifest: Mapping[str, Any],
    write_files: Callable[[Path], None],
    overwrite: bool = False,
) -> str:
    """Write a bundle so that at any moment there is either a whole one or none.

    Parameters
    ----------
    path : str or Path
        The directory to make, on any of Hadoop's file systems.
    manifest : mapping
        Everything in model.json except "formatVersion" and "files", which are added.
    write_files : callable
        Takes a directory and writes all files except model.json there.
    overwrite : bool
        Whether an existing bundle is replaced. Nothing else is.

    Returns
    -------
    str
        The absolute path, or the URI of another file system.
    """
    target = place_of(path)
    _check_free(target, overwrite)
    with target.writing() as folder:
        folder.mkdir()
        write_files(folder)
        files = {f.relative_to(folder).as_posix(): sha256(f) for f in _files(folder)}
        version = _WEIGHTS_VERSION if WEIGHTS in manifest else _PLAIN_VERSION
        whole = {"formatVersion": version, **manifest, "files": files}
        (folder / MANIFEST).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    return str(target)


def _files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file() and f != folder / MANIFEST)


def _check_free(target: Place, overwrite: bool) -> None:
    names = target.names()
    if names is None:
        return
    if not overwrite:
        raise SettingsException(
            f"Cannot write a bundle to {target}: it exists. Give another path, or overwrite=True "
            "(--overwrite in the shell) to replace it."
        )
    # A wrong path must not cost somebody a folder of photos.
    if names and MANIFEST not in names:
        raise SettingsException(
            f"Cannot write a bundle to {target}: what is there is not a bundle (it has no "
            f"{MANIFEST}), so it is not overwritten. Give another path or remove it yourself."
        )


def read_manifest(path: str | Path) -> dict[str, Any]:
    """Return model.json of a bundle. Raises InvalidModelException if it is not one."""
    folder = local_copy(path)
    if folder is None or not (file := folder / MANIFEST).is_file():
        raise InvalidModelException(
            f"{path} is not a bundle: it has no {MANIFEST}. Expected a directory written by "
            "sparkdl.save_bundle or `python -m sparkdl export`."
        )
    try:
        manifest = parse_json(read_text(file))
    except ValueError as e:
        raise InvalidModelException(
            f"{path}/{MANIFEST} is not valid JSON: {e}. Export the model again."
        ) from e
    version = manifest.get("formatVersion") if isinstance(manifest, dict) else None
    if version not in (_PLAIN_VERSION, _WEIGHTS_VERSION):
        raise InvalidModelException(
            f"{path}/{MANIFEST} has formatVersion {version!r}; this version of sparkdl reads "
            f"{_PLAIN_VERSION} and {_WEIGHTS_VERSION}. Export the model again, or install a "
            "matching sparkdl."
        )
    return dict(manifest)


def verify_bundle(path: str | Path) -> dict[str, Any]:
    """Check every file of a bundle against its SHA-256 and return model.json."""
    manifest = read_manifest(path)
    folder = local_copy(path)
    assert folder is not None  # there is a manifest in it
    for name, expected in manifest["files"].items():
        file = folder / name
        actual = sha256(file) if file.is_file() else "no file"
        if actual != expected:
            raise InvalidModelException(
                f"The bundle {path} is damaged: {name} should have SHA-256 {expected}, but has "
                f"{actual}. Remove the directory and export the model again."
            )
        if file.resolve() != folder.resolve() / name:
            raise InvalidModelException(
                f"The bundle {path} is not whole: {name} is a link. Copy the bundle with what its "
                "links lead to (cp -rL)."
            )
    for added in (f.relative_to(folder).as_posix() for f in _files(folder)):
        # Hidden files right in the folder are those of file systems: nothing reads them.
        if added not in manifest["files"] and not added.startswith("."):
            raise InvalidModelException(
                f"The bundle {path} has {added}, which its {MANIFEST} does not list: somebody has "
                "added it. Remove the directory and export the model again."
            )
    return manifest


def random_json(seed: str | None, unseeded: list[str]) -> dict[str, Any] | None:
    """Return how a model draws random numbers, as model.json says it; None if it draws none.

    Parameters
    ----------
    seed : str or None
        The tensor that takes the seed of a run.
    unseeded : list of str
        The operations that draw without it.
    """
    if seed is None and not unseeded:
        return None
    return {
        **({} if seed is None else {"seed": seed}),
        **({"unseeded": unseeded} if unseeded else {}),
    }


def specs_json(specs: list[BundleEnd]) -> list[dict[str, Any]]:
    """Return specs as model.json writes them."""
    return [asdict(s) for s in specs]
