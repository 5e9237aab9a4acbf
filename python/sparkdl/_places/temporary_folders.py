"""Folders that are removed when the process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path


def new_folder(purpose: str) -> Path:
    """Return a new local folder, which is removed when this process ends."""
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=process_folder()))


@lru_cache(maxsize=1)
def process_folder() -> Path:
    """Return the folder of this process, which is removed when it ends."""
    root = Path(tempfile.mkdtemp(prefix="sparkdl-bundles-"))
    atexit.register(_remove, root, os.getpid())
    return root


def _remove(root: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must not take them away from its parent
        shutil.rmtree(root, ignore_errors=True)
