"""Keras models, live or loaded from a file, as frozen graphs with named ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from sparkdl._bundles.description.input_specs import check_dense, function_specs, renamed
from sparkdl._bundles.graph.freeze import NotFrozenException, freeze
from sparkdl._bundles.graph.names import Loose
from sparkdl._bundles.graph.original import of_function
from sparkdl._bundles.graph.seeds import no_seed, seed_spec
from sparkdl._bundles.keras_inference import predict
from sparkdl._bundles.saved_model import UnfrozenSavedModel, export_whole
from sparkdl._models.live_keras import output_layers, versions
from sparkdl._models.model_ends import (
    End,
    input_ends,
    model_inputs,
    output_ends,
    packed,
    structure_of,
)
from sparkdl.errors import InvalidModelException


def from_keras(
    model: Any, inputs: Any, outputs: Any, source: str, scratch: Path
) -> Loose | UnfrozenSavedModel:
    """Freeze a Keras model in inference mode, with the names of its inputs and outputs.

    One that cannot be frozen because it looks words up in tables is exported into `scratch`.
    """
    run, specs, names = _callable(model, inputs)
    flat, ends = _flattened(run, model)
    traced = tf.function(flat, input_signature=[seed_spec(), *specs], autograph=False)
    concrete = traced.get_concrete_function()
    found = [end.name for end in ends]
    chosen, new = renamed(found, outputs, "outputs")
    about = {"kind": "keras", "model": source, **versions(model), "tensorflow": tf.__version__}
    places = [found.index(o) for o in chosen]
    where = {name: ends[place].path for name, place in zip(new, places, strict=True)}
    original = of_function(partial(run, no_seed()), names, where)
    try:
        frozen = freeze(concrete)
    except NotFrozenException as e:
        draws = bool(concrete.inputs[0].consumers())
        numbered = _numbered(flat, places, specs, draws)
        whole = export_whole(numbered, model, scratch, names, new, (about, str(e)))
        return replace(whole, original=original)
    tensors = {n: frozen.outputs[i] for i, n in zip(places, new, strict=True)}
    shapes = {n: concrete.outputs[i].shape for i, n in zip(places, new, strict=True)}
    ins = dict(zip(names, frozen.inputs[1:], strict=True))
    return Loose(frozen.graph_def, ins, tensors, about, shapes, original, frozen.weights)


def _callable(model: Any, inputs: Any) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """Return a model as a function of its seed and flat tensors, with their specs and names."""
    structure, ends = _taken(model, inputs)
    names = [end.name for end in ends]
    if not isinstance(inputs, Mapping):
        names = renamed(names, inputs, "inputs")[1]
    specs = [tf.TensorSpec(e.leaf.shape, e.leaf.dtype, name=f"in{i}") for i, e in enumerate(ends)]

    def run(seed: Any, *tensors: Any) -> Any:
        return predict(model, packed(structure, ends, tensors), seed)

    return run, specs, names


def _flattened(run: Callable[..., Any], model: Any) -> tuple[Callable[..., list[Any]], list[End]]:
    """Return a function that gives a list of tensors; and their names, once it has been traced."""
    ends: list[End] = []

    def flat(seed: Any, *tensors: Any) -> list[Any]:
        ends[:] = output_ends(run(seed, *tensors), keras.tree, output_layers(model))
        check_dense({end.name: end.leaf for end in ends})
        return [end.leaf for end in ends]

    return flat, ends


def _numbered(
    flat: Callable[..., list[Any]], places: list[int], specs: list[Any], draws: bool
) -> Any:
    def numbered(*tensors: Any) -> dict[str, Any]:
        seed, given = (tensors[0], tensors[1:]) if draws else (no_seed(), tensors)
        results = flat(seed, *given)
        return {f"out{i}": results[place] for i, place in enumerate(places)}

    signature = [seed_spec(), *specs] if draws else specs
    return tf.function(numbered, input_signature=signature, autograph=False)


def _taken(model: Any, inputs: Any) -> tuple[Any, list[End]]:
    """Return what a model takes: its own structure, or what a user says of one that has none."""
    structure = structure_of(model, "input")
    own = [] if structure is None else model_inputs(model)
    if isinstance(inputs, Mapping):
        return _said(function_specs(inputs), structure, own)
    if structure is None:
        raise InvalidModelException(
            f"The model {getattr(model, 'name', model)!r} does not know the shape of its input. "
            'Say it: inputs={"x": ("float32", [None, 3])}, the first dimension being the batch.'
        )
    return structure, own


def _said(specs: dict[str, Any], structure: Any, own: list[End]) -> tuple[Any, list[End]]:
    """Return the inputs that a user describes, in the user's order."""
    known = {end.name: end for end in own}
    if specs.keys() == known.keys():
        return structure, [replace(known[name], leaf=spec) for name, spec in specs.items()]
    ends = input_ends(specs, keras.tree)
    return (specs, ends) if len(ends) > 1 else (ends[0].leaf, ends)
