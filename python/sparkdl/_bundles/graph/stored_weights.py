"""The file `weights.bin` beside the graph of a bundle, which holds weights that are large together.

A GraphDef can have at most 2 GB, and whoever reads one copies what is in it; this file is mapped.
The graph says itself where in the file each weight is (docs/bundle.md), so that the SHA-256 of the
graph is still that of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.weights import Array, Weights, content_of, key_of, lightened
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

FILE = "weights.bin"
MOST_INSIDE_BYTES = 256 << 20  # of such weights together, in a graph without the file
LEAST_BYTES = 1 << 20  # of a weight: smaller ones are few, and read with the graph
_ALIGNMENT = 64
_OFFSET = "_sparkdl_offset"

Offsets = dict[str, int]  # by the weight's key


def offsets_of(graph_def: GraphDef, weights: Weights) -> Offsets:
    """Return where in the file each weight goes; nothing if all of them go into the graph."""
    keys = dict.fromkeys(k for k in map(key_of, graph_def.node) if k is not None)
    large = [k for k in keys if weights[k].nbytes >= LEAST_BYTES]
    if sum(weights[k].nbytes for k in large) <= MOST_INSIDE_BYTES:
        return {}
    offsets, end = {}, 0
    for key in large:
        offsets[key] = end
        end += -(-weights[key].nbytes // _ALIGNMENT) * _ALIGNMENT
    return offsets


def write_weights(folder: Path, weights: Weights, offsets: Offsets) -> None:
    """Write the file; weights are copied one at a time, if at all."""
    with open(folder / FILE, "wb") as file:
        for key, offset in offsets.items():
            file.write(bytes(offset - file.tell()))
            file.write(content_of(weights[key]))


def with_offset(node: NodeDef, offset: int) -> Any:
    """Return the placeholder of a weight that is in the file."""
    placed = tf.compat.v1.NodeDef()
    placed.CopyFrom(node)
    placed.attr[_OFFSET].i = offset
    return placed


def take_mapped(graph_def: GraphDef, folder: Path) -> Weights:
    """Return the weights of a graph that are in the file, mapped; its nodes forget their places.

    Raises
    ------
    InvalidModelException
        The file is missing or too short.
    """
    weights: Weights = {}
    for node, key in _placed(graph_def):
        if key not in weights:
            weights[key] = _map(node, folder / FILE)
        del node.attr[_OFFSET]
    return weights


def stored_graph(file: Path) -> tuple[Any, Weights]:
    """Return the graph of a bundle with its large weights beside it."""
    graph_def = tf.compat.v1.GraphDef.FromString(file.read_bytes())
    return lightened(graph_def, take_mapped(graph_def, file.parent))


def _placed(graph_def: GraphDef) -> Iterator[tuple[NodeDef, str]]:
    for node in graph_def.node:
        key = key_of(node)
        if key is not None and _OFFSET in node.attr:
            yield node, key


def _map(node: NodeDef, file: Path) -> Array:
    dtype = np.dtype(tf.as_dtype(node.attr["dtype"].type).as_numpy_dtype)
    shape = tuple(d.size for d in node.attr["shape"].shape.dim)
    count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    try:
        content = np.memmap(file, np.uint8, "r", node.attr[_OFFSET].i, (count,))
    except (OSError, ValueError) as e:
        raise InvalidModelException(
            f"The graph in {file.parent} has its weight {node.name!r} in {file.name}, which cannot "
            f"be read: {e}. Copy the whole directory again: the two files belong together."
        ) from e
    array: Array = content.view(dtype).reshape(shape)
    return array
