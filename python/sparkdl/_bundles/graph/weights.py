"""Large weights, kept beside their graph: what edits the graph sees a placeholder for each.

A graph with its weights inside is copied whole by every step that reads, edits, imports or writes
it. Beside it they are the model's own arrays until the bundle is written, and none is copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.framework.tensor_pb2 import TensorProto

Array = npt.NDArray[Any]
# By the SHA-256 of type, shape and content: equal weights are one, in whatever graphs they are.
Weights = dict[str, Array]

LARGE_BYTES = 1 << 16  # neither a shape nor what it is computed from is ever that large
_KEY = "_sparkdl_weight"


def is_large(dtype: tf.DType, count: int) -> bool:
    """Say whether a constant with `count` elements is kept beside its graph."""
    plain = dtype.is_floating or dtype.is_integer or dtype.is_bool
    return bool(plain and dtype.size * count >= LARGE_BYTES)


def key_of(node: NodeDef) -> str | None:
    """Return the key of the weight that a node stands for, None for any other node."""
    if node.op != "Placeholder" or _KEY not in node.attr:
        return None
    key: str = node.attr[_KEY].s.decode()
    return key


def stand_for(node: NodeDef, array: Array, weights: Weights) -> None:
    """Let a node stand for a weight, which is added to the others."""
    key = _digest(array)
    weights.setdefault(key, array)
    name, inputs = node.name, [*node.input]
    node.Clear()
    node.name, node.op = name, "Placeholder"
    node.input.extend(inputs)
    node.attr["dtype"].type = tf.as_dtype(array.dtype).as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    node.attr[_KEY].s = key.encode()


def take_out(graph_def: GraphDef, weights: Mapping[str, Array]) -> Weights:
    """Let a placeholder stand for each large constant of a graph; return all weights."""
    all_weights = dict(weights)
    for node in graph_def.node:
        value = _large_value(node)
        if value is not None:
            stand_for(node, _array(value), all_weights)
    return all_weights


def lightened(graph_def: GraphDef, weights: Mapping[str, Array]) -> tuple[Any, Weights]:
    """Return a copy of a graph in which placeholders stand for large constants, and all weights."""
    light = tf.compat.v1.GraphDef(library=graph_def.library, versions=graph_def.versions)
    all_weights = dict(weights)
    for node in graph_def.node:
        value = _large_value(node)
        if value is None:
            light.node.add().CopyFrom(node)
        else:
            place = light.node.add(name=node.name, input=node.input)
            stand_for(place, _array(value), all_weights)
    return light, all_weights


def put_back(graph_def: GraphDef, weights: Mapping[str, Array]) -> Any:
    """Return a graph with its weights inside, as constants."""
    whole = tf.compat.v1.GraphDef(library=graph_def.library, versions=graph_def.versions)
    for node in graph_def.node:
        key = key_of(node)
        copy = whole.node.add()
        copy.CopyFrom(node if key is None else constant_node(node))
        if key is not None:
            copy.attr["value"].tensor.tensor_content = bytes(content_of(weights[key]))
    return whole


def constant_node(node: NodeDef) -> Any:
    """Return the constant that a node stands for, but for its content."""
    constant = tf.compat.v1.NodeDef(
        name=node.name, op="Const", input=node.input, device=node.device
    )
    constant.attr["dtype"].type = node.attr["dtype"].type
    constant.attr["value"].tensor.dtype = node.attr["dtype"].type
    constant.attr["value"].tensor.tensor_shape.CopyFrom(node.attr["shape"].shape)
    return constant


def feeds(graph_def: GraphDef, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return what a session has to be fed for the weights, by tensor."""
    return {f"{n.name}:0": weights[k] for n, k in _nodes_with_keys(graph_def)}


def without_marks(graph_def: GraphDef) -> Any:
    """Return a graph in which weights are placeholders like any other."""
    unmarked = tf.compat.v1.GraphDef()
    unmarked.CopyFrom(graph_def)
    for node in unmarked.node:
        node.attr.pop(_KEY, None)
    return unmarked


def content_of(array: Array) -> memoryview:
    """Return the bytes of an array, row by row, without a copy where they lie in this order."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def is_mark(attribute: str) -> bool:
    """Say whether an attribute holds the key of the weight that a node stands for."""
    return attribute == _KEY


def _nodes_with_keys(graph_def: GraphDef) -> Iterator[tuple[NodeDef, str]]:
    for node in graph_def.node:
        key = key_of(node)
        if key is not None:
            yield node, key


def _large_value(node: NodeDef) -> TensorProto | None:
    value = node.attr["value"].tensor if node.op == "Const" else None
    large = value is not None and is_large(tf.as_dtype(value.dtype), _count(value))
    return value if large else None


def _array(value: TensorProto) -> Array:
    """Return what `tf.make_ndarray` does, with one copy less."""
    if not value.tensor_content:
        return np.asarray(tf.make_ndarray(value))
    dtype = tf.as_dtype(value.dtype).as_numpy_dtype
    return np.frombuffer(value.tensor_content, dtype).reshape(
        [d.size for d in value.tensor_shape.dim]
    )


def _count(value: TensorProto) -> int:
    return int(np.prod([d.size for d in value.tensor_shape.dim], dtype=np.int64))


def _digest(array: Array) -> str:
    digest = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    digest.update(content_of(array))
    return digest.hexdigest()
