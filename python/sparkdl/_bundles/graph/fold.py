"""Folds multiplications and additions by constants into the convolution or product before them.

Batch norm after a convolution is such a chain: `conv(x, W) * s + b` is `conv(x, W * s) + b`.
The arithmetic is done in float64 and rounded once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.graph import Array, Graph, attribute, channels_last, node_of, short

_LINEAR = {"Conv2D", "DepthwiseConv2dNative", "MatMul"}
_FLOATS = {tf.float32.as_datatype_enum, tf.float64.as_datatype_enum}


def fold_affine(graph: Graph) -> None:
    """Fold every chain of `* constant` and `+ constant` behind a convolution or product."""
    uses = graph.consumers()
    for name in list(graph.nodes):
        node = graph.nodes[name]
        if node.op in _LINEAR and _foldable(graph, node, uses):
            _fold_chain(graph, node, uses)


def _foldable(graph: Graph, node: Any, uses: dict[str, list[tuple[str, int]]]) -> bool:
    if attribute(node, "T", None) not in _FLOATS or node.name in graph.keep:
        return False
    if not channels_last(node):
        return False
    weights = node_of(node.input[1])
    # Weights that several layers share cannot be scaled for one of them.
    return graph.is_constant(weights) and len(uses[weights]) == 1


def _fold_chain(graph: Graph, node: Any, uses: dict[str, list[tuple[str, int]]]) -> None:
    weights = graph.constant(node.input[1])
    assert weights is not None
    channels = _channels(node, weights)
    scale, bias = np.ones(channels), np.zeros(channels)
    last, steps = node, 0
    while True:
        step = _next_step(graph, last, channels, uses)
        if step is None:
            break
        last, by, plus = step
        scale, bias, steps = scale * by, bias * by + plus, steps + 1
    if steps == 0 or not (np.all(np.isfinite(scale)) and np.all(np.isfinite(bias))):
        return
    _write(graph, node, weights, scale, bias, last)


def _next_step(
    graph: Graph, node: Any, channels: int, uses: dict[str, list[tuple[str, int]]]
) -> tuple[Any, Array, Array] | None:
    """Return the only user of the node, with its factor and summand, if it is affine."""
    if node.name in graph.keep or len(uses[node.name]) != 1:
        return None
    name, position = uses[node.name][0]
    user = graph.nodes[name]
    if name in graph.keep or any(i.startswith("^") for i in user.input):
        return None
    if short(user.input[position]) != node.name:
        return None
    if user.op == "FusedBatchNormV3":
        return _batch_norm(graph, user, position, uses)
    if user.op not in ("Mul", "AddV2", "Add", "Sub", "BiasAdd"):
        return None
    value = graph.constant(user.input[1 - position])
    vector = None if value is None else _per_channel(value, channels, graph, node)
    if vector is None or (user.op == "BiasAdd" and not channels_last(user)):
        return None
    one, zero = np.ones(channels), np.zeros(channels)
    if user.op == "Mul":
        return user, vector, zero
    if user.op == "Sub":
        return (user, one, -vector) if position == 0 else (user, -one, vector)
    return user, one, vector


def _batch_norm(
    graph: Graph, user: Any, position: int, uses: dict[str, list[tuple[str, int]]]
) -> tuple[Any, Array, Array] | None:
    parameters = [graph.constant(i) for i in user.input[1:]]
    only_first = all(short(graph.nodes[n].input[i]) == user.name for n, i in uses[user.name])
    if position != 0 or attribute(user, "is_training", True) or not only_first:
        return None
    if not channels_last(user):
        return None
    if any(p is None for p in parameters):
        return None
    gamma, beta, mean, variance = (np.asarray(p, np.float64) for p in parameters)
    by = gamma / np.sqrt(variance + attribute(user, "epsilon", 1e-4))
    return user, by, beta - mean * by


def _per_channel(value: Array, channels: int, graph: Graph, node: Any) -> Array | None:
    """Return the constant as one float64 per channel, None if it has other dimensions too."""
    rank = 2 if node.op == "MatMul" else 4
    if value.ndim > rank or value.size not in (1, channels):
        return None
    if value.size > 1 and value.shape[-1] != channels:
        return None
    return np.broadcast_to(value.astype(np.float64).reshape(-1), (channels,))


def _channels(node: Any, weights: Array) -> int:
    if node.op == "DepthwiseConv2dNative":
        return int(weights.shape[2] * weights.shape[3])
    if node.op == "MatMul" and attribute(node, "transpose_b", False):
        return int(weights.shape[0])
    return int(weights.shape[-1])


def _write(graph: Graph, node: Any, weights: Array, scale: Array, bias: Array, last: Any) -> None:
    if np.any(scale != 1):
        if node.op == "DepthwiseConv2dNative":
            scale = scale.reshape(weights.shape[2:])
        elif node.op == "MatMul" and attribute(node, "transpose_b", False):
            scale = scale.reshape(-1, 1)
        scaled = (weights.astype(np.float64) * scale).astype(weights.dtype)
        node.input[1] = graph.add_constant(node_of(node.input[1]) + "/scaled", scaled)
    # The last node of the chain becomes the addition, so nobody behind it has to change.
    name, kind = last.name, node.attr["T"].type
    added = graph.add_constant(name + "/bias", bias.astype(weights.dtype))
    last.Clear()
    last.name, last.op = name, "BiasAdd"
    last.input.extend([node.name, added])
    last.attr["T"].type = kind
