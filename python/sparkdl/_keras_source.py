"""Keras models, live or from a file, as frozen graphs with named ends."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from sparkdl._ends import (
    End,
    input_ends,
    layer_names,
    model_inputs,
    output_ends,
    packed,
    structure_of,
)
from sparkdl._graph.freeze import NotFrozenException, freeze
from sparkdl._graph.names import Loose
from sparkdl._paths import KERAS_FILES
from sparkdl._saved_model import UnfrozenSavedModel, export_whole
from sparkdl._specs import check_dense, function_specs, renamed
from sparkdl._states import initial_states
from sparkdl.errors import InvalidModelException


def load_keras_file(path: Path, custom_objects: Mapping[str, Any] | None, safe_mode: bool) -> Any:
    """Load a whole model. Code that is pickled in the file runs only without `safe_mode`."""
    if path.suffix not in KERAS_FILES:
        raise InvalidModelException(
            f"Cannot tell what {path} is. Expected a file that ends in .keras, .h5 or .pb, or the "
            "directory of a SavedModel."
        )
    if safe_mode:
        _refuse_pickles(path)
    try:
        return keras.saving.load_model(
            str(path), custom_objects=custom_objects, compile=False, safe_mode=safe_mode
        )
    except Exception as e:  # Keras raises many kinds
        hint = ""
        if path.suffix != ".keras" and "config" in str(e):
            hint = (
                " The file may hold weights only: build the model, call load_weights and give "
                "the live model."
            )
        raise InvalidModelException(f"Keras cannot load {path}: {e}{hint}") from e


def _refuse_pickles(path: Path) -> None:
    lambdas = [c for c in _classes(_config(path)) if c == "Lambda"]
    if lambdas:
        raise InvalidModelException(
            f"{path} has {len(lambdas)} Lambda layer(s). A Lambda layer is pickled Python code, "
            "which can do anything when it is loaded, so it is refused. If you trust whoever "
            "wrote the file, pass safe_mode=False; or load the model yourself and give the live "
            "model; or replace the layer by one of keras.ops."
        )


def _config(path: Path) -> Any:
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read("config.json"))
        import h5py

        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
        return json.loads(text) if text is not None else {}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as e:
        raise InvalidModelException(f"{path} is not a readable file of Keras: {e}") from e


def _classes(config: Any) -> list[str]:
    """Return every "class_name" anywhere in a configuration."""
    if isinstance(config, dict):
        own = [config["class_name"]] if isinstance(config.get("class_name"), str) else []
        return own + [c for value in config.values() for c in _classes(value)]
    if isinstance(config, list):
        return [c for value in config for c in _classes(value)]
    return []


def from_keras(
    model: Any, inputs: Any, outputs: Any, source: str, scratch: Path
) -> Loose | UnfrozenSavedModel:
    """Freeze a Keras model in inference mode, with the names of its inputs and outputs.

    One that cannot be frozen because it looks words up in tables is exported into `scratch`.
    """
    run, specs, names = _callable(model, inputs)
    flat, ends = _flattened(run, model)
    concrete = tf.function(flat, input_signature=specs, autograph=False).get_concrete_function()
    found = [end.name for end in ends]
    chosen, new = renamed(found, outputs, "outputs")
    versions = {"keras": str(keras.__version__), "tensorflow": str(tf.__version__)}
    about = {"kind": "keras", "model": source, **versions}
    places = [found.index(o) for o in chosen]
    try:
        graph_def, given, results = freeze(concrete)
    except NotFrozenException as e:
        numbered = _numbered(flat, places, specs)
        return export_whole(numbered, model, scratch, names, new, (about, str(e)))
    tensors = {n: results[i] for i, n in zip(places, new, strict=True)}
    shapes = {n: concrete.outputs[i].shape for i, n in zip(places, new, strict=True)}
    return Loose(graph_def, dict(zip(names, given, strict=True)), tensors, about, shapes)


def _callable(model: Any, inputs: Any) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """Return a model as a function of flat tensors, with their specs and names."""
    structure, ends = _taken(model, inputs)
    names = [end.name for end in ends]
    if not isinstance(inputs, Mapping):
        names = renamed(names, inputs, "inputs")[1]
    specs = [tf.TensorSpec(e.leaf.shape, e.leaf.dtype, name=f"in{i}") for i, e in enumerate(ends)]

    def run(*tensors: Any) -> Any:
        fed = packed(structure, ends, tensors)
        # Some random layers draw, and so count their seed up, in inference too: with constants
        # instead of variables there would be nothing to assign to.
        with keras.StatelessScope(initial_states(model)) if model.built else nullcontext():
            return model(fed, training=False)

    return run, specs, names


def _flattened(run: Callable[..., Any], model: Any) -> tuple[Callable[..., list[Any]], list[End]]:
    """Return a function that gives a list of tensors; and their names, once it has been traced."""
    ends: list[End] = []

    def flat(*tensors: Any) -> list[Any]:
        ends[:] = output_ends(run(*tensors), keras.tree, layer_names(model))
        check_dense({end.name: end.leaf for end in ends})
        return [end.leaf for end in ends]

    return flat, ends


def _numbered(flat: Callable[..., list[Any]], places: list[int], specs: list[Any]) -> Any:
    def numbered(*tensors: Any) -> dict[str, Any]:
        results = flat(*tensors)
        return {f"out{i}": results[place] for i, place in enumerate(places)}

    return tf.function(numbered, input_signature=specs, autograph=False)


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
