"""A disk that fills up while something is written is named in the error, with the way out."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkdl._places.temporary_folders import process_folder
from sparkdl.errors import SparkDLException

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def naming_full_disks(folder: Path) -> Iterator[None]:
    """Say which folder something was written to, if its disk is full.

    Raises
    ------
    SparkDLException
        The disk, or the user's share of it, is full.
    """
    try:
        yield
    except OSError as e:
        if e.errno not in _FULL:
            raise
        free = shutil.disk_usage(folder).free / 1e6
        raise SparkDLException(
            f"Cannot write to '{folder}': {e.strerror}. {free:.0f} MB are free there now that what "
            f"was written is removed. Free space, or {_elsewhere(folder)}."
        ) from e


def _elsewhere(folder: Path) -> str:
    if folder.is_relative_to(process_folder()):
        return (
            "set the environment variable TMPDIR to a folder on a larger disk before the program "
            "starts"
        )
    return "choose a folder on a larger disk"
