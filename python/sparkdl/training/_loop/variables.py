"""The variables of a model that training changes, by what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


def moving_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the float variables that the model itself changes while it trains.

    These are the weights that layers own and do not train, such as the moving averages of batch
    normalisation. Those of frozen layers do not change and are left out.
    """
    variables: dict[int, keras.Variable] = {}
    for layer in model._flatten_layers():
        if not layer.trainable:
            continue
        below = {id(w) for s in layer._flatten_layers(include_self=False) for w in s.weights}
        own = [w for w in layer.non_trainable_weights if id(w) not in below]
        variables.update((id(w), w) for w in own if is_float(w))
    return list(variables.values())


def seed_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the states of random layers: a seed and a counter each."""
    others = {id(v) for v in [*model.weights, *metric_variables(model)]}
    return [v for v in model.variables if id(v) not in others and tuple(v.shape) == (2,)]


def metric_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the states of all metrics."""
    return [v for m in model.metrics for v in m.variables]


def state_variables(model: keras.Model) -> list[keras.Variable]:
    """Return all that a state holds: weights, the optimizer's variables, seeds."""
    return [*model.weights, *model.optimizer.variables, *seed_variables(model)]


def is_float(variable: keras.Variable) -> bool:
    """Say whether a variable holds numbers that can be averaged."""
    return "float" in str(variable.dtype)


def values(variables: list[keras.Variable]) -> list[NDArray[Any]]:
    """Return what variables hold now, without a copy: should they change, they get other memory."""
    return [np.asarray(v.value.read_value()) for v in variables]


def in_groups(variables: Sequence[keras.Variable], most: int) -> Iterator[list[keras.Variable]]:
    """Yield variables in groups of so many elements at most, or of a single larger variable."""
    group: list[keras.Variable] = []
    size = 0
    for variable in variables:
        own = int(np.prod(variable.shape))
        if group and size + own > most:
            yield group
            group, size = [], 0
        group.append(variable)
        size += own
    if group:
        yield group


def split_flat(
    flat: NDArray[Any], variables: list[keras.Variable]
) -> Iterator[tuple[keras.Variable, NDArray[Any]]]:
    """Yield each variable with its value, in its shape, from an array that has all in turn."""
    at = 0
    for variable in variables:
        size = int(np.prod(variable.shape))
        yield variable, flat[at : at + size].reshape(variable.shape)
        at += size


def assign(variables: list[keras.Variable], arrays: list[NDArray[Any]]) -> None:
    """Give variables their values."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
