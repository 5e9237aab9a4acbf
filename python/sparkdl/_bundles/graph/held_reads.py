"""Reads of variables that go straight into a loop or a call, inside functions.

TensorFlow's conversion of variables to constants renames the functions that such a node calls, but
if it reaches the read first, the node keeps the old names: the function would be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkdl._bundles.graph.graph import calls_function

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def hold_reads(graph_def: GraphDef) -> Any:
    """Return a graph with an identity between every such read and its node."""
    if not any(_direct_reads(function) for function in graph_def.library.function):
        return graph_def
    copy = type(graph_def).FromString(graph_def.SerializeToString())
    for function in copy.library.function:
        for node, place in _direct_reads(function):
            _put_identity(function, node, place)
    return copy


def _direct_reads(function: FunctionDef) -> list[tuple[Any, int]]:
    """Return the nodes that call functions, with the place of each input that is a read."""
    reads = {n.name for n in function.node_def if n.op == "ReadVariableOp"}
    return [
        (node, place)
        for node in function.node_def
        if reads and calls_function(node)
        for place, tensor in enumerate(node.input)
        if not tensor.startswith("^") and tensor.split(":")[0] in reads
    ]


def _put_identity(function: FunctionDef, node: NodeDef, place: int) -> None:
    read = next(n for n in function.node_def if n.name == node.input[place].split(":")[0])
    name = f"{node.name}/held_{place}"
    identity = function.node_def.add(name=name, op="Identity", input=[node.input[place]])
    identity.attr["T"].type = read.attr["dtype"].type
    node.input[place] = f"{name}:output:0"
