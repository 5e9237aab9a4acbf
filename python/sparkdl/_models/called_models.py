"""Subclassed models: what they were called with, what they give, and how they are called.

Keras tells inputs and outputs of functional and sequential models only. Of others it remembers the
shapes that they were built for, and the symbolic tensors (`keras.Input`) that they were called on.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any
from weakref import WeakKeyDictionary

from sparkdl._models.live_keras import is_tf_keras

_MODES = ("training", "mask")  # arguments that are not inputs
_DTYPES = ("int32", "string")  # tried where a model does not take floats
_MOST_TRIALS = 32
# What was found out about models, each with the shapes that it is true for.
_inputs: WeakKeyDictionary[Any, tuple[str, Any]] = WeakKeyDictionary()
_outputs: WeakKeyDictionary[Any, tuple[str, Any]] = WeakKeyDictionary()
# What models of files were called with before they were saved.
_remembered: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def called_with(model: Any) -> Any:
    """Return the structure of symbolic tensors that a subclassed model takes; None if unknown.

    Several arguments are a dict by their names, see `call`. A symbolic call says all; the shapes of
    others are known, and types are floats unless the model refuses them.
    """
    if is_tf_keras(model):
        return _saved_specs(model)
    symbolic = _symbolic_arguments(model)
    if symbolic is not None:
        return symbolic
    if model in _remembered:
        return _remembered[model]
    shapes = _argument_shapes(model)
    if shapes is None:
        return None
    if _inputs.get(model, ("", None))[0] != str(shapes):
        _inputs[model] = (str(shapes), _with_dtypes(model, shapes))
    return _inputs[model][1]


def remember_call(model: Any, inputs: Any) -> None:
    """Note what a model takes that has been neither built nor called in this process."""
    _remembered[model] = inputs


def gives(model: Any) -> Any:
    """Return the structure of symbolic tensors that a subclassed model gives; None if unknown."""
    inputs = None if is_tf_keras(model) else called_with(model)
    if inputs is None:
        return None
    from keras import tree

    key = str([(t.shape, t.dtype) for t in tree.flatten(inputs)])
    if _outputs.get(model, ("", None))[0] != key:
        _outputs[model] = (key, trace(model, inputs))
    return _outputs[model][1]


def call(model: Any, inputs: Any, **modes: Any) -> Any:
    """Call a model; a dict that has the arguments of a subclassed model by name is taken apart."""
    if takes_by_name(model, inputs):
        return model(**inputs, **modes)
    return model(inputs, **modes)


def uncalled(model: Any) -> str:
    """Say that a model does not tell what it takes, and how it would; the sentence may go on."""
    name = repr(getattr(model, "name", model))
    needed = _needed(model)
    if len(needed) > 1 and getattr(model, "built", False):
        example = ", ".join(f"{argument}=keras.Input(...)" for argument in needed)
        return (
            f"The model {name} was called with several arguments, of which Keras keeps the first "
            f"one's shape only. Call it once on symbolic tensors, model({example})"
        )
    return (
        f"The model {name} does not know what it takes: it was neither built nor called. Call it "
        "once, on some rows or on keras.Input(...)"
    )


def takes_by_name(model: Any, inputs: Any) -> bool:
    """Say whether inputs are the arguments of a subclassed model by name, see `call`."""
    if not isinstance(inputs, Mapping) or len(inputs) < 2:
        return False
    if getattr(model, "inputs", None) is not None:
        return False
    return inputs.keys() <= inspect.signature(model.call).parameters.keys()


def _symbolic_arguments(model: Any) -> Any:
    """Return what a model was last called with where it was called on symbolic tensors."""
    from keras import KerasTensor, tree

    nodes = getattr(model, "_inbound_nodes", None)
    if not nodes:
        return None
    given = nodes[-1].arguments
    bound = inspect.signature(model.call).bind(*given.args, **given.kwargs).arguments
    tensors = {
        name: value
        for name, value in bound.items()
        if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(value))
    }
    return _named({n: tree.map_structure(_free_rows, t) for n, t in tensors.items()})


def _free_rows(tensor: Any) -> Any:
    from keras import KerasTensor

    return KerasTensor((None, *tensor.shape[1:]), tensor.dtype, name=tensor.name)


def _argument_shapes(model: Any) -> dict[str, Any] | None:
    """Return the shapes of the arguments that a model was built for, by their names."""
    shapes = getattr(model, "_build_shapes_dict", None)
    needed = _needed(model)
    if not shapes or not needed:
        return None
    if len(shapes) > 1:
        return {name.removesuffix("_shape"): shape for name, shape in shapes.items()}
    if len(needed) > 1:  # Keras has kept the first one's
        return None
    return {needed[0]: next(iter(shapes.values()))}


def _needed(model: Any) -> list[str]:
    """Return the arguments that a model is not called without."""
    parameters = inspect.signature(model.call).parameters.values()
    needed = (p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD)
    return [p.name for p in needed if p.name not in _MODES]


def _with_dtypes(model: Any, shapes: Mapping[str, Any]) -> Any:
    """Return tensors of these shapes, of types that the model takes."""
    for dtypes in _trials(_count(shapes)):
        left = iter(dtypes)
        tensors = _named({name: _tensors(name, shape, left) for name, shape in shapes.items()})
        try:
            trace(model, tensors)
        except Exception:  # whatever a model may raise about a type
            continue
        return tensors
    return None


def _trials(count: int) -> Iterator[tuple[str, ...]]:
    from keras import config

    kinds = (config.floatx(), *_DTYPES)
    same = [(kind,) * count for kind in kinds]
    yield from same
    mixed = (kind for kind in product(kinds, repeat=count) if kind not in same)
    yield from islice(mixed, _MOST_TRIALS)


def _tensors(name: str, shapes: Any, dtypes: Iterator[str]) -> Any:
    """Return tensors of some shapes, in the order in which they were written."""
    from keras import KerasTensor

    if isinstance(shapes, Mapping):
        return {key: _tensors(str(key), part, dtypes) for key, part in shapes.items()}
    if _is_shape(shapes):
        return KerasTensor((None, *shapes[1:]), next(dtypes), name=name)
    return [_tensors(f"{name}_{i}", part, dtypes) for i, part in enumerate(shapes)]


def _count(shapes: Any) -> int:
    if _is_shape(shapes):
        return 1
    return sum(map(_count, shapes.values() if isinstance(shapes, Mapping) else shapes))


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(n, (int, type(None))) for n in value)


def _named(arguments: dict[str, Any]) -> Any:
    """Return the only argument, or all by their names."""
    return next(iter(arguments.values())) if len(arguments) == 1 else arguments


def trace(model: Any, inputs: Any) -> Any:
    """Return what a model gives for symbolic tensors; layers that were not built are built."""
    from keras.src.backend import compute_output_spec

    def run(tensors: Any) -> Any:
        return call(model, tensors, training=False)

    return compute_output_spec(run, inputs)


def _saved_specs(model: Any) -> Any:
    """Return what tf_keras remembers of the first call of a model."""
    specs = model.save_spec(dynamic_batch=True)
    if specs is None:
        return None
    (first, *others), named = specs
    return None if others or named else first
