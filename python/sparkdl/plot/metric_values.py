"""The values of metrics after an epoch: numbers, or arrays of metrics with several results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SHOWN = 8  # numbers of a metric in a line for people


def as_keras_logs(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results of metrics as Keras passes them to callbacks.

    The items of a result that is a dict become separate entries. A single number becomes a float,
    several become an ndarray.
    """
    logs: dict[str, Any] = {}
    for name, value in sorted(results.items()):
        if isinstance(value, Mapping):
            logs.update(as_keras_logs(value))
        else:
            logs[name] = _number_or_array(np.asarray(value))
    return logs


def _number_or_array(array: NDArray[Any]) -> float | NDArray[Any]:
    """Do as Keras does: a float if NumPy makes one, which newer versions refuse for [1]."""
    try:
        return float(array)
    except TypeError:
        return _of_numpy(array)


def _of_numpy(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array with a dtype of NumPy itself, which bfloat16 is not."""
    return array if array.dtype.kind in "biuf" else array.astype("float32")


def to_json(value: ArrayLike) -> Any:
    """Return a number as a float, and an array as lists of lists of numbers."""
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array.tolist()


def to_message(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs of Keras as JSON, from which `from_message` makes the same, with their dtypes."""
    return {
        name: {"dtype": str(value.dtype), "values": value.tolist()}
        if isinstance(value, np.ndarray)
        else value
        for name, value in logs.items()
    }


def from_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the logs of `to_message`."""
    return {
        name: np.array(value["values"], value["dtype"]) if isinstance(value, Mapping) else value
        for name, value in message.items()
    }


def single_numbers(name: str, value: ArrayLike) -> Iterator[tuple[str, float]]:
    """Yield each number of a metric with its name, such as ("p[1]", 0.5) for the second of "p".

    >>> list(single_numbers("p", [0.25, 0.5])), list(single_numbers("loss", 2))
    ([('p[0]', 0.25), ('p[1]', 0.5)], [('loss', 2.0)])
    """
    array = np.asarray(value)
    for place in np.ndindex(array.shape):
        yield name + "".join(f"[{i}]" for i in place), float(array[place])


def text_of(logs: Mapping[str, Any]) -> str:
    """Return losses and metrics of an epoch as a line for people; long metrics are cut short.

    >>> text_of({"loss": 0.12345, "p": [1, 2]})
    'loss 0.1235, p[0] 1, p[1] 2'
    """
    return ", ".join(part for name, value in logs.items() for part in _parts(name, value))


def _parts(name: str, value: ArrayLike) -> Iterator[str]:
    numbers = list(single_numbers(name, value))
    yield from (f"{each} {number:.4g}" for each, number in numbers[:_SHOWN])
    if len(numbers) > _SHOWN:
        yield f"... ({len(numbers)} of {name})"
