"""Classes and functions of users that a model is made of: by name, for the process that loads it.

A file of Keras has their names only. In the process that wrote it the names are known, since its
program defines the classes; in another one they are custom objects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

from sparkdl._models.files.keras_file import read_keras_file
from sparkdl._models.libraries import keras, other_backend
from sparkdl._models.live_keras import save_keras
from sparkdl.errors import InvalidModelException

_LAMBDA = "<lambda>"


def saved(model: Any, file: Path) -> dict[str, Any]:
    """Write a live model as a .keras file; return the custom objects that loading it takes.

    Raises
    ------
    InvalidModelException
        Keras cannot write it.
    """
    parts = _parts(model)
    # Of a lambda Keras would write the bytecode, which has lost what its names mean.
    lambdas = {f"sparkdl_lambda_{i}": f for i, f in enumerate(filter(_is_lambda, parts))}
    try:
        with _renamed(lambdas):
            save_keras(model, file)
    except Exception as e:  # Keras raises many kinds
        raise InvalidModelException(
            f"Keras runs on {other_backend()!r} here, so that the model goes as a .keras file to a "
            f"process where it runs on TensorFlow, and Keras cannot write that file: {e} Mend that "
            "(custom layers need get_config, say), or set KERAS_BACKEND=tensorflow in the "
            "environment before Python starts."
        ) from e
    known = {**_registered(), **_named(parts), **lambdas}
    return _needed(known, read_keras_file(file).config)


def objects_of_file(file: Path, custom_objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the custom objects that a file takes: the user's, and those that are registered."""
    registered = _needed(_registered(), read_keras_file(file).config) if file.is_file() else {}
    return {**custom_objects, **registered}


def _registered() -> dict[str, Any]:
    modules = [keras(), *filter(None, [sys.modules.get("tf_keras")])]
    return {n: o for m in modules for n, o in m.saving.get_custom_objects().items()}


def _needed(known: Mapping[str, Any], config: Any) -> dict[str, Any]:
    names = set(_texts(config))
    return {name: known[name] for name in known if name in names}


def _texts(config: Any) -> Iterator[str]:
    """Give all texts in a configuration, but for those about training, which is not loaded."""
    if isinstance(config, str):
        yield config
    elif isinstance(config, Mapping):
        for key, value in config.items():
            if key != "compile_config":
                yield from _texts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _texts(value)


def _parts(model: Any) -> list[Any]:
    """Return a model, what Keras can save of its attributes, and functions, however deep."""
    seen: dict[int, Any] = {}
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen[id(part)] = part
            waiting.extend(_attributes(part))
    return [p for p in seen.values() if isinstance(p, FunctionType) or _is_saved(p)]


def _attributes(part: Any) -> Iterable[Any]:
    if isinstance(part, Mapping):
        return list(part.values())
    if isinstance(part, (list, tuple, set, frozenset)):
        return list(part)
    return list(vars(part).values()) if _is_saved(part) and hasattr(part, "__dict__") else []


def _is_saved(part: Any) -> bool:
    return hasattr(type(part), "get_config")


def _is_lambda(part: Any) -> bool:
    return isinstance(part, FunctionType) and part.__name__ == _LAMBDA


def _named(parts: Sequence[Any]) -> dict[str, Any]:
    """Return the classes and functions that are not Keras' own by the names that files have."""
    found = [p if isinstance(p, FunctionType) else type(p) for p in parts]
    own = [f for f in found if f.__module__.split(".")[0] != "keras"]
    registered = keras().saving.get_registered_name
    return {name: f for f in own for name in (f.__name__, registered(f))}


@contextmanager
def _renamed(functions: Mapping[str, Any]) -> Iterator[None]:
    """Give lambdas names for a block, so that Keras writes these."""
    try:
        for name, function in functions.items():
            function.__name__ = name
        yield
    finally:
        for function in functions.values():
            function.__name__ = _LAMBDA
