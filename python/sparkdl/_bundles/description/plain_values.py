"""Users' values as plain ones, which the JVM takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparkdl.errors import SettingsException


def plain_values(values: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Return constants by name with booleans, numbers, texts and lists only, sorted by name.

    Names may be tensors or operations; arrays become lists.

    >>> plain_values({"keep_prob": 1.0, "sizes": (1, 2)})
    {'keep_prob': 1.0, 'sizes': [1, 2]}
    """
    if values is not None and not isinstance(values, Mapping):
        raise SettingsException(
            'Expected constants as a dict from name to value, such as {"keep_prob": 1.0}, got '
            f"{values!r}."
        )
    values_by_name = {_name(n): v for n, v in (values or {}).items()}
    return {name: _plain(values_by_name[name], name) for name in sorted(values_by_name)}


def _name(placeholder: object) -> str:
    name = placeholder if isinstance(placeholder, str) else getattr(placeholder, "name", None)
    if not isinstance(name, str):
        raise SettingsException(
            f"Expected the name of a placeholder, a tensor or an operation, got {placeholder!r}."
        )
    return name


def _plain(value: object, name: str) -> Any:
    if hasattr(value, "tolist"):  # an array or a number of NumPy
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, name) for item in value]
    if not isinstance(value, (bool, int, float, str)):
        raise SettingsException(
            f"Cannot make a constant for {name!r} from {value!r} ({type(value).__name__}). "
            "Expected a boolean, a number, a text, an array, or lists of them."
        )
    return value
