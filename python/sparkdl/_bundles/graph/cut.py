"""Cuts a graph out between its inputs, which may be any tensors, and its outputs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from sparkdl._bundles.graph.freeze import static_signature
from sparkdl._bundles.graph.graph import Graph, node_of, short

_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")

Ends = dict[str, str]


def cut(graph_def: Any, inputs: Ends, outputs: Ends) -> tuple[Any, Ends, Ends]:
    """Put a placeholder in the place of every input that is none, and drop what nobody needs.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
        It is not changed.
    inputs, outputs : dict of str to str
        From name to tensor.

    Returns
    -------
    tuple of GraphDef, dict, dict
        The ends are given with the tensors that they now have.
    """
    graph = Graph(tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString()), ())
    fed = [t for t in inputs.values() if graph.nodes[node_of(t)].op not in _PLACEHOLDERS]
    specs = static_signature(graph_def, fed) if fed else []
    new = {short(t): _add(graph, t, s) for t, s in zip(fed, specs, strict=True)}
    graph.replace(new)
    ins = {name: new.get(short(t), t) for name, t in inputs.items()}
    outs = {name: new.get(short(t), t) for name, t in outputs.items()}
    graph.prune([node_of(t) for t in [*ins.values(), *outs.values()]])
    return graph.to_graph_def(), ins, outs


def _add(graph: Graph, tensor: str, spec: Any) -> str:
    name = tensor.replace(":", "_") + "_fed"
    while name in graph.nodes:
        name += "_"
    node = tf.compat.v1.NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = spec.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(spec.shape.as_proto())
    graph.nodes[name] = node
    return name
