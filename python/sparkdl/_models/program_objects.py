"""Classes and functions of a program that something of Keras is made of, and how they travel.

A configuration of Keras has their names only. The process that wrote it knows the names, since its
program defines the classes; another one gets the classes themselves, by cloudpickle, as Spark takes
functions along, and hands them to Keras as custom objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from sparkdl._models.libraries import keras

_LAMBDA = "<lambda>"
_names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
_numbers = count()


def parts_of(value: object) -> list[Any]:
    """Return a value, what Keras can save of its attributes, and functions, however deep."""
    seen: dict[int, Any] = {}
    waiting = [value]
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


@contextmanager
def named_lambdas(parts: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Give the lambdas among the parts names for a block, so that Keras writes these; yield them.

    Keras would write a lambda's bytecode, which no longer knows what its names mean.
    """
    lambdas = {_name_of(p): p for p in parts if _is_lambda(p)}
    try:
        for name, function in lambdas.items():
            function.__name__ = name
        yield lambdas
    finally:
        for function in lambdas.values():
            function.__name__ = _LAMBDA


def _is_lambda(part: object) -> bool:
    return isinstance(part, FunctionType) and part.__name__ == _LAMBDA


def _name_of(function: FunctionType) -> str:
    """Return the name of a lambda, which no other one of this process has."""
    if function not in _names:
        _names[function] = f"sparkdl_lambda_{next(_numbers)}"
    return _names[function]


def objects_of(parts: Sequence[Any], config: object) -> dict[str, Any]:
    """Return the custom objects that reading a configuration takes, which was made of the parts."""
    return {**known_objects(keras(), config), **selected(custom_classes(parts), config)}


def known_objects(library: ModuleType, config: object) -> dict[str, Any]:
    """Return what a configuration names and a Keras knows: registered, or of a scope around."""
    known = {name: library.saving.get_registered_object(name) for name in set(_strings(config))}
    return {name: found for name, found in known.items() if found is not None}


def custom_classes(parts: Sequence[Any]) -> dict[str, Any]:
    """Return the classes and functions that are not Keras' own, by their names in files."""
    classes = [p if isinstance(p, FunctionType) else type(p) for p in parts]
    custom = [f for f in classes if f.__module__.split(".")[0] != "keras"]
    registered = keras().saving.get_registered_name
    return {name: f for f in custom for name in (f.__name__, registered(f))}


def selected(objects: Mapping[str, Any], config: object) -> dict[str, Any]:
    """Return the objects that a configuration names."""
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
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _strings(value)
