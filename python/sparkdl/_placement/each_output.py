"""What is given for all outputs of a model, or for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sparkdl._models.model_ends import End


def each(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to what is given for all outputs, or by list or dict for each.

    A dict with a "class_name" is a configuration of Keras, and None stays.
    """
    if isinstance(value, (list, tuple)):
        return [each(v, function) for v in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {k: each(v, function) for k, v in value.items()}
    return None if value is None else function(value)


def of_each(value: Any, ends: Sequence[End]) -> list[Any]:
    """Return what of a value is for each output, as Keras has it.

    A list has one element per output, by their places; a dict is by layer, or as nested as the
    outputs, where what is given for a container is for all in it.
    """
    plain = each(value, lambda one: one)
    if isinstance(plain, list) and len(plain) == len(ends) and not any(map(_nested, plain)):
        return [plain[end.place] for end in ends]
    outermost = {end.path[0] for end in ends if end.path}
    if isinstance(plain, dict) and _nested(plain) and not outermost & plain.keys():
        return [plain.get(end.layer) for end in ends]
    return [_at(plain, end.path) for end in ends]


def _at(value: Any, path: Sequence[Any]) -> Any:
    """Return what lies at a path, or above its end; None where nothing does, as Keras will say."""
    for key in path:
        if not _nested(value):
            return value
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value[0] if isinstance(value, list) and value else value  # several losses of one output


def _nested(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and "class_name" not in value)
