"""Readings of variables that go straight into a loop or a call, inside of functions.

TensorFlow's conversion of variables to constants renames the functions that such a node calls, but
not where the node names them, if it comes to the reading first: the function would be missing.
"""

from __future__ import annotations

from typing import Any

from sparkdl._bundles.graph.graph import calls_function


def hold_reads(graph_def: Any) -> Any:
    """Return a graph in which an identity stands between such a reading and the node."""
    if not any(_held(function) for function in graph_def.library.function):
        return graph_def
    made = type(graph_def).FromString(graph_def.SerializeToString())
    for function in made.library.function:
        for node, place in _held(function):
            _put_identity(function, node, place)
    return made


def _held(function: Any) -> list[tuple[Any, int]]:
    """Return the nodes that call functions, with the place of each input that is a reading."""
    readings = {n.name for n in function.node_def if n.op == "ReadVariableOp"}
    return [
        (node, place)
        for node in function.node_def
        if readings and calls_function(node)
        for place, tensor in enumerate(node.input)
        if not tensor.startswith("^") and tensor.split(":")[0] in readings
    ]


def _put_identity(function: Any, node: Any, place: int) -> None:
    reading = next(n for n in function.node_def if n.name == node.input[place].split(":")[0])
    name = f"{node.name}/held_{place}"
    made = function.node_def.add(name=name, op="Identity", input=[node.input[place]])
    made.attr["T"].type = reading.attr["dtype"].type
    node.input[place] = f"{name}:output:0"
