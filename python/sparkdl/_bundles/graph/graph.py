"""A GraphDef that can be edited: nodes by name, who uses what, replacing one tensor by another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from sparkdl._bundles.graph.weights import Array as Array
from sparkdl._bundles.graph.weights import Weights, is_large, key_of, stand_for
from sparkdl._models.graph_nodes import node_of as node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

# The value may differ between two runs, or the node does more than compute its outputs.
_NOT_PURE = {"Placeholder", "PlaceholderWithDefault", "NoOp"}
# Control flow of TensorFlow 1: a node's place decides whether it runs, so nothing may be moved.
_FRAMES = {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"}


def short(tensor: str) -> str:
    """Return a tensor's name as nodes write it: without ":0".

    >>> short("a:0"), short("a:1")
    ('a', 'a:1')
    """
    return tensor[:-2] if tensor.endswith(":0") else tensor


class Graph:
    """The nodes of a GraphDef by name, and the names that must stay because a user sees them.

    With weights beside the graph, large constants that are added come beside it, too.
    """

    def __init__(
        self, graph_def: GraphDef, keep: Iterable[str], weights: Weights | None = None
    ) -> None:
        self.nodes: dict[str, Any] = {n.name: n for n in graph_def.node}
        self.keep = set(keep)
        self.weights = weights
        self.library = graph_def.library
        self.versions = graph_def.versions

    def has_frames(self) -> bool:
        """Say whether the graph has control flow of TensorFlow 1, which must not be edited."""
        return any(n.op in _FRAMES for n in self.nodes.values())

    def consumers(self) -> dict[str, list[tuple[str, int]]]:
        """Return who uses a node: (name, position of the input) for every use of any output."""
        uses: dict[str, list[tuple[str, int]]] = {name: [] for name in self.nodes}
        for name, node in self.nodes.items():
            for i, tensor in enumerate(node.input):
                uses[node_of(tensor)].append((name, i))
        return uses

    def replace(self, new: Mapping[str, str]) -> None:
        """Make every user of a tensor use another one. Keys and values as `short` writes them."""
        if not new:
            return

        def follow(tensor: str) -> str:
            while tensor in new:
                tensor = new[tensor]
            return tensor

        for node in self.nodes.values():
            for i, tensor in enumerate(node.input):
                if tensor.startswith("^"):
                    node.input[i] = "^" + node_of(follow(tensor[1:]))
                else:
                    node.input[i] = follow(short(tensor))

    def is_constant(self, name: str) -> bool:
        """Say whether a node is a constant, in the graph or beside it."""
        node = self.nodes[name]
        return node.op == "Const" or key_of(node) is not None

    def constant(self, tensor: str) -> Array | None:
        """Return the value of a constant, None if the tensor is something else."""
        node = self.nodes.get(node_of(tensor))
        if node is None or not self.is_constant(node.name) or tensor.startswith("^"):
            return None
        key = key_of(node)
        if key is not None:
            return (self.weights or {})[key]
        value: Array = tf.make_ndarray(node.attr["value"].tensor)
        return value

    def free_name(self, name: str) -> str:
        """Return this name, or one made from it, which no node has."""
        while name in self.nodes:
            name += "_"
        return name

    def add_constant(self, name: str, value: Array) -> str:
        """Add a constant under this name, or one made from it, and return the name."""
        name = self.free_name(name)
        node = tf.compat.v1.NodeDef(name=name, op="Const")
        dtype = tf.as_dtype(value.dtype)
        if self.weights is not None and is_large(dtype, value.size):
            stand_for(node, value, self.weights)
        else:
            node.attr["dtype"].type = dtype.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        self.nodes[name] = node
        return name

    def add_node(self, like: NodeDef, name: str, op: str, inputs: Iterable[str]) -> Any:
        """Add a node of another one's type under this name, or one made from it, and return it."""
        name = self.free_name(name)
        self.nodes[name] = type(like)(name=name, op=op, input=inputs)
        self.nodes[name].attr["T"].type = like.attr["T"].type
        return self.nodes[name]

    def prune(self, outputs: Iterable[str]) -> None:
        """Keep what the outputs need, in an order in which every node follows its inputs."""
        done: dict[str, Any] = {}
        opened: set[str] = set()
        stack = [(name, False) for name in reversed([*outputs])]
        while stack:
            name, inputs_done = stack.pop()
            node = self.nodes[name]
            if inputs_done:
                done[name] = node
            elif name not in opened:
                opened.add(name)
                stack.append((name, True))
                # What is opened and not done lies on a loop of TensorFlow 1.
                waiting = [node_of(i) for i in reversed(node.input)]
                stack += [(i, False) for i in waiting if i not in opened]
        self.nodes = done

    def to_graph_def(self) -> Any:
        """Return the GraphDef."""
        return tf.compat.v1.GraphDef(
            node=self.nodes.values(), library=self.library, versions=self.versions
        )


def attribute(node: NodeDef, key: str, default: Any) -> Any:
    """Return an attribute, or the default that its operation has for it.

    Attributes are often left out when they have their default. Reading `node.attr[key]` would add
    an empty one, which is not the default and may not even be known to the operation.
    """
    kind = node.attr[key].WhichOneof("value") if key in node.attr else None
    return default if kind is None else getattr(node.attr[key], kind)


def channels_last(node: NodeDef) -> bool:
    """Say whether the last dimension of an image operation is the channels."""
    return bool(attribute(node, "data_format", b"NHWC") == b"NHWC")


def is_pure(node: NodeDef) -> bool:
    """Say whether a node only computes its outputs from its inputs, always in the same way."""
    if node.op in _NOT_PURE or node.op in _FRAMES:
        return False
    definition = op_def_registry.get(node.op)
    if definition is None or definition.is_stateful:
        return False
    return not calls_function(node)


def calls_function(node: NodeDef) -> bool:
    """Say whether a node runs functions of the graph's library (If, While, PartitionedCall)."""
    return any(value.HasField("func") or len(value.list.func) > 0 for value in node.attr.values())
