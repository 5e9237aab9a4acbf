"""Makes a frozen graph as ready to run as it can be, with the same results up to rounding.

What the session would do at every load (folding constants, dropping identities) is done once,
at export, and what it would not do (batch norm into the weights of the convolution) as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.fold import fold_affine
from sparkdl._bundles.graph.graph import Graph, calls_function, is_pure, node_of, short
from sparkdl._bundles.graph.layer_norms import keep_sums
from sparkdl._bundles.graph.leaky_maxima import keep_maxima
from sparkdl._bundles.graph.rewrite import rewrite
from sparkdl._bundles.graph.weights import Weights, feeds, is_mark

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_IDENTITIES = {"Identity", "StopGradient", "PreventGradient", "Snapshot"}
_HARMLESS = {"Placeholder", "PlaceholderWithDefault", "NoOp"}
_NOT_VALUES = {tf.variant, tf.resource}  # such as lists of tensors: no constant can hold them
_MOST_FOLDED_BYTES = 1 << 20  # a constant larger than this must replace at least as much


def simplify(
    graph_def: GraphDef, inputs: Sequence[str], outputs: Sequence[str], weights: Weights
) -> Any:
    """Return a graph with the same results that has less to do at load and at run time.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
        Frozen: without variables.
    inputs, outputs : sequence of str
        Names of nodes. They keep name, place and meaning.
    weights : dict
        Beside the graph; those that are computed are added.
    """
    graph = Graph(graph_def, {*inputs, *outputs}, weights)
    graph.prune(_roots(graph, inputs, outputs))
    if not graph.has_frames():
        drop_control_inputs(graph)
        drop_identities(graph)
        graph.prune(_roots(graph, inputs, outputs))
        fold_constants(graph)
        drop_no_effect(graph)
        graph.prune(_roots(graph, inputs, outputs))
        rewrite(graph)
        graph.prune(_roots(graph, inputs, outputs))
        fold_affine(graph)
        merge_equal(graph)
    keep_sums(graph)
    keep_maxima(graph)
    graph.prune(_roots(graph, inputs, outputs))
    return tidy(graph.to_graph_def())


def is_simplified(graph_def: GraphDef) -> bool:
    """Say whether `simplify` could do all of its work, which control flow prevents."""
    graph = Graph(graph_def, set())
    return not graph.has_frames() and not graph_def.library.function


def _roots(graph: Graph, inputs: Sequence[str], outputs: Sequence[str]) -> list[str]:
    # An input that no output uses is still part of the signature.
    return [*[i for i in inputs if i in graph.nodes], *outputs]


def drop_control_inputs(graph: Graph) -> None:
    """Remove "run this first" where what runs first has no effect but its outputs."""
    pure: dict[str, bool] = {}
    for name, node in graph.nodes.items():  # inputs come before their users
        node_is_pure = is_pure(node) or node.op in _HARMLESS
        pure[name] = node_is_pure and all(pure.get(node_of(i), False) for i in node.input)
    for node in graph.nodes.values():
        needed = [i for i in node.input if not (i.startswith("^") and pure[node_of(i)])]
        if len(needed) < len(node.input):
            del node.input[:]
            node.input.extend(needed)


def drop_identities(graph: Graph) -> None:
    """Let the users of an identity use its input."""
    graph.replace(
        {
            name: short(node.input[0])
            for name, node in graph.nodes.items()
            if node.op in _IDENTITIES and name not in graph.keep and len(node.input) == 1
        }
    )


def drop_no_effect(graph: Graph) -> None:
    """Let the users of a transposition or squeeze that changes nothing use its input."""
    new = {}
    for name, node in graph.nodes.items():
        if name in graph.keep:
            continue
        if node.op == "Transpose":
            order = graph.constant(node.input[1])
            if order is not None and np.array_equal(order, np.arange(order.size)):
                new[name] = short(node.input[0])
    graph.replace(new)


def fold_constants(graph: Graph) -> None:
    """Compute, once, what depends on constants only."""
    constant = _constant_nodes(graph)
    tensors = sorted(
        {
            short(tensor)
            for name, node in graph.nodes.items()
            if name not in constant or name in graph.keep
            for tensor in node.input
            if node_of(tensor) in constant and not graph.is_constant(node_of(tensor))
        }
    )
    if not tensors:
        return
    part = tf.compat.v1.GraphDef(versions=graph.versions)
    part.node.extend(graph.nodes[name] for name in constant)
    with tf.Graph().as_default() as g:
        tf.import_graph_def(part, name="")
        fetches = {t: g.get_tensor_by_name(t if ":" in t else t + ":0") for t in tensors}
        fetches = {t: f for t, f in fetches.items() if f.dtype not in _NOT_VALUES}
        with tf.compat.v1.Session(graph=g) as session:
            values = session.run(fetches, feeds(part, graph.weights or {}))
    new = {}
    for tensor, value in values.items():
        array = np.asarray(value)
        if array.nbytes <= max(_MOST_FOLDED_BYTES, _bytes_under(graph, node_of(tensor))):
            new[tensor] = graph.add_constant(tensor.replace(":", "_") + "/folded", array)
    graph.replace(new)


def _constant_nodes(graph: Graph) -> dict[str, None]:
    nodes: dict[str, None] = {}
    for name, node in graph.nodes.items():
        computed = graph.is_constant(name) or (is_pure(node) and node.input)
        # A constant that waits for an assertion, for example, stays, and so does the assertion.
        if computed and all(not i.startswith("^") and node_of(i) in nodes for i in node.input):
            nodes[name] = None
    return nodes


def _bytes_under(graph: Graph, name: str) -> int:
    """Return the size of the constants that a node is computed from."""
    seen: set[str] = set()
    stack, total = [name], 0
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        node = graph.nodes[current]
        if graph.is_constant(current):
            value = graph.constant(current)
            total += 0 if value is None else value.nbytes
        stack += [node_of(i) for i in node.input]
    return total


def merge_equal(graph: Graph) -> None:
    """Keep one of several nodes that compute the same: weights are stored once."""
    first: dict[bytes, str] = {}
    new: dict[str, str] = {}
    for name, node in graph.nodes.items():
        inputs = [_rename_tensor(i, new) for i in node.input]
        del node.input[:]
        node.input.extend(inputs)
        if name in graph.keep or not (graph.is_constant(name) or is_pure(node)):
            continue
        key = _content(node)
        if key in first:
            new[name] = first[key]
        else:
            first[key] = name


def _rename_tensor(tensor: str, new: dict[str, str]) -> str:
    name = node_of(tensor)
    return tensor.replace(name, new[name], 1) if name in new else tensor


def _content(node: NodeDef) -> bytes:
    digest = hashlib.sha256(f"{node.op}|{'|'.join(map(short, node.input))}".encode())
    for key in sorted(node.attr):
        digest.update(key.encode() + node.attr[key].SerializeToString(deterministic=True))
    return digest.digest()


def tidy(graph_def: GraphDef) -> Any:
    """Remove what is not needed, or what another version of TensorFlow may not know."""
    for node in graph_def.node:
        node.device = ""
        node.ClearField("experimental_debug_info")
        function = calls_function(node)
        for key in [k for k in node.attr if k.startswith("_") and not is_mark(k)]:
            if not function or key in ("_output_shapes", "_class"):
                del node.attr[key]
    if not any(calls_function(n) for n in graph_def.node):
        graph_def.ClearField("library")
    from tensorflow.python.framework import meta_graph

    holder = tf.compat.v1.MetaGraphDef(graph_def=graph_def)
    meta_graph.strip_graph_default_valued_attrs(holder)
    return holder.graph_def
