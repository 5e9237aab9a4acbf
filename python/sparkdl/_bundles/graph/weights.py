"""Large weights, kept beside their graph: what edits the graph sees a placeholder for each.

A graph with its weights inside is copied whole by every step that reads, edits, imports or writes
it. Beside it they are the model's own arrays until the bundle is written, and none is copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[Any]
# By the SHA-256 of type, shape and content: equal weights are one, in whatever graphs they are.
Weights = dict[str, Array]

LARGE_BYTES = 1 << 16  # a shape, or what a shape is made of, is never so large
_KEY = "_sparkdl_weight"


def is_large(dtype: Any, count: int) -> bool:
    """Say whether a constant of so many elements is one to be kept beside its graph."""
    plain = dtype.is_floating or dtype.is_integer or dtype.is_bool
    return bool(plain and dtype.size * count >= LARGE_BYTES)


def key_of(node: Any) -> str | None:
    """Return the key of the weight that a node stands for, None for any other node."""
    if node.op != "Placeholder" or _KEY not in node.attr:
        return None
    key: str = node.attr[_KEY].s.decode()
    return key


def stand_for(node: Any, array: Array, weights: Weights) -> None:
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


def take_out(graph_def: Any, weights: Mapping[str, Array]) -> Weights:
    """Let a placeholder stand for each large constant of a graph; return all weights."""
    found = dict(weights)
    for node in graph_def.node:
        value = node.attr["value"].tensor if node.op == "Const" else None
        if value is not None and is_large(tf.as_dtype(value.dtype), _count(value)):
            stand_for(node, tf.make_ndarray(value), found)
    return found


def put_back(graph_def: Any, weights: Mapping[str, Array]) -> Any:
    """Return a graph with its weights inside, as constants."""
    made = tf.compat.v1.GraphDef(library=graph_def.library, versions=graph_def.versions)
    for node in graph_def.node:
        key = key_of(node)
        copy = made.node.add()
        copy.CopyFrom(node if key is None else constant_node(node))
        if key is not None:
            copy.attr["value"].tensor.tensor_content = bytes(content_of(weights[key]))
    return made


def constant_node(node: Any) -> Any:
    """Return the constant that a node stands for, but for its content."""
    made = tf.compat.v1.NodeDef(name=node.name, op="Const", input=node.input, device=node.device)
    made.attr["dtype"].type = node.attr["dtype"].type
    made.attr["value"].tensor.dtype = node.attr["dtype"].type
    made.attr["value"].tensor.tensor_shape.CopyFrom(node.attr["shape"].shape)
    return made


def feeds(graph_def: Any, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return what a session has to be fed for the weights, by tensor."""
    return {f"{n.name}:0": weights[k] for n, k in _standing(graph_def)}


def without_marks(graph_def: Any) -> Any:
    """Return a graph in which weights are placeholders like any other."""
    made = tf.compat.v1.GraphDef()
    made.CopyFrom(graph_def)
    for node in made.node:
        node.attr.pop(_KEY, None)
    return made


def content_of(array: Array) -> memoryview:
    """Return the bytes of an array, row by row, which are not copied where they lie so."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def is_mark(attribute: str) -> bool:
    """Say whether an attribute is what tells the weight that a node stands for."""
    return attribute == _KEY


def _standing(graph_def: Any) -> Iterator[tuple[Any, str]]:
    for node in graph_def.node:
        key = key_of(node)
        if key is not None:
            yield node, key


def _count(value: Any) -> int:
    return int(np.prod([d.size for d in value.tensor_shape.dim], dtype=np.int64))


def _digest(array: Array) -> str:
    digest = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    digest.update(content_of(array))
    return digest.hexdigest()
