"""A program: a frozen graph, what it gives, and which columns it takes."""

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
from sparkdl._bundles.graph.seeds import unfed
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
        From placeholders to columns; others are fed by the column of their own name.
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
        return door.tensorProgram(_handed_over(self.graph_def), names, tensors, self.feeds)


def finished(
    graph_def: tf.compat.v1.GraphDef,
    outputs: Mapping[str, str],
    feeds: Mapping[str, str],
    what: str,
) -> tuple[Any, dict[str, str]]:
    """Return the part of a graph that the outputs need, and the feeds of its placeholders.

    The graph, which may have hundreds of megabytes, is changed and not copied: it must be nobody
    else's.

    Raises
    ------
    InvalidModelException
        It has variables, tables or functions of Python.
    """
    graph = Graph(unfed(graph_def), ())
    graph.prune([node_of(t) for t in outputs.values()])
    part = tidy(graph.to_graph_def())
    forget_seeds([*part.node, *(n for f in part.library.function for n in f.node_def)])
    check_frozen(part, what)
    _check_no_python(part, what)
    return part, {op: column for op, column in feeds.items() if op in graph.nodes}


def _check_no_python(graph_def: tf.compat.v1.GraphDef, what: str) -> None:
    nodes = [*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)]
    found = next((n.name for n in nodes if n.op in _PYTHON), None)
    if found is not None:
        raise InvalidModelException(
            f"The operation {found!r} of {what} calls back into Python (tf.py_function, "
            "tf.numpy_function), but programs run in the executors' JVMs, without Python. Write it "
            "with operations of TensorFlow."
        )


_PYTHON = {"EagerPyFunc", "PyFunc", "PyFuncStateless"}


def with_names(graph_def: tf.compat.v1.GraphDef, outputs: Mapping[str, str]) -> dict[str, str]:
    """Call the operations that give the outputs like these, where that is possible.

    Errors of the engine name the tensor: "z:0" says more than "Identity_1:0".
    """
    nodes = {n.name: n for n in graph_def.node}
    used = {node_of(i) for n in graph_def.node for i in n.input}
    found = dict(outputs)
    for name, tensor in outputs.items():
        old = node_of(tensor)
        end = nodes[old].op in ("Identity", "EnsureShape") and old not in used
        if end and node_name(name) not in nodes:
            nodes[node_name(name)] = nodes.pop(old)
            nodes[node_name(name)].name = node_name(name)
            found[name] = node_name(name) + ":0"
    return found


def with_shapes(
    graph_def: tf.compat.v1.GraphDef, outputs: Mapping[str, str], shapes: Mapping[str, Any]
) -> tuple[Any, dict[str, str]]:
    """Write into a graph the shapes of outputs that it does not show.

    A GraphDef loses the shapes of what comes out of control flow.
    """
    found = {}
    specs = static_signature(graph_def, list(outputs.values()))
    for (name, tensor), spec in zip(outputs.items(), specs, strict=True):
        shape = shapes.get(name, spec.shape)
        merged = spec.shape.merge_with(shape) if spec.shape.is_compatible_with(shape) else shape
        lost = merged.as_list() if merged.rank is not None else None
        seen = spec.shape.as_list() if spec.shape.rank is not None else None
        found[name] = tensor if lost == seen else _ensured(graph_def, tensor, spec, merged)
    return graph_def, found


def _ensured(
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


def _handed_over(graph_def: tf.compat.v1.GraphDef) -> str:
    """Return the path of a new file with a graph, which the JVM takes over.

    Equal graphs make equal files, for which the JVM has one model.
    """
    handle, file = tempfile.mkstemp(".pb", "program-", process_folder())
    with os.fdopen(handle, "wb") as opened:
        opened.write(graph_def.SerializeToString(deterministic=True))
    return file
