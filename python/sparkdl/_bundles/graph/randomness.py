"""Which outputs of a graph depend on numbers that it draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.graph.graph import node_of
from sparkdl._models.graph_nodes import functions_of

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_DRAWS = re.compile("Random|Multinomial|TruncatedNormal|Shuffle|StatefulUniform|SampleDistorted")


def random_outputs(graph_def: GraphDef, outputs: Mapping[str, str]) -> set[str]:
    """Return the names of the outputs whose values differ between runs.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
    outputs : mapping of str to str
        From name to tensor.
    """
    functions = {f.signature.name: f.node_def for f in graph_def.library.function}
    drawing = _drawing_functions(functions)
    if not drawing and not any(_DRAWS.search(n.op) for n in graph_def.node):
        return set()
    nodes = {n.name: n for n in graph_def.node}
    return {name for name, tensor in outputs.items() if _reaches(nodes, node_of(tensor), drawing)}


def _drawing_functions(functions: Mapping[str, Iterable[Any]]) -> set[str]:
    drawing: set[str] = set()
    while True:
        next_drawing = {f for f, body in functions.items() if any(_draws(n, drawing) for n in body)}
        if next_drawing == drawing:
            return drawing
        drawing = next_drawing


def _draws(node: NodeDef, drawing: set[str]) -> bool:
    if _DRAWS.search(node.op) or node.op in drawing:
        return True
    return any(name in drawing for name in functions_of(node))


def _reaches(nodes: Mapping[str, Any], start: str, drawing: set[str]) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = nodes[waiting.pop()]
        if _draws(node, drawing):
            return True
        new = {node_of(i) for i in node.input} - seen
        seen |= new
        waiting += new
    return False
