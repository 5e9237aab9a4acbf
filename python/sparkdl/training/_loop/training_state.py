"""A state of a training as bytes: everything that is needed to go on from there."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparkdl.errors import InvalidModelException

_MAGIC = b"sparkdl-state-1\n"
_LENGTH = struct.Struct("!Q")
_DIGEST = 32


def packed(about: Mapping[str, Any], arrays: Sequence[Any]) -> bytes:
    """Return facts (JSON) and arrays as bytes, with their SHA-256 at the end."""
    numbers = [np.asarray(a, order="C") for a in arrays]
    header = {"about": about, "arrays": [[str(a.dtype), a.shape] for a in numbers]}
    told = json.dumps(header).encode()
    parts: list[Any] = [_MAGIC, _LENGTH.pack(len(told)), told, *map(_memory, numbers)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return b"".join([*parts, digest.digest()])


def unpacked(data: Any) -> tuple[dict[str, Any], list[Any]]:
    """Return facts and arrays.

    Raises
    ------
    InvalidModelException
        The bytes are no state, or damaged.
    """
    view = memoryview(data)
    content, digest = view[:-_DIGEST], view[-_DIGEST:]
    start = len(_MAGIC) + _LENGTH.size
    if bytes(view[: len(_MAGIC)]) != _MAGIC or hashlib.sha256(content).digest() != digest:
        raise InvalidModelException(
            "The state of the training is damaged: its SHA-256 is not the one that was written."
        )
    (length,) = _LENGTH.unpack(view[len(_MAGIC) : start])
    header = json.loads(bytes(view[start : start + length]))
    arrays, at = [], start + length
    for dtype, shape in header["arrays"]:
        kind = _dtype(dtype)
        size = kind.itemsize * int(np.prod(shape, dtype="int64"))
        arrays.append(np.frombuffer(view[at : at + size], kind).reshape(shape))
        at += size
    return header["about"], arrays


def _memory(array: Any) -> memoryview:
    """Return the bytes of an array, which are not copied."""
    return memoryview(array.reshape(-1).view("uint8"))


def _dtype(name: str) -> Any:
    if name == "bfloat16":
        from ml_dtypes import bfloat16

        return np.dtype(bfloat16)
    return np.dtype(name)
