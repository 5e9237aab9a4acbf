"""Folders of files as plain data: a whole one is read once, and written for each input."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for a block."""
    with tempfile.TemporaryDirectory(prefix="sparkdl-fuzz-") as name:
        yield Path(name)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder and of those below it, by their path in it."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their path in a folder, which need not be there."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
