"""Keras models, live or loaded from a file, as frozen graphs with named ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from sparkdl._graph.freeze import NotFrozenException, freeze
from sparkdl._graph.names import Loose
from sparkdl._live_keras import output_layers, predict, versions
from sparkdl._saved_model import UnfrozenSavedModel, export_whole
from sparkdl._specs import function_specs, renamed
from sparkdl.errors import InvalidModelException

# Names that Keras counts up, so that they depend on what else the process has built.
_COUNTED = re.compile(r"^(input_layer|keras_tensor)(_\d+)?$")


def from_keras(
    model: Any, inputs: Any, outputs: Any, source: str, scratch: Path
) -> Loose | UnfrozenSavedModel:
    """Freeze a Keras model in inference mode, with the names of its inputs and outputs.

    One that cannot be frozen because it looks words up in tables is exported into `scratch`.
    """
    run, specs, names = _callable(model, inputs)
    concrete = tf.function(run, input_signature=specs, autograph=False).get_concrete_function()
    found = _output_names(model, concrete.structured_outputs)
    chosen, new = renamed(found, outputs, "outputs")
    about = {"kind": "keras", "model": source, **versions(model), "tensorflow": tf.__version__}
    places = [found.index(o) for o in chosen]
    try:
        graph_def, given, results = freeze(concrete)
    except NotFrozenException as e:
        numbered = _numbered(run, places, specs)
        return export_whole(numbered, model, scratch, names, new, (about, str(e)))
    ends = {n: results[i] for i, n in zip(places, new, strict=True)}
    shapes = {n: concrete.outputs[i].shape for i, n in zip(places, new, strict=True)}
    return Loose(graph_def, dict(zip(names, given, strict=True)), ends, about, shapes)


def _callable(model: Any, inputs: Any) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """Return a model as a function of flat tensors, with their specs and names."""
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

    def run(*tensors: Any) -> Any:
        fed = tensors[0] if single else tf.nest.pack_sequence_as(structure, tensors)
        return predict(model, fed)

    return run, specs, names


def _numbered(run: Callable[..., Any], places: list[int], specs: list[Any]) -> Any:
    def numbered(*tensors: Any) -> dict[str, Any]:
        results = tf.nest.flatten(run(*tensors))
        return {f"out{i}": results[place] for i, place in enumerate(places)}

    return tf.function(numbered, input_signature=specs, autograph=False)


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
    names = output_layers(model)
    if len(names) != count:
        return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    repeated = {n for n in names if names.count(n) > 1}
    return [f"{n}_{names[:i].count(n)}" if n in repeated else n for i, n in enumerate(names)]
