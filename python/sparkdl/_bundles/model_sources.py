"""Everything that `save_bundle` takes for a model, made into a frozen graph with named ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.description.input_specs import (
    UserEnds,
    by_name,
    check_dense,
    function_specs,
    rename_ends,
)
from sparkdl._bundles.graph import freeze as freezing
from sparkdl._bundles.graph.cut import cut
from sparkdl._bundles.graph.names import FrozenGraph
from sparkdl._bundles.graph.original import GraphRun, of_function, restoring
from sparkdl._bundles.graph.seeds import is_seed
from sparkdl._bundles.graph.state_writes import changed_variables
from sparkdl._bundles.graph.stored_weights import take_mapped
from sparkdl._bundles.graph.weights import Weights, key_of, lightened
from sparkdl._bundles.keras_source import from_keras
from sparkdl._bundles.saved_model import UnfrozenSavedModel, from_saved_model
from sparkdl._models.files.content import GRAPH, TEXT_GRAPH, kind_of, no_file
from sparkdl._models.files.graph_file import read_graph
from sparkdl._models.files.loading import load_keras_file
from sparkdl._models.files.reaching_operations import of_graph, require_trusted
from sparkdl._models.live_keras import is_keras
from sparkdl._models.model_ends import distinct, leaves, output_ends
from sparkdl._places.places import local_copy, place_of
from sparkdl.errors import InvalidModelException, SettingsException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def frozen_from(
    model: Any,
    *,
    inputs: UserEnds | None = None,
    outputs: UserEnds | None = None,
    signature: str = "serving_default",
    constants: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    scratch: Path,
) -> FrozenGraph | UnfrozenSavedModel:
    """Freeze whatever a user calls a model. The arguments are those of `save_bundle`.

    Constants are put into SavedModels only, some of which cannot be read without them;
    `with_constants` puts them into other models. `scratch` is an empty directory for what has to
    live until the bundle is written.
    """
    if isinstance(model, (str, os.PathLike)):
        path = local_copy(model)
        if path is None:
            raise no_file(place_of(model))
        if path.is_dir():
            trusted = not safe_mode
            return from_saved_model(path, signature, inputs, outputs, constants, trusted, model)
        if kind_of(path).kind in (GRAPH, TEXT_GRAPH):
            graph_def = read_graph(path)
            require_trusted(of_graph(graph_def), model, trusted=not safe_mode)
            weights = take_mapped(graph_def, path.parent)  # of a bundle's graph
            return from_graph(graph_def, inputs, outputs, str(path.name), weights=weights)
        keras_model = load_keras_file(path, custom_objects, safe_mode)
        return from_keras(keras_model, inputs, outputs, path.name, scratch)
    if isinstance(model, (FrozenGraph, UnfrozenSavedModel)):
        return model
    if isinstance(model, tf.Graph):
        return from_live_graph(model, inputs, outputs)
    if isinstance(model, tf.compat.v1.GraphDef):
        return from_graph(model, inputs, outputs, "GraphDef")
    if is_keras(model):
        return from_keras(model, inputs, outputs, type(model).__name__, scratch)
    if hasattr(model, "structured_input_signature"):
        return from_concrete(model, inputs, outputs)
    if callable(model):
        return from_function(model, inputs, outputs)
    raise InvalidModelException(
        f"Cannot make a bundle from a {type(model).__name__}. Expected a Keras model, a path, a "
        "tf.function, a function of tensors or a tf.Graph."
    )


def from_function(function: Any, inputs: UserEnds | None, outputs: UserEnds | None) -> FrozenGraph:
    """Trace a Python callable or `tf.function` on tensors of the given types and shapes."""
    signature = getattr(function, "input_signature", None) or ()
    nested = not all(isinstance(s, tf.TensorSpec) for s in signature)
    if inputs is None and signature:
        if nested:  # TensorFlow names them
            return from_concrete(function.get_concrete_function(), None, outputs)
        inputs = by_name(signature)
    specs = function_specs(inputs)
    fixed = len(signature) == len(specs) and not nested  # TensorFlow takes no other names then
    names = [s.name for s in signature] if fixed else list(specs)
    pairs = zip(names, specs.values(), strict=True)
    ordered = [tf.TensorSpec(s.shape, s.dtype, name=n) for n, s in pairs]
    traced = function
    if not hasattr(function, "get_concrete_function"):
        traced = tf.function(function, autograph=False)
    concrete = traced.get_concrete_function(*ordered)
    positions = range(len(specs))
    # Calling a tf.function at other shapes would trace it again; a plain one is run as it is.
    call = function if traced is not function else _flat(concrete, positions)
    return _from_traced(concrete, list(specs), outputs, positions, call)


def from_concrete(
    function: tf.types.experimental.ConcreteFunction, inputs: UserEnds | None, outputs: Any
) -> FrozenGraph:
    """Freeze a concrete function under the names of its arguments."""
    names, places = _arguments(function)
    new = rename_ends(names, inputs, "inputs")[1]
    return _from_traced(function, new, outputs, places, _flat(function, places))


def _arguments(function: tf.types.experimental.ConcreteFunction) -> tuple[list[str], list[int]]:
    """Return what a concrete function takes, and where; names in a dict are its keys."""
    count = len(function.inputs) - len(function.captured_inputs)
    names = [t.name.split(":")[0] for t in function.inputs[:count]]
    arguments = leaves(function.structured_input_signature, tf.nest)
    specs = [leaf for leaf in arguments if isinstance(leaf.value, tf.TensorSpec)]  # no constants
    if len(specs) != count or all(len(leaf.path) == 2 for leaf in specs):  # (args, kwargs), name
        return names, list(range(count))
    flat = sorted(leaf.place for leaf in specs)
    positions = [flat.index(leaf.place) for leaf in specs]
    keys = ["_".join(map(str, leaf.path[2:])) for leaf in specs]
    return distinct([k or names[p] for k, p in zip(keys, positions, strict=True)]), positions


def _flat(
    concrete: tf.types.experimental.ConcreteFunction, positions: Sequence[int]
) -> Callable[..., Any]:
    """Return a concrete function as one of its tensors, however its arguments are passed."""

    def call(*tensors: tf.Tensor) -> Any:
        signature = concrete.structured_input_signature
        by_position = dict(zip(positions, tensors, strict=True))
        flat = iter([by_position[position] for position in sorted(by_position)])
        arguments = [
            next(flat) if isinstance(leaf, tf.TensorSpec) else leaf  # a constant of the trace
            for leaf in tf.nest.flatten(signature, expand_composites=True)
        ]
        args, kwargs = tf.nest.pack_sequence_as(signature, arguments, expand_composites=True)
        return concrete(*args, **kwargs)

    return call


def _from_traced(
    concrete: tf.types.experimental.ConcreteFunction,
    names: list[str],
    outputs: UserEnds | None,
    positions: Sequence[int],
    call: Callable[..., Any],
) -> FrozenGraph:
    """Freeze a function whose arguments have names, in the order of their `positions`."""
    frozen = freezing.freeze(concrete)
    ends = {end.name: end for end in output_ends(concrete.structured_outputs, tf.nest)}
    check_dense({name: end.leaf for name, end in ends.items()})
    chosen, new = rename_ends(list(ends), outputs, "outputs")
    indices = [ends[o].place for o in chosen]
    tensors = {n: frozen.outputs[i] for i, n in zip(indices, new, strict=True)}
    shapes = {n: concrete.outputs[i].shape for i, n in zip(indices, new, strict=True)}
    inputs = dict(zip(names, [frozen.inputs[i] for i in positions], strict=True))
    paths = {n: ends[o].path for o, n in zip(chosen, new, strict=True)}
    original = of_function(restoring(changed_variables(concrete), call), names, paths)
    about = (_source("function"), shapes, original)
    return FrozenGraph(frozen.graph_def, inputs, tensors, *about, frozen.weights)


def from_live_graph(
    graph: tf.Graph, inputs: UserEnds | None, outputs: UserEnds | None
) -> FrozenGraph:
    """Take a graph without variables, with the shapes that only it knows (`set_shape`, loops)."""
    graph_def = graph.as_graph_def()
    tensors = _ends(outputs, _sinks(graph_def), graph_def, "outputs")
    known = {t.name: t.shape for op in graph.get_operations() for t in op.outputs}
    shapes = {name: known[t] for name, t in tensors.items() if t in known}  # others are refused
    return from_graph(graph_def, inputs, outputs, "tf.Graph", shapes)


def from_graph(
    graph_def: GraphDef,
    inputs: UserEnds | None,
    outputs: UserEnds | None,
    source: str,
    shapes: Mapping[str, Any] | None = None,
    weights: Weights | None = None,
) -> FrozenGraph:
    """Take a graph as it is. Its ends are its placeholders and the nodes that nothing uses."""
    # What follows makes several copies of the graph.
    graph_def, weights = lightened(graph_def, weights or {})
    for node in graph_def.node:
        node.attr.pop("_output_shapes", None)  # of the batch that it was exported with
    ins = _ends(inputs, _placeholders(graph_def), graph_def, "inputs")
    _check_once(ins)
    outs = _ends(outputs, _sinks(graph_def), graph_def, "outputs")
    original = GraphRun(graph_def, ins, outs, weights)
    part, ins, outs = cut(graph_def, ins, outs)
    freezing.check_frozen(part, source)
    inlined = freezing.inline(part, list(ins.values()), list(outs.values()))
    origin = _source("graph", file=source)
    return FrozenGraph(inlined, ins, outs, origin, dict(shapes or {}), original, weights)


def _ends(
    requested: UserEnds | None, available: list[str], graph_def: GraphDef, what: str
) -> dict[str, str]:
    if requested is None:
        requested = available
    if not requested:
        raise InvalidModelException(f"The graph has no {what}; name them: {what}={{name: tensor}}.")
    pairs = requested if isinstance(requested, Mapping) else {_name(t): t for t in requested}
    names = {n.name for n in graph_def.node}
    ends = {}
    for name, tensor in pairs.items():
        full = tensor if isinstance(tensor, str) else tensor.name
        if full.split(":")[0] not in names:
            raise InvalidModelException(
                f"The graph has no tensor {full!r} ({what}). "
                f"It has {what} {', '.join(available[:10]) or 'of no obvious name'}."
            )
        # "scope/x" is called "x": short, and what people expect of frozen graphs.
        ends[name] = full if ":" in full else full + ":0"
    return ends


def _check_once(inputs: Mapping[str, str]) -> None:
    """Raise if a tensor is called by two names: only one of them could feed it."""
    for tensor in inputs.values():
        names = [n for n, t in inputs.items() if t == tensor]
        if len(names) > 1:
            raise SettingsException(
                f"inputs= gives the tensor {tensor!r} {len(names)} names: {', '.join(names)}. "
                "Expected one name for each."
            )


def _name(tensor: tf.Tensor | str) -> str:
    """Return what a tensor that was given without a name is called; a second one keeps its ":1"."""
    return (tensor if isinstance(tensor, str) else str(tensor.name)).removesuffix(":0")


def _placeholders(graph_def: GraphDef) -> list[str]:
    required = [n.name for n in graph_def.node if n.op == "Placeholder" and _is_open(n)]
    # One with a default needs no column, unless there is no other.
    return required or [n.name for n in graph_def.node if n.op == "PlaceholderWithDefault"]


def _is_open(placeholder: NodeDef) -> bool:
    return not is_seed(placeholder) and key_of(placeholder) is None


def _sinks(graph_def: GraphDef) -> list[str]:
    used = {i.lstrip("^").split(":")[0] for n in graph_def.node for i in n.input}
    skip = {"Const", "Placeholder", "NoOp", "Assert"}
    return [n.name for n in graph_def.node if n.name not in used and n.op not in skip]


def _source(kind: str, **more: str) -> dict[str, str]:
    return {"kind": kind, **more, "tensorflow": str(tf.__version__)}
