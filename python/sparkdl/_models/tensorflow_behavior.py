"""TensorFlow 2 as it is by itself, for a block, in programs that switched it to TensorFlow 1."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import tensorflow as tf
from tensorflow.python import tf2
from tensorflow.python.eager import context
from tensorflow.python.framework import tensor, tensor_shape
from tensorflow.python.ops import control_flow_v2_toggles, resource_variables_toggle

# What `tf.compat.v1.disable_v2_behavior` switches off, but for eager execution, which is each
# thread's own: whether it is on, on, off. Shapes without these two hold objects that are no
# numbers and cannot be hashed, on which Keras 3 fails, too.
_SWITCHES: tuple[tuple[Callable[[], bool], Callable[[], None], Callable[[], None]], ...] = (
    (tf2.enabled, tf2.enable, tf2.disable),
    (
        lambda: isinstance(tf.TensorShape([1])[0], int),
        tensor_shape.enable_v2_tensorshape,
        tensor_shape.disable_v2_tensorshape,
    ),
    (
        resource_variables_toggle.resource_variables_enabled,
        resource_variables_toggle.enable_resource_variables,
        resource_variables_toggle.disable_resource_variables,
    ),
    (
        lambda: bool(tf.Tensor._USE_EQUALITY),
        tensor.enable_tensor_equality,
        tensor.disable_tensor_equality,
    ),
    (
        control_flow_v2_toggles.control_flow_v2_enabled,
        control_flow_v2_toggles.enable_control_flow_v2,
        control_flow_v2_toggles.disable_control_flow_v2,
    ),
)


class _OpenBlocks:
    """The blocks that are open in all threads: the switches are those of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._switched_off: list[Callable[[], None]] = []

    def enter(self) -> None:
        with self._lock:
            self._count += 1
            if self._count > 1:
                return
            for is_on, turn_on, turn_off in _SWITCHES:
                if not is_on():
                    turn_on()
                    self._switched_off.append(turn_off)

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            while self._count == 0 and self._switched_off:
                self._switched_off.pop()()


_OPEN = _OpenBlocks()


@contextmanager
def tensorflow_2_behavior() -> Iterator[None]:
    """Execute eagerly, with the shapes, variables and tensors of TensorFlow 2."""
    with ExitStack() as stack:
        _OPEN.enter()
        stack.callback(_OPEN.leave)
        stack.enter_context(context.eager_mode())
        yield
