"""Gives the inputs and outputs of a graph the names that users see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.description.manifest import SEED, BundleEnd, random_json
from sparkdl._bundles.graph.freeze import static_signature
from sparkdl._bundles.graph.graph import Graph, node_of, short
from sparkdl._bundles.graph.original import Original
from sparkdl._bundles.graph.random_ops import draw_from_seed, unseeded_draws
from sparkdl._bundles.graph.simplify import simplify
from sparkdl._bundles.graph.weights import Weights, put_back, take_out
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


@dataclass(frozen=True)
class FrozenGraph:
    """A frozen graph whose tensors do not have the names of its inputs and outputs yet.

    Attributes
    ----------
    graph_def : tf.compat.v1.GraphDef
    inputs, outputs : dict of str to str
        From the name that the user sees to the tensor.
    source : dict of str to str
        Where it came from, for the manifest.
    shapes : dict of str to tf.TensorShape
        Shapes of outputs by name, where they are known: a GraphDef lacks those of the results of
        control flow.
    original : callable or None
        Computes the model's own results, to compare with: see `sparkdl._bundles.graph.original`.
    weights : dict of str to numpy.ndarray
        Large ones, which may stand beside the graph: see `sparkdl._bundles.graph.weights`.
    """

    graph_def: Any
    inputs: dict[str, str]
    outputs: dict[str, str]
    source: dict[str, str]
    shapes: dict[str, Any] = field(default_factory=dict)
    original: Original | None = None
    weights: Weights = field(default_factory=dict)


@dataclass(frozen=True)
class FinishedGraph:
    """A frozen graph that is ready to be written.

    `random` says how it draws random numbers, as model.json does; None if it draws none. Its large
    `weights` stand beside the graph.
    """

    graph_def: Any
    inputs: list[BundleEnd]
    outputs: list[BundleEnd]
    source: dict[str, str]
    random: dict[str, Any] | None = None
    weights: Weights = field(default_factory=dict)

    def whole(self) -> Any:
        """Return the GraphDef with the weights inside."""
        return put_back(self.graph_def, self.weights)


def finish(frozen: FrozenGraph) -> FinishedGraph:
    """Name the ends of a frozen graph and simplify what lies between them."""
    names = [*frozen.inputs, *frozen.outputs]
    nodes = _distinct([node_name(n) for n in names])
    if SEED in nodes:
        raise InvalidModelException(
            f"An input or output of the model is called '{SEED}', which is the name of the tensor "
            "that takes the seed of random numbers. Give it another name with inputs= or outputs=."
        )
    count = len(frozen.inputs)
    from_seed = _draw_all_from_seed(frozen.graph_def)
    weights = take_out(from_seed, frozen.weights)
    with_ends = name_ends(
        from_seed,
        dict(zip(nodes[:count], frozen.inputs.values(), strict=True)),
        dict(zip(nodes[count:], frozen.outputs.values(), strict=True)),
    )
    simplified = simplify(with_ends, nodes[:count], nodes[count:], weights)
    seed = f"{SEED}:0" if any(n.name == SEED for n in simplified.node) else None
    hints = [tf.TensorShape(None)] * count + [frozen.shapes.get(o) for o in frozen.outputs]
    ends = [
        BundleEnd(name, node + ":0", spec.dtype.name, dimensions(_merge_shapes(spec.shape, hint)))
        for name, node, spec, hint in zip(
            names, nodes, static_signature(simplified, nodes), hints, strict=True
        )
    ]
    random = random_json(seed, unseeded_draws(simplified, nodes[count:]))
    return FinishedGraph(simplified, ends[:count], ends[count:], frozen.source, random, weights)


def _draw_all_from_seed(graph_def: GraphDef) -> Any:
    graph = Graph(graph_def, ())
    draw_from_seed(graph)
    return graph.to_graph_def()


def _distinct(nodes: list[str]) -> list[str]:
    """Tell nodes of the same name apart: an input and an output may be called the same."""
    distinct: list[str] = []
    for node in nodes:
        distinct.append(_free(node, {*distinct}))
    return distinct


def _merge_shapes(shape: tf.TensorShape, hint: tf.TensorShape) -> Any:
    return shape.merge_with(hint) if shape.is_compatible_with(hint) else shape


def dimensions(shape: tf.TensorShape) -> list[int] | None:
    """Return a shape as the manifest writes it: -1 is unknown, None is an unknown rank."""
    if shape.rank is None:
        return None
    return [-1 if size is None else int(size) for size in shape.as_list()]


def node_name(name: str) -> str:
    """Return a name that TensorFlow accepts for a node.

    >>> node_name("images"), node_name("my output:1"), node_name("_x")
    ('images', 'my_output_1', 'x_x')
    """
    cleaned = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return cleaned if re.match(r"[A-Za-z0-9.]", cleaned) else "x" + cleaned


def name_ends(graph_def: GraphDef, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Any:
    """Rename the placeholders, and add an identity for each output: keys are names of nodes."""
    graph = Graph(graph_def, ())
    types = [spec.dtype for spec in static_signature(graph_def, list(outputs.values()))]
    new_names = {*inputs, *outputs}
    new = {}
    for name in graph.nodes:
        if name in new_names:
            new[name] = _free(name + "_inner", graph.nodes.keys() | new_names)
    for name, tensor in inputs.items():
        new[node_of(tensor)] = name
    renamed = _rename(graph_def, new)
    for (name, tensor), dtype in zip(outputs.items(), types, strict=True):
        source = node_of(tensor)
        full = tensor.replace(source, new.get(source, source), 1)
        renamed.node.append(_identity(name, short(full), dtype))
    return renamed


def _free(name: str, existing: set[str]) -> str:
    while name in existing:
        name += "_"
    return name


def _rename(graph_def: GraphDef, new: Mapping[str, str]) -> Any:
    for node in graph_def.node:
        node.name = new.get(node.name, node.name)
        for i, tensor in enumerate(node.input):
            source = node_of(tensor)
            if source in new:
                node.input[i] = tensor.replace(source, new[source], 1)
        _forget_places(node)
    return graph_def


def _forget_places(node: NodeDef) -> None:
    node.attr.pop("_class", None)  # "next to node x": x may have another name now


def _identity(name: str, tensor: str, dtype: tf.DType) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op="Identity", input=[tensor])
    node.attr["T"].type = dtype.as_datatype_enum
    return node
