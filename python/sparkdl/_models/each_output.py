"""Values that a user sets for all outputs of a model, or for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sparkdl._models.model_ends import End


def each(value: object, function: Callable[[Any], Any]) -> Any:
    """Apply a function to the value for all outputs, or to each of a list or dict.

    A dict with a "class_name" is a configuration of Keras, and None stays None.
    """
    if isinstance(value, (list, tuple)):
        return [each(v, function) for v in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {k: each(v, function) for k, v in value.items()}
    return None if value is None else function(value)


def for_each_output(value: object, ends: Sequence[End]) -> list[Any]:
    """Return the part of a value that is for each output, by the rules of Keras.

    A list has one element per output, by their places; a dict is by layer, or as nested as the
    outputs, where the value for a container is for all outputs in it.
    """
    plain = each(value, lambda one: one)
    if isinstance(plain, list) and len(plain) == len(ends) and not any(map(_is_nested, plain)):
        return [plain[end.place] for end in ends]
    outermost = {end.path[0] for end in ends if end.path}
    if isinstance(plain, dict) and _is_nested(plain) and not outermost & plain.keys():
        return [plain.get(end.layer) for end in ends]
    return [_value_at(plain, end.path) for end in ends]


def _value_at(value: Any, path: Sequence[Any]) -> Any:
    """Return the value at a path, or above it; None if there is none, which Keras will report."""
    for key in path:
        if not _is_nested(value):
            return value
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value[0] if isinstance(value, list) and value else value  # several losses of one output


def _is_nested(value: object) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and "class_name" not in value)
