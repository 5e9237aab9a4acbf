"""Gives the inputs and outputs of a graph the names that users see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from sparkdl._graph.freeze import static_signature
from sparkdl._graph.graph import Graph, node_of, short
from sparkdl._graph.simplify import simplify
from sparkdl._manifest import TensorSpec


@dataclass(frozen=True)
class Loose:
    """A frozen graph whose ends have no names of their own yet.

    Attributes
    ----------
    graph_def : tf.compat.v1.GraphDef
    inputs, outputs : dict of str to str
        From the name that the user sees to the tensor.
    source : dict of str to str
        Where it came from, for the manifest.
    """

    graph_def: Any
    inputs: dict[str, str]
    outputs: dict[str, str]
    source: dict[str, str]


@dataclass(frozen=True)
class Finished:
    """A frozen graph that is ready to be written."""

    graph_def: Any
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    source: dict[str, str]


def finish(loose: Loose) -> Finished:
    """Name the ends of a frozen graph and simplify what lies between them."""
    named = name_ends(loose.graph_def, loose.inputs, loose.outputs)
    inputs, outputs = list(loose.inputs), list(loose.outputs)
    nodes = {name: node_name(name) for name in [*inputs, *outputs]}
    simple = simplify(named, [nodes[i] for i in inputs], [nodes[o] for o in outputs])
    specs = static_signature(simple, [nodes[n] for n in [*inputs, *outputs]])
    described = [
        TensorSpec(name, nodes[name] + ":0", spec.dtype.name, dimensions(spec.shape))
        for name, spec in zip([*inputs, *outputs], specs, strict=True)
    ]
    return Finished(simple, described[: len(inputs)], described[len(inputs) :], loose.source)


def dimensions(shape: Any) -> list[int] | None:
    """Return a shape as the manifest writes it: -1 is unknown, None is an unknown rank."""
    if shape.rank is None:
        return None
    return [-1 if d is None else int(d) for d in shape]


def node_name(name: str) -> str:
    """Return a name that TensorFlow accepts for a node.

    >>> node_name("images"), node_name("my output:1"), node_name("_x")
    ('images', 'my_output_1', 'x_x')
    """
    cleaned = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return cleaned if re.match(r"[A-Za-z0-9.]", cleaned) else "x" + cleaned


def name_ends(graph_def: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Any:
    """Rename the placeholders, and add an identity with its name for each output."""
    graph = Graph(graph_def, ())
    types = [spec.dtype for spec in static_signature(graph_def, list(outputs.values()))]
    wanted = {node_name(n) for n in [*inputs, *outputs]}
    new = {}
    for name in graph.nodes:
        if name in wanted:
            new[name] = _free(name + "_inner", graph.nodes.keys() | wanted)
    for name, tensor in inputs.items():
        new[node_of(tensor)] = node_name(name)
    renamed = _rename(graph_def, new)
    for (name, tensor), dtype in zip(outputs.items(), types, strict=True):
        source = node_of(tensor)
        full = tensor.replace(source, new.get(source, source), 1)
        renamed.node.append(_identity(node_name(name), short(full), dtype))
    return renamed


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _rename(graph_def: Any, new: Mapping[str, str]) -> Any:
    for node in graph_def.node:
        node.name = new.get(node.name, node.name)
        for i, tensor in enumerate(node.input):
            source = node_of(tensor)
            if source in new:
                node.input[i] = tensor.replace(source, new[source], 1)
        _forget_places(node)
    return graph_def


def _forget_places(node: Any) -> None:
    node.attr.pop("_class", None)  # "next to node x": x may have another name now


def _identity(name: str, tensor: str, dtype: Any) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op="Identity", input=[tensor])
    node.attr["T"].type = dtype.as_datatype_enum
    return node
