"""The hidden input from which a model draws its random numbers.

Every run of a graph that draws is fed other numbers through one placeholder, from which each
generator and each operation derives its own. Users do not see it: it is not an input of the model.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.description.manifest import SEED
from sparkdl._bundles.graph.graph import Array, Graph

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_INT64 = tf.int64.as_datatype_enum
# Also as TensorFlow names it in a graph made of several, and in a SavedModel.
_NAME = re.compile(rf"(.*/|serving_default_)?{SEED}(_\d+)?")
_BELOW = 62  # bits: the sum of two such numbers is never negative


def seed_spec() -> Any:
    """Return the `tf.TensorSpec` of the hidden input."""
    return tf.TensorSpec([2], tf.int64, name=SEED)


def no_seed() -> Any:
    """Return a seed for a model that draws nothing, or whose numbers do not matter."""
    return tf.zeros([2], tf.int64)


def offset(what: str) -> Array:
    """Return two numbers by which something that draws differs from all others in a graph."""
    digest = hashlib.sha256(f"sparkdl {what}".encode()).digest()
    numbers = np.frombuffer(digest[:16], "<u8") >> np.uint64(64 - _BELOW)
    return np.asarray(numbers, np.int64)


def is_seed(node: NodeDef) -> bool:
    """Say whether a node is the hidden input, of this graph or of one that became part of it."""
    return bool(node.op == "Placeholder" and _NAME.fullmatch(node.name))


def derive(graph: Graph, what: str) -> str:
    """Add a tensor that depends on the seed and on what it is for; return its name."""
    name = graph.free_name(f"{SEED}/{what.replace(' ', '_')}")
    _put_sum(graph, name)
    return name


def use_one_seed(graph: Graph) -> None:
    """Derive the hidden inputs of graphs that were put together from a single one."""
    for name in [n.name for n in graph.nodes.values() if is_seed(n) and n.name != SEED]:
        _put_sum(graph, name)


def without_seed_input(graph_def: GraphDef) -> Any:
    """Return a graph that need not be fed a seed: it draws one itself, new in each run.

    For graphs that users get. In a bundle, the node that draws the seed is fed one again.
    """
    graph = Graph(graph_def, ())
    if any(map(is_seed, graph_def.node)):
        _draw_seed(graph)
    return graph.to_graph_def()


def _draw_seed(graph: Graph) -> None:
    use_one_seed(graph)
    name = graph.free_name(f"{SEED}_drawn")
    shape = graph.add_constant(f"{name}/shape", np.array([2], np.int32))
    bounds = [
        graph.add_constant(f"{name}/{end}", np.array(value, np.int64))
        for end, value in (("from", 0), ("below", 1 << _BELOW))
    ]
    node = tf.compat.v1.NodeDef(name=name, op="RandomUniformInt", input=[shape, *bounds])
    node.attr["Tout"].type = _INT64
    node.attr["T"].type = tf.int32.as_datatype_enum
    graph.nodes[name] = node
    graph.replace({SEED: name})
    del graph.nodes[SEED]


def _put_sum(graph: Graph, name: str) -> None:
    if SEED not in graph.nodes:
        seed = tf.compat.v1.NodeDef(name=SEED, op="Placeholder")
        seed.attr["dtype"].type = _INT64
        seed.attr["shape"].shape.CopyFrom(tf.TensorShape([2]).as_proto())
        graph.nodes[SEED] = seed
    term = graph.add_constant(f"{name}/offset", offset(name))
    node = tf.compat.v1.NodeDef(name=name, op="AddV2", input=[SEED, term])
    node.attr["T"].type = _INT64
    graph.nodes[name] = node
