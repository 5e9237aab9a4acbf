"""Writes a graph and the weights beside it as files, without a copy of the weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from sparkdl._bundles.graph.stored_weights import Offsets, with_offset, write_weights
from sparkdl._bundles.graph.weights import Weights, constant_node, content_of, key_of
from sparkdl._models.files.graph_file import MOST_BYTES
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

    from sparkdl._bundles.graph.weights import Array

GRAPH = "graph.pb"

# Tags of fields that have a length, in the format of protocol buffers: number * 8 + 2.
_NODE_OF_GRAPH = b"\x0a"
_ATTRIBUTE_OF_NODE = b"\x2a"
_KEY_OF_ENTRY, _VALUE_OF_ENTRY = b"\x0a", b"\x12"
_TENSOR_OF_VALUE = b"\x42"
_CONTENT_OF_TENSOR = b"\x22"

Pieces = list[bytes | memoryview]


def write_graph(folder: Path, graph_def: GraphDef, weights: Weights, offsets: Offsets) -> None:
    """Write a serialized GraphDef, with a constant for each placeholder of a weight.

    Weights that have an offset go into a file of their own (`stored_weights`).

    Raises
    ------
    InvalidModelException
        The graph would be larger than protocol buffers can be.
    """
    if offsets:
        write_weights(folder, weights, offsets)
    size = 0
    with open(folder / GRAPH, "wb") as file:
        for piece in _pieces(graph_def, weights, offsets):
            size += len(piece)
            if size > MOST_BYTES:
                raise InvalidModelException(
                    "The model's graph is larger than 2.1 GB, the most that a graph can have, "
                    "even without its large weights: it has very many small constants, or large "
                    "ones of texts or inside of functions. Make variables of them, or save the "
                    "model as a SavedModel (model.export(folder)) and apply that."
                )
            file.write(piece)


def _pieces(
    graph_def: GraphDef, weights: Weights, offsets: Offsets
) -> Iterator[bytes | memoryview]:
    for node in graph_def.node:
        key = key_of(node)
        if key is None:
            yield from _field(_NODE_OF_GRAPH, [_bytes(node)])
        elif key in offsets:
            yield from _field(_NODE_OF_GRAPH, [_bytes(with_offset(node, offsets[key]))])
        else:
            yield from _field(_NODE_OF_GRAPH, _constant(node, weights[key]))
    rest = tf.compat.v1.GraphDef(library=graph_def.library, versions=graph_def.versions)
    yield _bytes(rest)


def _constant(node: NodeDef, weight: Array) -> Pieces:
    """Return the pieces of a NodeDef whose attribute "value" holds the weight."""
    light = constant_node(node)
    tensor = _bytes(light.attr["value"].tensor)
    light.attr.pop("value")
    content = _field(_CONTENT_OF_TENSOR, [content_of(weight)])
    value = _field(_TENSOR_OF_VALUE, [tensor, *content])
    entry = [*_field(_KEY_OF_ENTRY, [b"value"]), *_field(_VALUE_OF_ENTRY, value)]
    return [_bytes(light), *_field(_ATTRIBUTE_OF_NODE, entry)]


def _field(tag: bytes, content: Pieces) -> Pieces:
    return [tag, _varint(sum(map(len, content))), *content]


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _bytes(message: Message) -> bytes:
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized
