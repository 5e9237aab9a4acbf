"""Keras models, live or from a file, as frozen graphs with named ends."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from sparkdl._graph.freeze import NotFrozenException, freeze
from sparkdl._graph.names import Loose
from sparkdl._graph.seeds import seed_spec
from sparkdl._keras_seeds import SeedScope
from sparkdl._paths import KERAS_FILES
from sparkdl._saved_model import UnfrozenSavedModel, export_whole
from sparkdl._specs import function_specs, renamed
from sparkdl.errors import InvalidModelException

# Names that Keras counts up, so that they depend on what else the process has built.
_COUNTED = re.compile(r"^(input_layer|keras_tensor)(_\d+)?$")


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
    traced = tf.function(run, input_signature=[seed_spec(), *specs], autograph=False)
    concrete = traced.get_concrete_function()
    found = _output_names(model, concrete.structured_outputs)
    chosen, new = renamed(found, outputs, "outputs")
    versions = {"keras": str(keras.__version__), "tensorflow": str(tf.__version__)}
    about = {"kind": "keras", "model": source, **versions}
    places = [found.index(o) for o in chosen]
    try:
        graph_def, given, results = freeze(concrete)
    except NotFrozenException as e:
        draws = bool(concrete.inputs[0].consumers())
        numbered = _numbered(run, places, specs, draws)
        return export_whole(numbered, model, scratch, names, new, (about, str(e)))
    ends = {n: results[i] for i, n in zip(places, new, strict=True)}
    shapes = {n: concrete.outputs[i].shape for i, n in zip(places, new, strict=True)}
    return Loose(graph_def, dict(zip(names, given[1:], strict=True)), ends, about, shapes)


def _callable(model: Any, inputs: Any) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """Return a model as a function of its seed and flat tensors, with their specs and names."""
    if isinstance(inputs, Mapping):
        structure, names = function_specs(inputs), list(inputs)
    else:
        structure, old = _own_inputs(model)
        names = renamed(old, inputs, "inputs")[1]
    flat = tf.nest.flatten(structure)
    specs = [tf.TensorSpec(s.shape, s.dtype, name=f"in{i}") for i, s in enumerate(flat)]
    single = not isinstance(structure, (dict, list, tuple)) or (
        isinstance(inputs, Mapping) and len(specs) == 1
    )

    def run(seed: Any, *tensors: Any) -> Any:
        fed = tensors[0] if single else tf.nest.pack_sequence_as(structure, tensors)
        if not model.built:
            model(fed, training=False)  # makes its variables, which a scope without state cannot
        with SeedScope(seed):
            return model(fed, training=False)

    return run, specs, names


def _numbered(run: Callable[..., Any], places: list[int], specs: list[Any], draws: bool) -> Any:
    def numbered(*tensors: Any) -> dict[str, Any]:
        seed, given = (tensors[0], tensors[1:]) if draws else (tf.zeros([2], tf.int64), tensors)
        results = tf.nest.flatten(run(seed, *given))
        return {f"out{i}": results[place] for i, place in enumerate(places)}

    signature = [seed_spec(), *specs] if draws else specs
    return tf.function(numbered, input_signature=signature, autograph=False)


def _own_inputs(model: Any) -> tuple[Any, list[str]]:
    """Return the structure of a model's inputs and a name for each in flattened order."""
    tensors = getattr(model, "inputs", None)
    if not tensors:
        raise InvalidModelException(
            f"The model {getattr(model, 'name', model)!r} does not know the shape of its input. "
            'Say it: inputs={"x": ("float32", [None, 3])}, the first dimension being the batch.'
        )
    if isinstance(model, keras.Sequential):  # has no `input` before it was called
        return tensors[0], _stable([tensors[0].name])
    structure = model.input
    if isinstance(structure, Mapping):
        return dict(structure), sorted(structure)
    return structure, _stable([t.name for t in tensors])


def _stable(names: list[str]) -> list[str]:
    counted = 0
    result = []
    for name in names:
        if _COUNTED.match(name):
            result.append("input" if counted == 0 else f"input_{counted}")
            counted += 1
        else:
            result.append(name)
    return result


def _output_names(model: Any, structured: Any) -> list[str]:
    if isinstance(structured, Mapping):
        return sorted(structured)
    count = len(tf.nest.flatten(structured))
    names = list(getattr(model, "output_names", None) or [])
    if len(names) != count:
        return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    repeated = {n for n in names if names.count(n) > 1}
    return [f"{n}_{names[:i].count(n)}" if n in repeated else n for i, n in enumerate(names)]
