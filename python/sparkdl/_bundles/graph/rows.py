"""Makes a graph that is written for one row into one for many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef


def over_rows(graph_def: GraphDef, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Any:
    """Return a concrete function whose inputs and outputs have a dimension of rows in front.

    Operations are vectorized where TensorFlow knows how; others run in a loop.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
        Frozen.
    inputs, outputs : dict of str to str
        From name to tensor.
    """
    names = list(inputs)
    cells = _shapes(graph_def, [*inputs.values(), *outputs.values()])

    def of_row(row: list[Any]) -> dict[str, Any]:
        inputs_by_tensor = {inputs[n]: value for n, value in zip(names, row, strict=True)}
        results = tf.import_graph_def(
            graph_def, inputs_by_tensor, list(outputs.values()), name="row"
        )
        return dict(zip(outputs, results, strict=True))

    def of_rows(*tensors: tf.Tensor) -> dict[str, Any]:
        results = tf.vectorized_map(of_row, list(tensors))
        return {
            n: tf.ensure_shape(results[n], tf.TensorShape([None]).concatenate(cells[t][1]))
            for n, t in outputs.items()
        }

    specs = [
        tf.TensorSpec(tf.TensorShape([None]).concatenate(shape), dtype, name=f"in{i}")
        for i, (dtype, shape) in enumerate(cells[t] for t in inputs.values())
    ]
    return tf.function(of_rows, autograph=False).get_concrete_function(*specs)


def _shapes(graph_def: GraphDef, tensors: list[str]) -> dict[str, tuple[Any, Any]]:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
    outputs = [graph.get_tensor_by_name(t) for t in tensors]
    return {t: (f.dtype, f.shape) for t, f in zip(tensors, outputs, strict=True)}
