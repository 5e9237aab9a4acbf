"""Converters of param values: they refuse, when a param is set, what the JVM would refuse."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.ml.param import TypeConverters

from sparkdl._old_names import old_names_of
from sparkdl._places.held_folders import holding
from sparkdl._places.places import path_text
from sparkdl.errors import SparkDLException

SCALE_HINTS = (
    "SCALE_AREA_AVERAGING",
    "SCALE_SMOOTH",
    "SCALE_DEFAULT",
    "SCALE_FAST",
    "SCALE_REPLICATE",
)


def one_of(name: str, allowed: Sequence[str]) -> Callable[[Any], str]:
    """Return a converter that accepts these texts only."""

    def choice(value: object) -> str:
        text = TypeConverters.toString(value)
        if text not in allowed:
            raise SparkDLException(
                f"Unknown {name} '{text}'. Expected one of: {', '.join(allowed)}."
            )
        return text

    return choice


def at_least_one(name: str) -> Callable[[Any], int]:
    """Return a converter that accepts whole numbers of at least 1 only."""
    return at_least(name, 1)


def at_least(name: str, least: int) -> Callable[[Any], int]:
    """Return a converter that accepts whole numbers of at least `least` only."""

    def count(value: object) -> int:
        number = TypeConverters.toInt(value)
        if number < least:
            raise SparkDLException(f"{name} must be at least {least}, got {number}.")
        return number

    return count


def model_name(value: object) -> str:
    """Accept names of the table of models only."""
    from sparkdl.networks.named_models import named_model

    return named_model(TypeConverters.toString(value)).name


def input_size(value: object) -> list[int]:
    """Accept a height and a width."""
    size = TypeConverters.toListInt(value)
    if len(size) != 2 or min(size) < 1:
        raise SparkDLException(f"inputSize is [height, width], both at least 1; got {value!r}.")
    return size


input_size.__name__ = "toListInt"  # pyspark asks the name whether it is a list


def path(value: object) -> str:
    """Accept paths as text or as `os.PathLike`; the param holds what this process has made."""
    text = path_text(value) if isinstance(value, os.PathLike) else value
    return holding(TypeConverters.toString(text))


def graph(value: object) -> str:
    """Accept a `TFInputGraph`, whose bundle is taken, or the path of a model."""
    bundle = getattr(value, "bundle", None)
    if bundle is None and not isinstance(value, (str, os.PathLike)):
        raise SparkDLException(
            f"Cannot take a graph from a {type(value).__name__}. Expected a sparkdl.TFInputGraph "
            "(its from... functions make one of any graph or model), or the path of a bundle, a "
            "SavedModel or a frozen graph (.pb)."
        )
    return path(value if bundle is None else bundle)


def names(value: object) -> dict[str, str]:
    """Accept pairs of names, as a dict or a list, and sort them; a tensor stands for its name."""
    pairs: Any = value.items() if isinstance(value, Mapping) else value
    try:
        pairs_of_names = {_name(first): _name(second) for first, second in pairs}
    except (TypeError, ValueError) as e:
        raise SparkDLException(
            f"Expected names as a dict such as {{'column': 'tensor:0'}}, got {value!r}."
        ) from e
    return dict(sorted(pairs_of_names.items()))


def tensor(value: object) -> str:
    """Accept the name of a tensor or operation, or the tensor or operation itself."""
    return _name(value)


def size(value: object) -> list[int]:
    """Accept a height and a width in pixels."""
    numbers = TypeConverters.toListInt(value)
    if len(numbers) != 2 or min(numbers) < 1:
        raise SparkDLException(
            f"targetSize must be height and width in pixels, each at least 1, got {numbers}."
        )
    return numbers


size.__name__ = "toListOfHeightAndWidth"  # pyspark asks the name whether the value is a list


def _name(value: object) -> str:
    text = value if isinstance(value, str) else getattr(value, "name", None)
    if not isinstance(text, str):
        raise TypeError(f"{value!r} is not a name")
    return text


__getattr__ = old_names_of(__name__)
