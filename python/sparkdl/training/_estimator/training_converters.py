"""Converters of the params of `KerasEstimator`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pyspark.ml.param import TypeConverters

from sparkdl._models.each_output import each
from sparkdl._models.keras_arguments import LossLike, PerOutput
from sparkdl._models.keras_configuration import configuration
from sparkdl._models.libraries import keras
from sparkdl.errors import SparkDLException
from sparkdl.param.sparkdl_converters import SparkDLTypeConverters

if TYPE_CHECKING:
    from keras.callbacks import Callback

# Which metrics these are depends on the loss.
_BY_LOSS = ("accuracy", "acc", "crossentropy", "ce")


def names(value: object) -> list[str]:
    """Accept names of columns, or one name."""
    return TypeConverters.toListString([value] if isinstance(value, str) else value)


def columns(value: object) -> list[str] | dict[str, str]:
    """Accept names of columns, in an order or by the names of a model's ends, or one name."""
    if not isinstance(value, Mapping):
        return names(value)
    text = TypeConverters.toString
    return {text(end): text(column) for end, column in value.items()}


def fraction(value: object) -> float:
    """Accept numbers from 0 to less than 1."""
    number = TypeConverters.toFloat(value)
    if not 0 <= number < 1:
        raise SparkDLException(f"validationFraction must be from 0 to less than 1, got {number}.")
    return number


def seconds(value: object) -> float:
    """Accept numbers above 0."""
    number = TypeConverters.toFloat(value)
    if not number > 0:
        raise SparkDLException(f"timeout must be more than 0 seconds, got {number}.")
    return number


def padding(value: object) -> float | dict[str, float]:
    """Accept a number, or numbers by the names of inputs."""
    if isinstance(value, Mapping):
        names = TypeConverters.toString
        return {names(name): TypeConverters.toFloat(number) for name, number in value.items()}
    return TypeConverters.toFloat(value)


def losses(value: object) -> LossLike | PerOutput | None:
    """Accept a loss, or a list or dict of losses by output."""
    converted: LossLike | PerOutput | None = each(value, SparkDLTypeConverters.toKerasLoss)
    return converted


def loss_weights(value: object) -> PerOutput | None:
    """Accept lists and dicts of numbers."""
    if not isinstance(value, (list, tuple, dict)):
        raise SparkDLException(f"lossWeights must be a list (or a dict by output), got {value!r}.")
    converted: PerOutput = each(value, TypeConverters.toFloat)
    return converted


def metrics(value: object) -> PerOutput | None:
    """Accept lists and dicts of names, functions and metrics of Keras (as configurations)."""
    if not isinstance(value, (list, tuple, dict)):
        raise SparkDLException(f"metrics must be a list (or a dict by output), got {value!r}.")
    converted: PerOutput = each(value, _metric)
    return converted


def _metric(value: object) -> object:
    known = keras().metrics
    if isinstance(value, Mapping) or (isinstance(value, str) and _is_metric(value)):
        return value
    if isinstance(value, known.Metric):
        return configuration(value, known.serialize)
    if callable(value) and not isinstance(value, str):
        return value
    raise SparkDLException(
        f"Keras has no metric {value!r}. Expected a name such as 'accuracy', a function, or a "
        "metric of keras.metrics."
    )


def _is_metric(name: str) -> bool:
    try:
        return name in _BY_LOSS or keras().metrics.get(name) is not None
    except ValueError:
        return False


def callbacks(value: Iterable[Any]) -> list[Callback]:
    """Accept callbacks of Keras."""
    kind = keras().callbacks.Callback
    for one in value:
        if not isinstance(one, kind):
            raise SparkDLException(f"Expected Keras callbacks, got {type(one).__name__}: {one!r}.")
    return list(value)
