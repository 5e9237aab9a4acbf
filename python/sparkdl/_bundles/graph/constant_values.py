"""Values that a user gives to placeholders, as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.graph import Array
from sparkdl.errors import SettingsException

_KINDS = {
    "b": "a boolean",
    "i": "a whole number",
    "u": "a whole number",
    "f": "a number with a fraction",
    "U": "a text",
    "S": "a text",
}


def constant_tensor(value: object, dtype: tf.DType, shape: tf.TensorShape, place: str) -> Any:
    """Return a value as a TensorProto of a placeholder's type.

    Parameters
    ----------
    value : object
        A boolean, a number, a text, an array, or lists of them.
    dtype : tf.DType
    shape : tf.TensorShape
    place : str
        What it is for, in messages.

    Raises
    ------
    SettingsException
        It is of another type or shape, or does not fit into the type.
    """
    array = _array(value, place)
    expected = f"expected {dtype.name} {_dimensions(shape)}"
    if array.size and not _is_a(dtype, array):
        kind = _KINDS.get(array.dtype.kind, type(value).__name__)
        raise _refusal(place, f"{expected}, but {_shorten(value)} is {kind}")
    if array.size and not _fits(dtype, array):
        raise _refusal(place, f"{expected}, but {_shorten(value)} is out of its range")
    if not shape.is_compatible_with(array.shape):
        got = _dimensions(tf.TensorShape(array.shape))
        raise _refusal(place, f"{expected}, but it has the shape {got}")
    return tf.make_tensor_proto(array.tolist(), dtype, array.shape)


def _array(value: object, place: str) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as e:  # lists of different lengths
        raise _refusal(place, "its parts have different lengths") from e
    if array.dtype.kind not in _KINDS and array.size:
        raise _refusal(
            place,
            f"expected a boolean, a number or a text, or lists of them, got {_shorten(value)}",
        )
    return array


def _is_a(dtype: tf.DType, array: Array) -> bool:
    kind = array.dtype.kind
    if dtype == tf.string:
        return kind in "US"
    if dtype.is_bool:
        return kind == "b"
    if dtype.is_integer:
        return kind in "iu"
    return bool(dtype.is_floating) and kind in "iuf"


def _fits(dtype: tf.DType, array: Array) -> bool:
    if dtype.is_integer:
        return bool(int(array.min()) >= dtype.min and int(array.max()) <= dtype.max)
    if not dtype.is_floating:
        return True
    numbers = array.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    return not finite.size or float(np.abs(finite).max()) <= float(dtype.max)


def _dimensions(shape: tf.TensorShape) -> str:
    if shape.rank is None:
        return "[...]"
    return "[" + ", ".join("?" if d is None else str(d) for d in shape) + "]"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refusal(place: str, why: str) -> SettingsException:
    return SettingsException(f"Cannot give {place} a constant: {why}.")
