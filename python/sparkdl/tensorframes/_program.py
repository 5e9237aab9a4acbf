"""A program: a frozen graph, its results, and the columns that it takes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.graph.freeze import check_frozen, static_signature
from sparkdl._bundles.graph.graph import Graph, node_of, short
from sparkdl._bundles.graph.names import node_name
from sparkdl._bundles.graph.random_ops import forget_seeds
from sparkdl._bundles.graph.seeds import without_seed_input
from sparkdl._bundles.graph.simplify import tidy
from sparkdl._places.temporary_folders import process_folder
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject


@dataclass(frozen=True)
class Program:
    """A frozen graph with the names of its results.

    Attributes
    ----------
    graph_def : tf.compat.v1.GraphDef
        Only what the results need.
    outputs : dict of str to str
        From the name of a result to its tensor.
    feeds : dict of str to str
        From placeholders to columns; others are fed by the column of their name.
    from_function : bool
        Whether the results were named by a dict that a function returned.
    """

    graph_def: Any
    outputs: dict[str, str]
    feeds: dict[str, str] = field(default_factory=dict)
    from_function: bool = False

    def in_jvm(self, door: JavaObject) -> JavaObject:
        """Return the JVM's program of this graph."""
        names, tensors = [*self.outputs], [*self.outputs.values()]
        return door.tensorProgram(_write_for_jvm(self.graph_def), names, tensors, self.feeds)


def finish(
    graph_def: tf.compat.v1.GraphDef,
    outputs: Mapping[str, str],
    feeds: Mapping[str, str],
    what: str,
) -> tuple[Any, dict[str, str]]:
    """Return the part of a graph that the outputs need, and the feeds of its placeholders.

    The graph, which may have hundreds of megabytes, is changed and not copied: nobody else may use
    it.

    Raises
    ------
    InvalidModelException
        It has variables, tables or Python functions.
    """
    graph = Graph(without_seed_input(graph_def), ())
    graph.prune([node_of(t) for t in outputs.values()])
    part = tidy(graph.to_graph_def())
    forget_seeds([*part.node, *(n for f in part.library.function for n in f.node_def)])
    check_frozen(part, what)
    _check_no_python(part, what)
    return part, {op: column for op, column in feeds.items() if op in graph.nodes}


def _check_no_python(graph_def: tf.compat.v1.GraphDef, what: str) -> None:
    nodes = [*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)]
    name = next((n.name for n in nodes if n.op in _PYTHON_OPERATIONS), None)
    if name is not None:
        raise InvalidModelException(
            f"The operation {name!r} of {what} calls back into Python (tf.py_function, "
            "tf.numpy_function), but programs run in the executors' JVMs, without Python. Write it "
            "with operations of TensorFlow."
        )


_PYTHON_OPERATIONS = {"EagerPyFunc", "PyFunc", "PyFuncStateless"}


def with_names(graph_def: tf.compat.v1.GraphDef, outputs: Mapping[str, str]) -> dict[str, str]:
    """Name the operations that give the outputs after these, where that is possible.

    Errors of the engine name the tensor: "z:0" says more than "Identity_1:0".
    """
    nodes = {n.name: n for n in graph_def.node}
    used = {node_of(i) for n in graph_def.node for i in n.input}
    renamed = dict(outputs)
    for name, tensor in outputs.items():
        old = node_of(tensor)
        end = nodes[old].op in ("Identity", "EnsureShape") and old not in used
        if end and node_name(name) not in nodes:
            nodes[node_name(name)] = nodes.pop(old)
            nodes[node_name(name)].name = node_name(name)
            renamed[name] = node_name(name) + ":0"
    return renamed


def with_shapes(
    graph_def: tf.compat.v1.GraphDef, outputs: Mapping[str, str], shapes: Mapping[str, Any]
) -> tuple[Any, dict[str, str]]:
    """Write the shapes of outputs into a graph that does not show them.

    A GraphDef loses the shapes of the results of control flow.
    """
    tensors = {}
    specs = static_signature(graph_def, list(outputs.values()))
    for (name, tensor), spec in zip(outputs.items(), specs, strict=True):
        shape = shapes.get(name, spec.shape)
        merged = spec.shape.merge_with(shape) if spec.shape.is_compatible_with(shape) else shape
        known_sizes = merged.as_list() if merged.rank is not None else None
        visible_sizes = spec.shape.as_list() if spec.shape.rank is not None else None
        tensors[name] = (
            tensor
            if known_sizes == visible_sizes
            else _ensure_shape(graph_def, tensor, spec, merged)
        )
    return graph_def, tensors


def _ensure_shape(
    graph_def: tf.compat.v1.GraphDef, tensor: str, spec: tf.TensorSpec, shape: tf.TensorShape
) -> str:
    names = {n.name for n in graph_def.node}
    name = node_of(tensor) + "_shape"
    while name in names:
        name += "_"
    node = graph_def.node.add(name=name, op="EnsureShape", input=[short(tensor)])
    node.attr["T"].type = spec.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(shape.as_proto())
    return name + ":0"


def _write_for_jvm(graph_def: tf.compat.v1.GraphDef) -> str:
    """Return the path of a new file with a graph, which the JVM takes over.

    Equal graphs make equal files, for which the JVM has one model.
    """
    handle, file = tempfile.mkstemp(".pb", "program-", process_folder())
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(graph_def.SerializeToString(deterministic=True))
    except BaseException:  # the disk is full
        os.unlink(file)
        raise
    return file
