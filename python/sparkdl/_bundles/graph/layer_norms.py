"""Sums of normalized values that TensorFlow would take for layer normalizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._bundles.graph.graph import Graph, node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def keep_sums(graph: Graph) -> None:
    """Keep TensorFlow from taking whatever is added to normalized values for their offset.

    For oneDNN it fuses what it finds in `normalized * scale + offset`, as an AddV2, and the fused
    operation refuses what is not one vector each: the sum of a layer normalization without an
    offset and something else, for example. An Add gives the same and is not fused.
    """
    for node in graph.nodes.values():
        if node.op == "AddV2" and not _is_offset(graph, node):
            node.op = "Add"


def _is_offset(graph: Graph, node: NodeDef) -> bool:
    """Say whether a sum has no scaled, normalized values, or is a scale and offset of them."""
    left, right = node.input[:2]
    sums = [(left, right), (right, left)]
    vectors = [
        (scale, offset)
        for product, offset in sums
        if (factors := graph.nodes[node_of(product)]).op == "Mul"
        for values, scale in zip(factors.input[:2], reversed(factors.input[:2]), strict=True)
        if _is_normalized(graph, values)
    ]
    return all(_are_vectors(graph, *pair) for pair in vectors)


def _is_normalized(graph: Graph, tensor: str) -> bool:
    node = graph.nodes[node_of(tensor)]
    if node.op != "Reshape":
        return False
    return bool(graph.nodes[node_of(node.input[0])].op == "FusedBatchNormV3")


def _are_vectors(graph: Graph, scale: str, offset: str) -> bool:
    one, other = graph.constant(scale), graph.constant(offset)
    if one is None or other is None:
        return False
    return bool(one.ndim == 1 and one.shape == other.shape)
