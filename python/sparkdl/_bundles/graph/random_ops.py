"""Operations that draw random numbers: from the hidden seed where they can, else without it.

TensorFlow's usual ones keep a state in the session. Two sessions with equal seeds give the same
numbers, and no seed makes a job repeatable whose batches run in any order. So they become
stateless operations, each with a seed of its own. One that cannot, such as an operation inside a
loop, which has to draw other numbers in each iteration, keeps its state but no seed: it draws new
numbers in every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.graph.graph import Graph, attribute, node_of
from sparkdl._bundles.graph.seeds import derive, use_one_seed
from sparkdl._models.graph_nodes import functions_of

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_INT64 = tf.int64.as_datatype_enum

_TABLE = files("sparkdl") / "resources" / "random_operations.json"
_OPERATIONS: dict[str, list[str]] = json.loads(_TABLE.read_text(encoding="utf-8"))
# On a variable with the state of a generator, which `generators` and the engine look after.
OF_GENERATORS = frozenset(_OPERATIONS["ofGenerators"])
DRAWING = OF_GENERATORS | frozenset(_OPERATIONS["ofSessions"])


def draw_from_seed(graph: Graph) -> None:
    """Let the operations of a frozen graph draw from its hidden seed, which is added if needed."""
    use_one_seed(graph)
    if not graph.has_frames():
        drawing_nodes = [node for node in graph.nodes.values() if node.op in _STATELESS]
        for number, node in enumerate(drawing_nodes):
            _STATELESS[node.op](graph, node, derive(graph, f"operation {number}"))
    forget_seeds([*graph.nodes.values(), *(n for f in graph.library.function for n in f.node_def)])


def forget_seeds(nodes: Iterable[Any]) -> None:
    """Let operations draw other numbers in every session: 0 and 0 stand for no seed."""
    for node in nodes:
        if node.op in DRAWING:
            for key in ("seed", "seed2"):
                if key in node.attr:
                    node.attr[key].i = 0


def unseeded_draws(graph_def: GraphDef, tensors: Iterable[str]) -> list[str]:
    """Return the operations that draw without the hidden seed, of those that some tensors need."""
    return describe_draws(n for n in needed_nodes(graph_def, tensors) if n.op in DRAWING)


def describe_draws(nodes: Iterable[Any]) -> list[str]:
    """Return how the manifest lists nodes that draw."""
    return sorted(f"{n.op} '{n.name}'" for n in nodes)


def needed_nodes(graph_def: GraphDef, tensors: Iterable[str]) -> list[Any]:
    """Return the nodes that some tensors need, and all nodes of the functions that these call."""
    functions = {f.signature.name: [*f.node_def] for f in graph_def.library.function}
    nodes = {n.name: n for n in graph_def.node}
    reached: dict[int, Any] = {}
    waiting: list[Any] = [nodes[node_of(t)] for t in tensors]
    while waiting:
        node = waiting.pop()
        if id(node) in reached:
            continue
        reached[id(node)] = node
        if node.name in nodes and nodes[node.name] is node:
            waiting += [nodes[node_of(i)] for i in node.input]
        waiting += [n for f in functions_of(node) for n in functions.get(f, ())]
    return [*reached.values()]


def _become(node: NodeDef, op: str, inputs: list[str], **types: int) -> None:
    """Turn a node into another operation that runs after the same nodes."""
    after = [i for i in node.input if i.startswith("^")]
    name = node.name
    node.Clear()
    node.name, node.op = name, op
    node.input.extend([*inputs, *after])
    for key, kind in {**types, "Tseed": _INT64}.items():
        node.attr[key].type = kind


def _on_shape(op: str) -> Callable[[Graph, Any, str], None]:
    def become(graph: Graph, node: NodeDef, seed: str) -> None:
        dtype, of_shape = node.attr["dtype"].type, node.attr["T"].type
        _become(node, op, [node.input[0], seed], dtype=dtype, T=of_shape)

    return become


def _integers(graph: Graph, node: NodeDef, seed: str) -> None:
    shape, low, high = node.input[:3]
    dtype, of_shape = node.attr["Tout"].type, node.attr["T"].type
    _become(node, "StatelessRandomUniformInt", [shape, seed, low, high], dtype=dtype, T=of_shape)


def _categories(graph: Graph, node: NodeDef, seed: str) -> None:
    output = attribute(node, "output_dtype", _INT64)
    inputs = [*node.input[:2], seed]
    _become(node, "StatelessMultinomial", inputs, T=node.attr["T"].type, output_dtype=output)


def _gamma(graph: Graph, node: NodeDef, seed: str) -> None:
    dtype, of_shape = node.attr["T"].type, node.attr["S"].type
    shape = _with_shape_of(graph, node, dtype, of_shape)
    inputs = [shape, seed, node.input[1]]
    _become(node, "StatelessRandomGammaV2", inputs, dtype=dtype, T=of_shape)


def _poisson(graph: Graph, node: NodeDef, seed: str) -> None:
    rate = attribute(node, "R", tf.float64.as_datatype_enum)
    dtype, of_shape = attribute(node, "dtype", _INT64), node.attr["S"].type
    shape = _with_shape_of(graph, node, rate, of_shape)
    inputs = [shape, seed, node.input[1]]
    _become(node, "StatelessRandomPoisson", inputs, Rtype=rate, dtype=dtype, T=of_shape)


def _with_shape_of(graph: Graph, node: NodeDef, parameter: int, of_shape: int) -> str:
    """Add the whole shape of what is drawn: the node's shape once for each parameter."""
    near = f"{node.name}/drawn"
    inner = tf.compat.v1.NodeDef(name=near + "_each", op="Shape", input=[node.input[1]])
    inner.attr["T"].type, inner.attr["out_type"].type = parameter, of_shape
    graph.nodes[inner.name] = inner
    axis = graph.add_constant(near + "_axis", tf.constant(0).numpy())
    whole = tf.compat.v1.NodeDef(name=near, op="ConcatV2", input=[node.input[0], inner.name, axis])
    whole.attr["N"].i = 2
    whole.attr["T"].type, whole.attr["Tidx"].type = of_shape, tf.int32.as_datatype_enum
    graph.nodes[near] = whole
    return near


_STATELESS: dict[str, Callable[[Graph, Any, str], None]] = {
    "RandomStandardNormal": _on_shape("StatelessRandomNormal"),
    "RandomUniform": _on_shape("StatelessRandomUniform"),
    "TruncatedNormal": _on_shape("StatelessTruncatedNormal"),
    "RandomUniformInt": _integers,
    "Multinomial": _categories,
    "RandomGamma": _gamma,
    "RandomPoissonV2": _poisson,
}
