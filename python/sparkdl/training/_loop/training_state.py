"""A state of a training as bytes: everything that is needed to go on from there."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._processes.link import Payload
from sparkdl._text_files import parse_json
from sparkdl.errors import InvalidModelException

_MAGIC = b"sparkdl-state-1\n"
_LENGTH = struct.Struct("!Q")
_DIGEST = 32


def pack_state(facts: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> bytes:
    """Return facts (JSON) and arrays as bytes, with their SHA-256 at the end."""
    return b"".join(state_parts(facts, arrays))


def state_parts(facts: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> list[Payload]:
    """Return the same bytes in parts, which are the arrays themselves."""
    contiguous = [np.asarray(a, order="C") for a in arrays]
    header = {"about": facts, "arrays": [[str(a.dtype), a.shape] for a in contiguous]}
    text = json.dumps(header).encode()
    parts: list[Payload] = [_MAGIC, _LENGTH.pack(len(text)), text, *map(_memory, contiguous)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return [*parts, digest.digest()]


def unpack_state(data: Payload) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Return facts and arrays.

    Raises
    ------
    InvalidModelException
        The bytes are not a state, or a damaged one.
    """
    view = memoryview(data)
    content, digest = view[:-_DIGEST], view[-_DIGEST:]
    start = len(_MAGIC) + _LENGTH.size
    if bytes(view[: len(_MAGIC)]) != _MAGIC or hashlib.sha256(content).digest() != digest:
        raise InvalidModelException(
            "The state of the training is damaged: its SHA-256 is not the one that was written."
        )
    try:
        return _parts(view, start)
    except (ValueError, KeyError, TypeError, struct.error, OverflowError) as e:
        raise InvalidModelException(
            f"The state of the training is not one that this version writes: {e}."
        ) from e


def _parts(view: memoryview, start: int) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    (length,) = _LENGTH.unpack(view[len(_MAGIC) : start])
    header = parse_json(bytes(view[start : start + length]))
    facts = dict(header["about"])
    arrays, at = [], start + length
    for dtype, shape in header["arrays"]:
        kind = _dtype(dtype)
        size = kind.itemsize * math.prod(map(int, shape))
        arrays.append(np.frombuffer(view[at : at + size], kind).reshape(shape))
        at += size
    return facts, arrays


def _memory(array: NDArray[Any]) -> memoryview:
    """Return the bytes of an array without a copy."""
    return array.reshape(-1).view("uint8").data


def _dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        from ml_dtypes import bfloat16

        dtype: np.dtype[Any] = np.dtype(bfloat16)
        return dtype
    return np.dtype(name)
