"""Grouped convolutions for which there is no CPU kernel: Keras compiles them with XLA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparkdl._bundles.graph.freeze import static_signature
from sparkdl._bundles.graph.graph import Array, Graph, attribute

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_CHANNELS = -1


def split_groups(graph: Graph) -> None:
    """Turn a grouped three-dimensional convolution into one convolution per group."""
    convolutions = [
        (node, w) for node in graph.nodes.values() if (w := _weights(graph, node)) is not None
    ]
    if not convolutions:
        return
    inputs = static_signature(graph.to_graph_def(), [node.input[0] for node, _ in convolutions])
    for (node, weights), spec in zip(convolutions, inputs, strict=True):
        channels = spec.shape[_CHANNELS] if spec.shape.rank == 5 else None
        groups = channels // weights.shape[3] if channels else 1
        if groups > 1:
            _split(graph, node, np.split(weights, groups, axis=_CHANNELS))


def _weights(graph: Graph, node: NodeDef) -> Array | None:
    last = node.op == "Conv3D" and attribute(node, "data_format", b"NDHWC") == b"NDHWC"
    return graph.constant(node.input[1]) if last else None


def _split(graph: Graph, node: NodeDef, weights: list[Array]) -> None:
    name, kind, groups = node.name, node.attr["T"].type, len(weights)
    axis = graph.add_constant(f"{name}/axis", np.array(_CHANNELS, np.int32))
    parts = graph.add_node(node, f"{name}/split", "Split", [axis, node.input[0]])
    parts.attr["num_split"].i = groups
    parts_by_group = []
    for i, kernel in enumerate(weights):
        source = f"{parts.name}:{i}" if i else parts.name
        inputs = [source, graph.add_constant(f"{name}/kernel_{i}", kernel)]
        part = graph.add_node(node, f"{name}/group_{i}", "Conv3D", inputs)
        for key in ("strides", "padding", "data_format", "dilations"):
            if key in node.attr:
                part.attr[key].CopyFrom(node.attr[key])
        parts_by_group.append(part.name)
    node.Clear()
    node.name, node.op = name, "ConcatV2"
    node.input.extend([*parts_by_group, axis])
    node.attr["N"].i, node.attr["T"].type = groups, kind
    node.attr["Tidx"].type = graph.nodes[axis].attr["dtype"].type
