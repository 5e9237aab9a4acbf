"""Folders that are removed when the process ends, or earlier."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

_still_there: set[Path] = set()


def new_folder(purpose: str) -> Path:
    """Return a new local folder, which is removed when this process ends."""
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=process_folder()))


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a local folder for this block."""
    folder = Path(tempfile.mkdtemp(prefix="sparkdl-"))
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder.

    One that cannot be removed now, for example where somebody has changed rights for a moment, is
    removed with another one, or when this process ends.
    """
    _still_there.add(folder)
    _remove_still_there()


@atexit.register
def _remove_still_there() -> None:
    for folder in tuple(_still_there):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            _still_there.discard(folder)


@lru_cache(maxsize=1)
def process_folder() -> Path:
    """Return the folder of this process, which is removed when it ends."""
    root = Path(tempfile.mkdtemp(prefix="sparkdl-bundles-"))
    atexit.register(_remove, root, os.getpid())
    return root


def _remove(root: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must not take them away from its parent
        shutil.rmtree(root, ignore_errors=True)
