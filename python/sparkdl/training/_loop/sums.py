"""What a step sums over all workers, as one array with a place for each variable.

The places begin where TensorFlow wants memory to begin, so that it reads them without a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_ALIGNMENT = 64  # bytes; Eigen's largest


class Sums:
    """An array for tensors of these shapes and two numbers, used again for every step.

    Attributes
    ----------
    flat : numpy.ndarray
        All of it; its last two elements are the two numbers.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], dtype: str) -> None:
        unit = _ALIGNMENT // np.dtype(dtype).itemsize
        self._shapes = list(shapes)
        self._sizes = [int(np.prod(s, dtype=np.int64)) for s in self._shapes]
        ends = np.cumsum([0, *(-(-size // unit) * unit for size in self._sizes)])
        self._starts = [int(e) for e in ends]
        raw = np.zeros(self._starts[-1] + 2 + unit, dtype)
        first = -raw.ctypes.data % _ALIGNMENT // raw.itemsize
        self.flat: NDArray[Any] = raw[first : first + self._starts[-1] + 2]

    def parts(self) -> list[NDArray[Any]]:
        """Return the place of each tensor, in its shape."""
        places = zip(self._starts, self._sizes, self._shapes, strict=False)
        return [self.flat[start : start + size].reshape(shape) for start, size, shape in places]

    def tensors(self) -> list[Any]:
        """Return the places as tensors of TensorFlow, which read this memory."""
        from_dlpack = tf.experimental.dlpack.from_dlpack  # `convert_to_tensor` would copy
        return [from_dlpack(part.__dlpack__()) for part in self.parts()]

    def fill(self, tensors: list[Any], ends: NDArray[Any]) -> None:
        """Take over tensors, which are let go one by one, and the two numbers."""
        for part in self.parts():
            part[...] = np.asarray(tensors.pop(0))
        self.flat[-2:] = ends

    def clear(self) -> None:
        """Set everything to zero."""
        self.flat[:] = 0
