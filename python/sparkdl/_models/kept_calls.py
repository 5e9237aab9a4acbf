"""What a subclassed model was called with, kept in its file.

Keras keeps shapes, of several arguments the first one's only, and builds a model that it loads for
floats. With the types and all arguments, the model of a file is the one that was saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sparkdl._models.called_models import called_with, remember_call, takes_by_name, trace
from sparkdl._models.live_keras import is_tf_keras
from sparkdl._models.overridden import overrides

_ONE, _SEVERAL = "input_shape", "shapes_dict"  # Keras' own keys of a `build_config`
_DTYPES, _NAMES = "sparkdl_dtypes", "sparkdl_names"
_SUFFIX = "_shape"  # of Keras, behind the names of arguments


@contextmanager
def call_kept(model: Any) -> Iterator[None]:
    """Have Keras write, for a block, what a model was called with into the model's file."""
    config = _build_config(model)
    if config is None:
        yield
        return
    model.get_build_config = lambda: config
    try:
        yield
    finally:
        del model.get_build_config


def _build_config(model: Any) -> dict[str, Any] | None:
    own = overrides(model, "get_build_config") or overrides(model, "build_from_config")
    if own or is_tf_keras(model) or getattr(model, "inputs", None) is not None:
        return None
    inputs = called_with(model)
    if inputs is None:
        return None
    shapes = _each(inputs, lambda tensor: list(tensor.shape))
    if takes_by_name(model, inputs):
        built_for = {_SEVERAL: {name + _SUFFIX: shape for name, shape in shapes.items()}}
    else:
        built_for = {_ONE: shapes}
    dtypes = _each(inputs, lambda tensor: str(tensor.dtype))
    return {**built_for, _DTYPES: dtypes, _NAMES: _each(inputs, lambda tensor: tensor.name)}


def build_as_kept(model: Any) -> None:
    """Have a model that was just made from a file be built, when Keras does so, as it was called.

    Files that Keras alone has written say nothing of that.
    """
    if overrides(model, "build_from_config") or getattr(model, "inputs", None) is not None:
        return

    def build(config: Mapping[str, Any]) -> None:
        del model.build_from_config
        if _DTYPES not in config:
            model.build_from_config(config)
            return
        shapes = config.get(_ONE) or {
            name.removesuffix(_SUFFIX): shape for name, shape in config[_SEVERAL].items()
        }
        inputs = _tensors(shapes, config[_DTYPES], config[_NAMES])
        trace(model, inputs)
        remember_call(model, inputs)

    model.build_from_config = build


def _each(structure: Any, of: Callable[[Any], Any]) -> Any:
    """Return a structure with something else in place of its tensors, in the order as written."""
    if isinstance(structure, Mapping):
        return {key: _each(part, of) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_each(part, of) for part in structure]
    return of(structure)


def _tensors(shapes: Any, dtypes: Any, names: Any) -> Any:
    from keras import KerasTensor

    if isinstance(dtypes, Mapping):
        return {key: _tensors(shapes[key], dtypes[key], names[key]) for key in dtypes}
    if isinstance(dtypes, list):
        return [_tensors(*parts) for parts in zip(shapes, dtypes, names, strict=True)]
    return KerasTensor((None, *shapes[1:]), dtypes, name=names)
