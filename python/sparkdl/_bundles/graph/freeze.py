"""From a traced function or a loose GraphDef to a frozen GraphDef: no variables, no calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.framework import convert_to_constants
from tensorflow.python.grappler import tf_optimizer

from sparkdl._bundles.graph import generators
from sparkdl._bundles.graph.gathers import gather_from_constants
from sparkdl._bundles.graph.graph import node_of
from sparkdl._bundles.graph.held_reads import hold_reads
from sparkdl._bundles.graph.state_writes import without_writes
from sparkdl._bundles.graph.variable_values import LightConversion, weights_of
from sparkdl._bundles.graph.weights import LARGE_BYTES, Weights, key_of, put_back
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


class NotFrozenException(InvalidModelException):
    """A model has state besides variables (lookup tables), which cannot become constants."""


@dataclass(frozen=True)
class FrozenFunction:
    """A graph without variables and calls.

    Attributes
    ----------
    graph_def : tf.compat.v1.GraphDef
        With a placeholder for each large weight.
    inputs, outputs : list of str
        Tensors.
    weights : dict of str to numpy.ndarray
        See `sparkdl._bundles.graph.weights`.
    """

    graph_def: Any
    inputs: list[str]
    outputs: list[str]
    weights: Weights = field(default_factory=dict)

    def whole(self) -> Any:
        """Return the GraphDef with the weights inside."""
        return put_back(self.graph_def, self.weights)


_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


def freeze(function: tf.types.experimental.ConcreteFunction) -> FrozenFunction:
    """Freeze a concrete function.

    Parameters
    ----------
    function : tf.types.experimental.ConcreteFunction
        Its variables become constants, except those of generators of random numbers: what reads
        them draws from the hidden seed (`seeds`).

    Returns
    -------
    FrozenFunction
        Inputs in the order of the function's arguments, outputs in the order of its
        (flattened) results.
    """
    states = _generators_of(function)
    left, graph_def, weights = _constants(function, states)
    # A captured resource that is not a variable (such as a table) stays an input: it is not frozen.
    count = len(function.inputs) - len(function.captured_inputs)
    inputs = [name for name in left if node_of(name) not in states]
    if len(inputs) != count:
        raise NotFrozenException(
            "Cannot freeze the model: besides its inputs it depends on resources that are not "
            f"variables ({', '.join(inputs[count:])}), such as lookup tables. Save it as a "
            "SavedModel and pass that directory instead."
        )
    outputs = [t.name for t in function.outputs]
    graph_def = without_generators(inline(graph_def, inputs, outputs), states)
    return FrozenFunction(graph_def, inputs, outputs, weights)


def _generators_of(function: tf.types.experimental.ConcreteFunction) -> dict[str, str]:
    """Return the variables of generators by the names of the placeholders that take them."""
    names = {id(v.handle): v.name for v in function.graph.variables}
    names_by_node = {
        node_of(p.name): names.get(id(value), "") for value, p in function.graph.captures
    }
    return {node: name for node, name in names_by_node.items() if generators.is_generator(name)}


def _constants(
    function: tf.types.experimental.ConcreteFunction, states: Mapping[str, str]
) -> tuple[list[str], Any, Weights]:
    """Return the names of the inputs that are left, and the graph with its large weights beside it.

    It is as `convert_variables_to_constants_v2_as_graph`, but keeps some variables, and imports the
    graph no second time.
    """
    variables = LightConversion(function, states)
    everything = [node.name for node in variables.graph_def.node]
    unwritten = without_writes(variables.graph_def, "the model", everything, states)
    variables._graph_def = hold_reads(unwritten)
    variables._build_node_defs_list()
    graph_def, converted = convert_to_constants._replace_variables_by_constants(variables)
    captures = function.graph.internal_captures
    constant = {captures[index].name for index in converted}
    left = [t.name for t in function.inputs if t.name not in constant]
    return left, graph_def, weights_of(variables, graph_def)


def without_generators(graph_def: GraphDef, states: Mapping[str, str]) -> Any:
    """Return a graph that draws from the hidden seed instead of from these variables."""
    if not states:
        return graph_def
    try:
        return generators.draw_from_seed(graph_def, states)
    except generators.UnknownUseException as e:
        raise NotFrozenException(
            f"Cannot freeze the model: {e} inside a loop or a condition, or in a way that sparkdl "
            "does not know. Draw the numbers before it, or with tf.random.uniform and the like."
        ) from e


def inline(graph_def: GraphDef, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """Replace calls of functions by what they do.

    Keras compiles some operations with XLA (convolutions in groups). XLA would compile again for
    every size of a batch, and on a CPU it gains nothing, so these are inlined too.
    """
    gather_from_constants(graph_def)
    if not any(node.op in _CALLS for node in graph_def.node):
        return graph_def
    for item in [*graph_def.node, *graph_def.library.function]:
        item.attr.pop("_XlaMustCompile", None)
        item.attr.pop("_noinline", None)
    meta_graph = meta_graph_pb2.MetaGraphDef(graph_def=graph_def)
    fetches = meta_graph.collection_def["train_op"].node_list.value
    fetches.extend([node_of(t) for t in [*inputs, *outputs]])
    config = config_pb2.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.optimizers.append("function")
    rewrites.min_graph_nodes = -1
    shapes = _open_shapes_of_weights(meta_graph.graph_def)
    inlined = tf_optimizer.OptimizeGraph(config, meta_graph)
    for node in inlined.node:
        if node.name in shapes:
            node.attr["shape"].shape.CopyFrom(shapes[node.name])
    return inlined


def _open_shapes_of_weights(graph_def: GraphDef) -> dict[str, Any]:
    """Leave the sizes of weights open, of which TensorFlow would make zeros; return the shapes."""
    shapes = {}
    for node in graph_def.node:
        if key_of(node) is not None:
            shape = tf.TensorShape(node.attr["shape"].shape)
            shapes[node.name] = shape.as_proto()
            node.attr["shape"].shape.CopyFrom(tf.TensorShape([None] * len(shape)).as_proto())
    return shapes


def check_frozen(graph_def: GraphDef, source: str) -> None:
    """Raise if a graph still has variables or tables, whose values are not in it."""
    nodes = [*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)]
    stateful = [n for n in nodes if n.op in _STATE]
    if stateful:
        names = ", ".join(f"{n.name} ({n.op})" for n in stateful[:3])
        raise NotFrozenException(
            f"The graph of {source} is not frozen: it has {len(stateful)} variables or tables "
            f"({names}), whose values are not in the graph. Expected a graph with constants. "
            "Save it as a SavedModel and pass that directory, or freeze it first."
        )


def check_without_tables(graph_def: GraphDef, source: str) -> None:
    """Raise if what is left of a graph, functions included, looks words up in tables.

    To be called before variables become constants, which TensorFlow cannot do beside tables.
    """
    tables = [n for n in _nodes_in_use(graph_def) if n.op in _TABLES]
    if tables:
        raise NotFrozenException(
            f"The graph of {source} cannot be frozen: it has {len(tables)} lookup tables "
            f"({tables[0].name}), which cannot become constants."
        )


def _nodes_in_use(graph_def: GraphDef) -> Iterator[Any]:
    functions = {f.signature.name: f.node_def for f in graph_def.library.function}
    waiting = list(graph_def.node)
    while waiting:
        node = waiting.pop()
        yield node
        called = [node.op, *(a.func.name for a in node.attr.values())]
        called += [f.name for a in node.attr.values() for f in a.list.func]
        for name in called:
            waiting.extend(functions.pop(name, ()))


_TABLES = {"HashTable", "HashTableV2", "MutableHashTable", "MutableHashTableV2"}
_STATE = {"VarHandleOp", "VariableV2", "Variable", "ReadVariableOp", *_TABLES}


def without_large_values(graph_def: GraphDef) -> Any:
    """Return a graph with the same shapes, whose large constants are placeholders.

    When TensorFlow infers shapes, it looks at the values of small constants only (sizes, axes,
    paddings), and importing a graph copies it several times.
    """
    large = {n.name for n in graph_def.node if n.op == "Const" and n.ByteSize() > LARGE_BYTES}
    if not large:
        return graph_def
    light = tf.compat.v1.GraphDef(library=graph_def.library, versions=graph_def.versions)
    for node in graph_def.node:
        if node.name in large:
            _add_placeholder(light, node)
        else:
            light.node.add().CopyFrom(node)
    return light


def _add_placeholder(graph_def: GraphDef, constant: NodeDef) -> None:
    value = constant.attr["value"].tensor
    node = graph_def.node.add(name=constant.name, op="Placeholder", input=constant.input)
    node.attr["dtype"].type = value.dtype
    node.attr["shape"].shape.CopyFrom(value.tensor_shape)


def static_signature(graph_def: GraphDef, tensors: Sequence[str]) -> list[Any]:
    """Return a `tf.TensorSpec` for each tensor, with the shape that TensorFlow infers."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(without_large_values(graph_def), name="")
    outputs = [graph.get_tensor_by_name(t if ":" in t else t + ":0") for t in tensors]
    return [tf.TensorSpec(t.shape, t.dtype) for t in outputs]
