"""Maxima of values and their multiples that TensorFlow would take for leaky ReLUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._bundles.graph.graph import Graph, node_of, short

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef

# What TensorFlow may turn into a product with a constant before it looks for leaky ReLUs.
_LINEAR = {"Mul", "RealDiv", "Div", "Add", "AddV2", "AddN", "Sub", "Neg", "Identity"}


def keep_maxima(graph: Graph) -> None:
    """Keep TensorFlow from taking the larger of values and their multiple for a leaky ReLU.

    For oneDNN it fuses `maximum(x, alpha * x)` whatever alpha is, although a leaky ReLU gives the
    larger one only for alpha <= 1: of x and its double it gives the smaller. Such a maximum is
    written as `-minimum(-x, -y)`, which gives the same and is not looked for.
    """
    for node in list(graph.nodes.values()):
        if node.op == "Maximum":
            left, right = node.input[:2]
            if _is_taken(graph, left, right) or _is_taken(graph, right, left):
                _negate(graph, node)


def _is_taken(graph: Graph, multiple: str, values: str) -> bool:
    """Say whether a tensor may be a multiple of another one, and by more than 1."""
    node = graph.nodes[node_of(multiple)]
    if node.op == "Mul" and short(values) in map(short, node.input[:2]):
        other = node.input[1 if short(node.input[0]) == short(values) else 0]
        factor = graph.constant(other)
        if factor is not None:
            return factor.size == 1 and not factor.item() <= 1
    return _reaches(graph, node, short(values))


def _reaches(graph: Graph, node: NodeDef, values: str) -> bool:
    """Say whether a node computes a multiple of some values, as far as one sees."""
    waiting, seen = [node], set()
    while waiting:
        current = waiting.pop()
        if current.op not in _LINEAR or current.name in seen:
            continue
        seen.add(current.name)
        inputs = [i for i in current.input if not i.startswith("^")]
        if values in map(short, inputs):
            return True
        waiting += [graph.nodes[node_of(i)] for i in inputs]
    return False


def _negate(graph: Graph, node: NodeDef) -> None:
    name, controls = node.name, list(node.input[2:])
    negatives = [graph.add_node(node, f"{name}/negative", "Neg", [i]).name for i in node.input[:2]]
    least = graph.add_node(node, f"{name}/minimum", "Minimum", negatives)
    node.op = "Neg"
    del node.input[:]
    node.input.extend([least.name, *controls])
