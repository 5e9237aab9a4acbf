"""The variables of a model that training changes, by what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def moving(model: Any) -> list[Any]:
    """Return the float variables that the model itself changes while it trains.

    These are the weights that layers own and do not train, such as the moving averages of batch
    normalisation. Those of frozen layers do not change and are left out.
    """
    found: dict[int, Any] = {}
    for layer in model._flatten_layers():
        if not layer.trainable:
            continue
        below = {id(w) for s in layer._flatten_layers(include_self=False) for w in s.weights}
        own = [w for w in layer.non_trainable_weights if id(w) not in below]
        found.update((id(w), w) for w in own if is_float(w))
    return list(found.values())


def seeds(model: Any) -> list[Any]:
    """Return the states of random layers: a seed and a counter each."""
    others = {id(v) for v in [*model.weights, *metric_variables(model)]}
    return [v for v in model.variables if id(v) not in others and tuple(v.shape) == (2,)]


def metric_variables(model: Any) -> list[Any]:
    """Return the states of all metrics."""
    return [v for m in model.metrics for v in m.variables]


def kept(model: Any) -> list[Any]:
    """Return all that a state holds: weights, the optimizer's variables, seeds."""
    return [*model.weights, *model.optimizer.variables, *seeds(model)]


def is_float(variable: Any) -> bool:
    """Say whether a variable holds numbers that can be averaged."""
    return "float" in str(variable.dtype)


def values(variables: list[Any]) -> list[Any]:
    """Return the values of variables as arrays."""
    return [np.asarray(v.value) for v in variables]


def parts(flat: Any, variables: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Give each variable with its part, in its shape, of an array that has all one by one."""
    at = 0
    for variable in variables:
        size = int(np.prod(variable.shape))
        yield variable, flat[at : at + size].reshape(variable.shape)
        at += size


def assign(variables: list[Any], arrays: list[Any]) -> None:
    """Give variables their values."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
