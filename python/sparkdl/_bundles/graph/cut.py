"""Cuts out the part of a graph between its inputs, which may be any tensors, and its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.graph.freeze import static_signature
from sparkdl._bundles.graph.graph import Graph, node_of, short
from sparkdl._bundles.graph.weights import key_of

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")

Tensors = dict[str, str]  # by the name of their input or output


def cut(graph_def: GraphDef, inputs: Tensors, outputs: Tensors) -> tuple[Any, Tensors, Tensors]:
    """Replace every input that is not a placeholder by one, and drop what is not needed.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
        It is not changed.
    inputs, outputs : dict of str to str
        From name to tensor.

    Returns
    -------
    tuple of GraphDef, dict, dict
        The new graph, and inputs and outputs with their tensors in it.
    """
    graph = Graph(tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString()), ())
    replaced = [t for t in inputs.values() if not _is_placeholder(graph.nodes[node_of(t)])]
    specs = static_signature(graph_def, replaced) if replaced else []
    new = {short(t): _add(graph, t, s) for t, s in zip(replaced, specs, strict=True)}
    graph.replace(new)
    ins = {name: new.get(short(t), t) for name, t in inputs.items()}
    outs = {name: new.get(short(t), t) for name, t in outputs.items()}
    graph.prune([node_of(t) for t in [*ins.values(), *outs.values()]])
    return graph.to_graph_def(), ins, outs


def _is_placeholder(node: NodeDef) -> bool:
    return node.op in _PLACEHOLDERS and key_of(node) is None


def _add(graph: Graph, tensor: str, spec: tf.TensorSpec) -> str:
    name = graph.free_name(tensor.replace(":", "_") + "_fed")
    node = tf.compat.v1.NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = spec.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(spec.shape.as_proto())
    graph.nodes[name] = node
    return name
