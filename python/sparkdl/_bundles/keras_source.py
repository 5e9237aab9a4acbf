"""Keras models, live or loaded from a file, as frozen graphs with named ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from sparkdl._bundles.description.input_specs import (
    UserEnds,
    check_dense,
    function_specs,
    rename_ends,
)
from sparkdl._bundles.graph.freeze import NotFrozenException, freeze
from sparkdl._bundles.graph.names import FrozenGraph
from sparkdl._bundles.graph.original import of_function
from sparkdl._bundles.graph.seeds import no_seed, seed_spec
from sparkdl._bundles.keras_inference import predict
from sparkdl._bundles.saved_model import UnfrozenSavedModel, export_whole
from sparkdl._models.called_models import uncalled
from sparkdl._models.live_keras import output_layers, versions
from sparkdl._models.meanings import PREDICTS, meanings
from sparkdl._models.model_ends import (
    End,
    input_ends,
    model_inputs,
    output_ends,
    pack,
    structure_of,
)
from sparkdl.errors import InvalidModelException


def from_keras(
    model: keras.Model,
    inputs: UserEnds | None,
    outputs: UserEnds | None,
    source: str,
    scratch: Path,
) -> FrozenGraph | UnfrozenSavedModel:
    """Freeze a Keras model in inference mode, with the names of its inputs and outputs.

    One that cannot be frozen because it looks words up in tables is exported into `scratch`.
    """
    run, specs, names = _callable(model, inputs)
    flat, ends = _flatten(run, model)
    traced = tf.function(flat, input_signature=[seed_spec(), *specs], autograph=False)
    concrete = traced.get_concrete_function()
    end_names = [end.name for end in ends]
    chosen, new = rename_ends(end_names, outputs, "outputs")
    origin = {"kind": "keras", "model": source, **versions(model), "tensorflow": tf.__version__}
    origin |= _predicted(model, dict(zip(chosen, new, strict=True)))
    places = [end_names.index(o) for o in chosen]
    paths = {name: ends[place].path for name, place in zip(new, places, strict=True)}
    original = of_function(partial(run, no_seed()), names, paths)
    try:
        frozen = freeze(concrete)
    except NotFrozenException as e:
        draws = bool(concrete.inputs[0].consumers())
        number_ends = _number_ends(flat, places, specs, draws)
        whole = export_whole(number_ends, model, scratch, names, new, (origin, str(e)))
        return replace(whole, original=original)
    tensors = {n: frozen.outputs[i] for i, n in zip(places, new, strict=True)}
    shapes = {n: concrete.outputs[i].shape for i, n in zip(places, new, strict=True)}
    inputs_by_name = dict(zip(names, frozen.inputs[1:], strict=True))
    about = (origin, shapes, original)
    return FrozenGraph(frozen.graph_def, inputs_by_name, tensors, *about, frozen.weights)


def _predicted(model: keras.Model, new_names: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of the outputs' meanings, for `org.sparkdl.model.Meaning`."""
    known = meanings(model, output_layers(model))
    by_name = {new_names[name]: known[name] for name in known if name in new_names}
    return {PREDICTS: json.dumps(by_name)} if by_name else {}


def _callable(
    model: keras.Model, inputs: UserEnds | None
) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """Return a model as a function of its seed and flat tensors, with their specs and names."""
    structure, ends = _inputs_of(model, inputs)
    names = [end.name for end in ends]
    if not isinstance(inputs, Mapping):
        names = rename_ends(names, inputs, "inputs")[1]
    specs = [tf.TensorSpec(e.leaf.shape, e.leaf.dtype, name=f"in{i}") for i, e in enumerate(ends)]

    def run(seed: tf.Tensor, *tensors: tf.Tensor) -> Any:
        return predict(model, pack(structure, ends, tensors), seed)

    return run, specs, names


def _flatten(
    run: Callable[..., Any], model: keras.Model
) -> tuple[Callable[..., list[Any]], list[End]]:
    """Return a function that gives a list of tensors; and their names, once it has been traced."""
    ends: list[End] = []

    def flat(seed: tf.Tensor, *tensors: tf.Tensor) -> list[Any]:
        ends[:] = output_ends(run(seed, *tensors), keras.tree, output_layers(model))
        check_dense({end.name: end.leaf for end in ends})
        return [end.leaf for end in ends]

    return flat, ends


def _number_ends(
    flat: Callable[..., list[Any]], places: list[int], specs: list[Any], draws: bool
) -> Any:
    def number_ends(*tensors: tf.Tensor) -> dict[str, Any]:
        seed, inputs = (tensors[0], tensors[1:]) if draws else (no_seed(), tensors)
        results = flat(seed, *inputs)
        return {f"out{i}": results[place] for i, place in enumerate(places)}

    signature = [seed_spec(), *specs] if draws else specs
    return tf.function(number_ends, input_signature=signature, autograph=False)


def _inputs_of(model: keras.Model, inputs: UserEnds | None) -> tuple[Any, list[End]]:
    """Return what a model takes: its own structure, or as the user describes one that has none."""
    structure = structure_of(model, "input")
    own_ends = [] if structure is None else model_inputs(model)
    if isinstance(inputs, Mapping):
        return _described_inputs(function_specs(inputs), structure, own_ends)
    if structure is None:
        raise InvalidModelException(
            f"{uncalled(model)}, or give its inputs: "
            'inputs={"x": ("float32", [None, 3])}, the first dimension being the batch.'
        )
    return structure, own_ends


def _described_inputs(
    specs: dict[str, Any], structure: object, own_ends: list[End]
) -> tuple[Any, list[End]]:
    """Return the inputs that a user describes, in the user's order."""
    ends_by_name = {end.name: end for end in own_ends}
    if specs.keys() == ends_by_name.keys():
        return structure, [replace(ends_by_name[name], leaf=spec) for name, spec in specs.items()]
    ends = input_ends(specs, keras.tree)
    return (specs, ends) if len(ends) > 1 else (ends[0].leaf, ends)
