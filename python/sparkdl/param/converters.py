"""Converters of param values: they refuse, when a param is set, what the JVM would refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.ml.param import TypeConverters

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

    def choice(value: Any) -> str:
        text = TypeConverters.toString(value)
        if text not in allowed:
            raise SparkDLException(
                f"Unknown {name} '{text}'. Expected one of: {', '.join(allowed)}."
            )
        return text

    return choice


def at_least_one(name: str) -> Callable[[Any], int]:
    """Return a converter that accepts whole numbers of at least 1 only."""

    def count(value: Any) -> int:
        number = TypeConverters.toInt(value)
        if number < 1:
            raise SparkDLException(f"{name} must be at least 1, got {number}.")
        return number

    return count


def model_name(value: Any) -> str:
    """Accept names of the table of models only."""
    from sparkdl.named import named_model

    return named_model(TypeConverters.toString(value)).name


def path(value: Any) -> str:
    """Accept paths as text or as `os.PathLike`."""
    import os

    return TypeConverters.toString(os.fspath(value) if isinstance(value, os.PathLike) else value)
