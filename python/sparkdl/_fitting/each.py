"""What is given for all outputs of a model, or for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def each(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to what is given for all outputs, or by list or dict for each.

    A dict with a "class_name" is a configuration of Keras, and None stays.
    """
    if isinstance(value, (list, tuple)):
        return [each(v, function) for v in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {k: each(v, function) for k, v in value.items()}
    return None if value is None else function(value)
