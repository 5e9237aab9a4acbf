"""Replaces several of Keras' operations, or one that is slow on a CPU, by a fast one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._bundles.graph.freeze import static_signature
from sparkdl._bundles.graph.graph import Array, Graph, attribute, channels_last, node_of, short
from sparkdl._bundles.graph.groups import split_groups

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def rewrite(graph: Graph) -> None:
    """Apply all rewrites."""
    dense_on_maps(graph)
    depthwise(graph)
    split_groups(graph)


def dense_on_maps(graph: Graph) -> None:
    """Turn a dense layer on [batch, h, w, c] into a convolution of size 1.

    Keras computes the shape, flattens, multiplies and restores the shape: these are ten small
    operations, and neither the bias nor what follows can be folded into the weights.
    """
    for name in list(graph.nodes):
        node = graph.nodes[name]
        product = _maps_times_weights(graph, node)
        if product is None:
            continue
        maps, weights, kind = product
        kernel = graph.add_constant(name + "/kernel", weights[None, None])
        node.Clear()
        node.name, node.op = name, "Conv2D"
        node.input.extend([maps, kernel])
        node.attr["T"].type = kind
        node.attr["strides"].list.i.extend([1, 1, 1, 1])
        node.attr["padding"].s = b"VALID"


def _maps_times_weights(graph: Graph, node: NodeDef) -> tuple[str, Array, int] | None:
    """Match reshape(matmul(reshape(x), W), concat(gather(shape(x), [0, 1, 2]), [c]))."""
    if node.op != "Reshape" or node.name in graph.keep:
        return None
    product, shape = (graph.nodes[node_of(i)] for i in node.input[:2])
    if product.op != "MatMul" or shape.op != "ConcatV2" or len(shape.input) != 3:
        return None
    flat, free = graph.nodes[node_of(product.input[0])], graph.nodes[node_of(shape.input[0])]
    if flat.op != "Reshape" or free.op != "GatherV2":
        return None
    axes, shape_of = graph.constant(free.input[1]), graph.nodes[node_of(free.input[0])]
    weights = graph.constant(product.input[1])
    if weights is None or axes is None or axes.tolist() != [0, 1, 2]:
        return None
    maps = short(flat.input[0])
    if shape_of.op != "Shape" or short(shape_of.input[0]) != maps:
        return None
    transposed = any(attribute(product, f"transpose_{side}", False) for side in "ab")
    return None if transposed else (maps, weights, product.attr["T"].type)


def depthwise(graph: Graph) -> None:
    """Turn a convolution with as many groups as channels into a depthwise one."""
    convolutions = []
    for node in graph.nodes.values():
        weights = graph.constant(node.input[1]) if node.op == "Conv2D" else None
        if weights is not None and weights.shape[2] == 1 and weights.shape[3] > 1:
            convolutions.append((node, weights))
    if not convolutions:
        return
    inputs = static_signature(graph.to_graph_def(), [n.input[0] for n, _ in convolutions])
    for (node, weights), spec in zip(convolutions, inputs, strict=True):
        channels = spec.shape[-1] if spec.shape.rank == 4 else None
        strides = list(node.attr["strides"].list.i)
        if channels and channels > 1 and strides[1] == strides[2] and channels_last(node):
            height, width, _, out = weights.shape
            kernel = weights.reshape(height, width, channels, out // channels)
            node.input[1] = graph.add_constant(node.name + "/kernel", kernel)
            node.op = "DepthwiseConv2dNative"
            node.attr.pop("use_cudnn_on_gpu", None)
