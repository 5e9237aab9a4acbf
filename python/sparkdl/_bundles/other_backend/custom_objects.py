"""Users' classes and functions that a model is made of: by name, for the process that loads it.

A file of Keras has their names only. The process that wrote it knows the names, since its program
defines the classes; for another one they are custom objects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from sparkdl._models.files.keras_file import read_keras_file
from sparkdl._models.libraries import keras, other_backend
from sparkdl._models.live_keras import save_keras
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from keras import Model

_LAMBDA = "<lambda>"


def save_with_objects(model: Model, file: Path) -> dict[str, Any]:
    """Write a live model as a .keras file; return the custom objects that loading it takes.

    Raises
    ------
    InvalidModelException
        Keras cannot write it.
    """
    parts = _parts(model)
    # Keras would write a lambda's bytecode, which no longer knows what its names mean.
    lambdas = {f"sparkdl_lambda_{i}": f for i, f in enumerate(filter(_is_lambda, parts))}
    try:
        with _rename(lambdas):
            save_keras(model, file)
    except Exception as e:  # Keras raises many kinds
        raise InvalidModelException(
            f"Keras runs on {other_backend()!r} here, so the model has to go as a .keras file to a "
            f"process in which it runs on TensorFlow, and Keras cannot write that file: {e} Fix "
            "that (custom layers need get_config, for example), or set KERAS_BACKEND=tensorflow in "
            "the environment before Python starts."
        ) from e
    objects = {**_registered_objects(), **_custom_classes(parts), **lambdas}
    return _select(objects, read_keras_file(file).config)


def objects_of_file(file: Path, custom_objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the custom objects that a file takes: the user's, and those that are registered."""
    registered = (
        _select(_registered_objects(), read_keras_file(file).config) if file.is_file() else {}
    )
    return {**custom_objects, **registered}


def _registered_objects() -> dict[str, Any]:
    modules = [keras(), *filter(None, [sys.modules.get("tf_keras")])]
    return {n: o for m in modules for n, o in m.saving.get_custom_objects().items()}


def _select(objects: Mapping[str, Any], config: object) -> dict[str, Any]:
    names = set(_strings(config))
    return {name: objects[name] for name in objects if name in names}


def _strings(config: object) -> Iterator[str]:
    """Yield all texts in a configuration except those about training, which are not loaded."""
    if isinstance(config, str):
        yield config
    elif isinstance(config, Mapping):
        for key, value in config.items():
            if key != "compile_config":
                yield from _strings(value)
    elif isinstance(config, list):
        for value in config:
            yield from _strings(value)


def _parts(model: object) -> list[Any]:
    """Return a model, what Keras can save of its attributes, and functions, however deep."""
    seen: dict[int, Any] = {}
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen[id(part)] = part
            waiting.extend(_attributes(part))
    return [p for p in seen.values() if isinstance(p, FunctionType) or _is_saved(p)]


def _attributes(part: object) -> Iterable[Any]:
    if isinstance(part, Mapping):
        return list(part.values())
    if isinstance(part, (list, tuple, set, frozenset)):
        return list(part)
    return list(vars(part).values()) if _is_saved(part) and hasattr(part, "__dict__") else []


def _is_saved(part: object) -> bool:
    return hasattr(type(part), "get_config")


def _is_lambda(part: object) -> bool:
    return isinstance(part, FunctionType) and part.__name__ == _LAMBDA


def _custom_classes(parts: Sequence[Any]) -> dict[str, Any]:
    """Return the classes and functions that are not Keras' own, by their names in files."""
    classes = [p if isinstance(p, FunctionType) else type(p) for p in parts]
    custom = [f for f in classes if f.__module__.split(".")[0] != "keras"]
    registered = keras().saving.get_registered_name
    return {name: f for f in custom for name in (f.__name__, registered(f))}


@contextmanager
def _rename(functions: Mapping[str, Any]) -> Iterator[None]:
    """Give lambdas names for a block, so that Keras writes these."""
    try:
        for name, function in functions.items():
            function.__name__ = name
        yield
    finally:
        for function in functions.values():
            function.__name__ = _LAMBDA
