"""Large weights of models that are read from files: zeros that take no memory, then copied once.

Keras builds a model before it reads its weights, and to draw them takes up to three times their
memory, most of which TensorFlow keeps. What is read TensorFlow would copy twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from sparkdl._models.libraries import tensorflow

LEAST_BYTES = 1 << 20  # of a weight: it pays off from about there
_ALIGNMENT = 64  # where TensorFlow takes an array's memory as it is
_DRAWING = ("RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal")

_lock = threading.Lock()
# How many blocks need each method changed, and what it was before.
_changed: dict[tuple[type, str], tuple[int, Any]] = {}


class Undrawn:
    """The weights that were not drawn in a block."""

    def __init__(self) -> None:
        self._drawn: dict[int, Callable[[], Any]] = {}
        self._kept: list[Any] = []  # else other weights could get the same address

    def stand_in(self, draw: Callable[[], Any], shape: Sequence[int], dtype: Any) -> Any:
        """Return a tensor of zeros instead of the one that is drawn."""
        zeros, _ = _zeros(shape, dtype)
        self._drawn[_address(zeros)] = draw
        self._kept.append(zeros)
        return zeros

    def draw_rest(self, variables: Sequence[Any]) -> None:
        """Draw what was not read from the file, either."""
        for variable in variables:
            is_of_tensorflow = hasattr(variable, "read_value")
            value = variable if is_of_tensorflow else variable.value  # Keras 3 has both
            if self._drawn and hasattr(value, "read_value"):
                draw = self._drawn.get(_address(value.read_value()))
                if draw is not None:
                    variable.assign(draw())
        self._kept.clear()


def _address(tensor: Any) -> int:
    address: int = np.asarray(tensor).ctypes.data
    return address


_current: ContextVar[Undrawn | None] = ContextVar("_current", default=None)


@contextmanager
def undrawn(keras: Any) -> Iterator[Undrawn]:
    """Let large weights of models that this thread builds with a Keras in a block stay undrawn."""
    kinds: list[tuple[Any, str, Callable[[Any], Any]]] = [
        (getattr(keras.initializers, name), "__call__", _not_drawn) for name in _DRAWING
    ]
    if keras.backend.backend() != "tensorflow":
        kinds = []
    elif hasattr(keras, "Variable"):  # of Keras 3
        kinds.append((keras.Variable, "_convert_to_tensor", _copied_once))
    weights = Undrawn()
    token = _current.set(weights)
    with _lock:
        for kind, name, change in kinds:
            _change(kind, name, change)
    try:
        yield weights
    finally:
        _current.reset(token)
        with _lock:
            for kind, name, _ in kinds:
                _restore(kind, name)


def _change(kind: type, name: str, change: Callable[[Any], Any]) -> None:
    count, method = _changed.get((kind, name), (0, getattr(kind, name)))
    _changed[kind, name] = (count + 1, method)
    if not count:
        setattr(kind, name, change(method))


def _restore(kind: type, name: str) -> None:
    count, method = _changed.pop((kind, name))
    if count > 1:
        _changed[kind, name] = (count - 1, method)
    else:
        setattr(kind, name, method)


def _not_drawn(call: Any) -> Any:
    def stand_in(self: Any, shape: Any, dtype: Any = None, **more: Any) -> Any:
        weights = _current.get()
        if weights is None or more or _is_seeded(self) or not _is_large(shape, dtype):
            return call(self, shape, dtype, **more)
        return weights.stand_in(lambda: call(self, shape, dtype), shape, dtype)

    return stand_in


def _copied_once(convert: Any) -> Any:
    def copy(self: Any, value: Any, dtype: Any = None) -> Any:
        plain = _current.get() is not None and isinstance(value, np.ndarray)
        if not plain or not _is_large(value.shape, dtype) or value.dtype != _numpy(dtype):
            return convert(self, value, dtype)
        tensor, memory = _zeros(value.shape, dtype)
        if _address(tensor) != memory.ctypes.data:  # this TensorFlow has memory of its own
            return convert(self, value, dtype)
        np.copyto(memory, value)
        return tensor

    return copy


def _is_seeded(initializer: Any) -> bool:
    """Say whether an initializer gives the same numbers every time, which a model may rely on."""
    return getattr(initializer, "_init_seed", getattr(initializer, "seed", None)) is not None


def _is_large(shape: Any, dtype: Any) -> bool:
    tf = tensorflow()
    if dtype is None or not tf.executing_eagerly():
        return False
    return bool(np.prod(shape, dtype=np.int64) * tf.as_dtype(dtype).size >= LEAST_BYTES)


def _numpy(dtype: Any) -> Any:
    return np.dtype(tensorflow().as_dtype(dtype).as_numpy_dtype)


def _zeros(shape: Sequence[int], dtype: Any) -> tuple[Any, Any]:
    """Return a tensor and its memory, which the system gives only when it is written to."""
    tf = tensorflow()
    kind = tf.as_dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * kind.size
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    aligned = memory[start : start + size]
    shared = tf.experimental.dlpack.from_dlpack(aligned.reshape(-1, kind.size).__dlpack__())
    tensor = tf.reshape(tf.bitcast(shared, kind), shape)
    return tensor, aligned.view(_numpy(dtype)).reshape(shape)
