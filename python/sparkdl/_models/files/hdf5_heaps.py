"""Heaps of HDF5 files, through which the library goes without an end where they are damaged."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from sparkdl.errors import InvalidModelException

_START = b"GCOL\1\0\0\0"  # of a heap, before its size
_OBJECT = struct.Struct("<HHIQ")  # number (0: free space), references, nothing, size
_ALIGNED = 8
_NUMBERS = 1 << 64  # the library's sums begin again from here


def check_heaps(path: Path) -> None:
    """Raise an InvalidModelException if reading the texts of an HDF5 file would never end.

    Parameters
    ----------
    path : pathlib.Path
        An HDF5 file, or a zip in which such files are not compressed, as Keras writes it.
    """
    if path.stat().st_size == 0:
        return
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = content.find(_START)
        while at >= 0:
            if not _ends(content, at):
                raise InvalidModelException(
                    f"{path} is a damaged HDF5 file: the objects of its heap at byte {at} have no "
                    "end. Save it again."
                )
            at = content.find(_START, at + len(_START))


def _ends(content: mmap.mmap, start: int) -> bool:
    """Say whether the objects of a heap lead to its end."""
    at = start + len(_START) + 8
    if at > len(content):
        return True
    (size,) = struct.unpack_from("<Q", content, at - 8)
    end = min(start + size, len(content))
    while at + _OBJECT.size <= end:
        number, _, _, length = _OBJECT.unpack_from(content, at)
        # Free space has its header in its size.
        step = length if number == 0 else _OBJECT.size + -(-length // _ALIGNED) * _ALIGNED
        if not 0 < step < _NUMBERS:
            return False
        at += step
    return True
