"""Paths: those of this machine, and folders that go when the process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit


def local_path(path: str) -> str | None:
    """Return a path or URI as a local path, or None for one of another file system.

    >>> local_path("file:/a/b"), local_path("a/b"), local_path("s3a://bucket/b")
    ('/a/b', 'a/b', None)
    """
    parts = urlsplit(path)
    if parts.scheme in ("", "file") and parts.netloc in ("", "localhost"):
        return parts.path if parts.scheme else path
    return None


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
