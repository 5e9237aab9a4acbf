"""Values of variables, of a function or a session, for TensorFlow's conversion to constants.

It makes a constant of each, and copies the graph with them several times. Of large ones it gets
something of the same type and shape without content, and the weights are kept beside the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from sparkdl._bundles.graph.weights import Array, Weights, is_large, stand_for

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef


class LightConversion(convert_to_constants._FunctionConverterDataInEager):  # type: ignore[misc]
    """What TensorFlow's conversion knows of a function, without the content of large variables."""

    def __init__(
        self, function: tf.types.experimental.ConcreteFunction, kept: Mapping[str, str]
    ) -> None:
        super().__init__(
            func=function,
            lower_control_flow=False,
            aggressive_inlining=False,
            variable_names_denylist={*kept},
        )

    def _eval(self, tensor: Any) -> Any:
        if not isinstance(tensor, tf.Variable):
            return super()._eval(tensor)
        # A view of what the variable holds now; should it be assigned to, it gets another buffer.
        value = np.asarray(tensor.read_value())
        return _Hollow(value) if is_large(tensor.dtype, value.size) else value.copy()


class LightSessionConversion(convert_to_constants._SessionConverterData):  # type: ignore[misc]
    """What TensorFlow's conversion knows of a session's graph, without large variables' content."""

    def __init__(
        self,
        session: tf.compat.v1.Session | Views,
        graph_def: GraphDef,
        ops: Sequence[str],
        kept: Mapping[str, str],
    ) -> None:
        super().__init__(session, graph_def, [*ops], variable_names_denylist={*kept})
        for name, data in self._tensor_data.items():
            if is_large(tf.as_dtype(data.dtype), data.numpy.size):
                self._tensor_data[name] = data._replace(numpy=_Hollow(data.numpy))


class Views:
    """Reads variables of a session as views of their memory, where `Session.run` copies them.

    For that, an operation is added to the session's graph.
    """

    def __init__(self, session: tf.compat.v1.Session) -> None:
        self._session = session

    def run(self, names: Sequence[str]) -> list[Array]:
        """Return the values of tensors."""
        found: list[Any] = []
        graph = self._session.graph
        with graph.as_default():
            tensors = [graph.get_tensor_by_name(name) for name in names]
            take = tf.py_function(lambda *values: found.extend(values), tensors, [])
        self._session.run(take)
        # Variables of TensorFlow 1 are written where they are, others get another buffer.
        changing = [tensor.op.type in _WRITTEN_IN_PLACE for tensor in tensors]
        arrays = map(np.asarray, found)
        return [a.copy() if c else a for a, c in zip(arrays, changing, strict=True)]


_WRITTEN_IN_PLACE = {"Variable", "VariableV2"}


def weights_of(values: Any, graph_def: GraphDef) -> Weights:
    """Let placeholders stand for the hollow constants of a converted graph; return the weights."""
    weights: Weights = {}
    hollow = {n: d.numpy for n, d in values.tensor_data.items() if isinstance(d.numpy, _Hollow)}
    for node in graph_def.node:
        if node.name in hollow:
            stand_for(node, hollow[node.name].content, weights)
    return weights


class _Hollow:
    """Looks to the conversion like an array, but becomes a constant that repeats a zero."""

    def __init__(self, content: Array) -> None:
        self.content, self.shape, self.dtype = content, content.shape, content.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.zeros((), dtype or self.dtype)
