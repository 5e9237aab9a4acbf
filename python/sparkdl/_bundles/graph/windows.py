"""Windows of pooling that are larger than what they slide over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from sparkdl._bundles.graph.graph import Array
from sparkdl._bundles.graph.weights import without_marks

if TYPE_CHECKING:
    from sparkdl._bundles.graph.original import GraphRun

_POOLING = {"MaxPool", "MaxPoolV2", "MaxPool3D", "MaxPoolWithArgmax", "AvgPool", "AvgPool3D"}


def windows_fit(run: GraphRun, rows: Mapping[str, Array]) -> bool:
    """Say whether each pooling of a graph has at least one window of these rows.

    Nothing is run: where there is none, TensorFlow's kernel for oneDNN divides by zero, which ends
    the process.
    """
    if not any(node.op in _POOLING for node in run.graph_def.node):
        return True
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        fed = {t: v1.placeholder(rows[n].dtype, rows[n].shape) for n, t in run.inputs.items()}
        try:
            tf.import_graph_def(without_marks(run.graph_def), input_map=fed, name="")
        except ValueError:  # shapes that do not suit each other
            return False
        pools = [op.outputs[0].shape for op in graph.get_operations() if op.type in _POOLING]
    return all(shape.rank is None or 0 not in shape.as_list() for shape in pools)
