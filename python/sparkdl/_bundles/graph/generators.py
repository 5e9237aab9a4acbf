"""Variables that hold the state of a generator of random numbers, in graphs that are frozen.

As constants they would give the same numbers in every run. They stay variables until everything
else is frozen; then what reads them draws from the hidden seed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.graph import Graph, node_of
from sparkdl._bundles.graph.seeds import derive

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

# The variables of keras.random.SeedGenerator and tf.random.Generator.
_KERAS = r"(^|/)seed_generator_state(_\d+)?(:0)?$"
_STATES = re.compile(_KERAS + r"|(^|/)StateVar(_\d+)?(:0)?$")
_ASSIGNING = {"AssignVariableOp", "AssignAddVariableOp", "RngSkip"}


class UnknownUseException(Exception):
    """Something other than a draw takes the state of a generator."""


def is_generator(variable: str) -> bool:
    """Say whether a variable of this name holds the state of a generator.

    >>> is_generator("dropout/seed_generator/seed_generator_state:0"), is_generator("dense/bias")
    (True, False)
    """
    return _STATES.search(variable) is not None


def draw_from_seed(graph_def: GraphDef, states: Mapping[str, str]) -> Any:
    """Return a graph that draws from the hidden seed and not from generators.

    Every read of a state gets numbers of its own: two layers, or two draws of a layer, that share
    a generator never share numbers.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
    states : mapping of str to str
        From the node of a generator's state to the name of its variable.
    """
    graph = Graph(graph_def, ())
    states_by_node = dict(states)
    for name in _in_order(graph):
        node = graph.nodes[name]
        if name in states_by_node or not states_by_node.keys() & {*map(node_of, node.input)}:
            continue
        if node.op == "Identity" and node_of(node.input[0]) in states_by_node:
            states_by_node[name] = states_by_node[node_of(node.input[0])]
        else:
            _replace(graph, node, states_by_node)
    for name in states_by_node:
        graph.nodes.pop(name, None)  # a session has variables that the outputs do not need
    return graph.to_graph_def()


def _in_order(graph: Graph) -> list[str]:
    everything = [*graph.nodes]
    graph.prune(everything)
    return [*graph.nodes]


def _replace(graph: Graph, node: NodeDef, states_by_node: Mapping[str, str]) -> None:
    data = [i for i in node.input if not i.startswith("^")]
    after = [i for i in node.input if i.startswith("^") and node_of(i) not in states_by_node]
    name, state = node.name, states_by_node.get(node_of(data[0])) if data else None
    if state and node.op in _ASSIGNING:
        _become(node, name, "NoOp", after)
    elif state and node.op == "ReadVariableOp" and re.search(_KERAS, state):
        _read_seed(graph, node, after)
    elif state and node.op == "RngReadAndSkip":
        _draw_state(graph, node, after)
    elif states_by_node.keys() & {*map(node_of, data)}:
        raise UnknownUseException(
            f"the operation '{name}' ({node.op}) takes the state of a generator of random numbers"
        )
    else:
        del node.input[:]
        node.input.extend([*data, *after])


def _read_seed(graph: Graph, node: NodeDef, after: list[str]) -> None:
    """Take a seed instead of the state, which older Kerases have as uint32."""
    name, dtype = node.name, node.attr["dtype"].type
    _become(node, name, "Cast", [derive(graph, f"reading {name}"), *after])
    node.attr["SrcT"].type = tf.int64.as_datatype_enum
    node.attr["DstT"].type = dtype


def _draw_state(graph: Graph, node: NodeDef, after: list[str]) -> None:
    """Draw a whole state: counters and key of Philox, the longest state there is."""
    name = node.name
    seed = derive(graph, f"reading {name}")
    shape = graph.add_constant(name + "/size", np.array([3], np.int32))
    _become(node, name, "StatelessRandomUniformFullInt", [shape, seed, *after])
    for key, kind in (("dtype", tf.int64), ("T", tf.int32), ("Tseed", tf.int64)):
        node.attr[key].type = kind.as_datatype_enum


def _become(node: NodeDef, name: str, op: str, inputs: list[str]) -> None:
    node.Clear()
    node.name, node.op = name, op
    node.input.extend(inputs)
