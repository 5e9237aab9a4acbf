"""Optimizers, losses and metrics of Keras as configurations, from which they are made again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from typing import Any

from sparkdl._models.program_objects import named_lambdas, objects_of, parts_of, selected


class LiveConfiguration(dict[str, Any]):
    """The configuration of something live, with the classes and functions that it is made of.

    They are not saved with it: JSON has the configuration only.
    """

    objects: Mapping[str, Any] = {}


def configuration(value: object, serialize: Callable[[Any], Any]) -> Any:
    """Return the configuration of a live optimizer, loss or metric, from which it is made again."""
    parts = parts_of(value)
    with named_lambdas(parts) as lambdas:
        config = _with_all_arguments(value, serialize(value))
    if not isinstance(config, Mapping):
        return config
    live = LiveConfiguration(config)
    live.objects = {**objects_of(parts, config), **selected(lambdas, config)}
    return live


def with_objects(config: Mapping[str, Any], live: object) -> Mapping[str, Any]:
    """Return a configuration with the classes of what was made of it, where Keras' are not all."""
    if isinstance(config, LiveConfiguration):
        return config
    objects = objects_of(parts_of(live), config)
    if not objects:
        return config
    known = LiveConfiguration(config)
    known.objects = objects
    return known


def _with_all_arguments(value: object, config: Any) -> Any:
    """Return a configuration with all arguments of the class of a loss or metric.

    Keras leaves some out, such as the `delta` of Huber and the `axis` of CosineSimilarity: its
    configuration would make another loss.
    """
    arguments = getattr(value, "_fn_kwargs", {})
    if not arguments or not isinstance(config, dict):
        return config
    parameters = inspect.signature(type(value)).parameters
    missing = {k: v for k, v in arguments.items() if k in parameters}
    return {**config, "config": {**missing, **config["config"]}}


def readable(value: object) -> Any:
    """Return what Keras may read once: a copy of a configuration, anything else as it is.

    Keras removes what it has read from some configurations (the optimizer from that of a
    LossScaleOptimizer), and so do users' classes: they could not be read a second time.
    """
    return deepcopy(dict(value)) if isinstance(value, Mapping) else value


@contextmanager
def objects_in_scope(value: object) -> Iterator[None]:
    """Let Keras know, for a block, the classes of a live configuration.

    A scope of Keras hides the one around it, which a configuration without them may need.
    """
    from sparkdl._models.libraries import keras

    objects = getattr(value, "objects", None)
    with keras().saving.custom_object_scope(dict(objects)) if objects else nullcontext():
        yield


def loss_of(value: object) -> Any:
    """Return the loss of a name or configuration; a live one or a function as it is.

    Raises
    ------
    ValueError, TypeError
        Keras does not know it.
    """
    from sparkdl._models.libraries import keras

    with objects_in_scope(value):
        return keras().losses.get(readable(value))


def metric_of(value: object) -> Any:
    """Return the metric of a configuration; names stay, whose meaning depends on the loss."""
    from sparkdl._models.libraries import keras

    with objects_in_scope(value):
        return keras().metrics.deserialize(readable(value)) if isinstance(value, Mapping) else value


def optimizer_of(value: object) -> Any:
    """Return the optimizer of a name, of a configuration, or itself.

    Raises
    ------
    ValueError, TypeError
        Keras does not know it.
    """
    with objects_in_scope(value):
        return _optimizer_of(value)


def _optimizer_of(value: object) -> Any:
    from sparkdl._models.libraries import keras

    try:
        return keras().optimizers.get(readable(value))
    except ValueError:  # also of Lamb's configuration, which its table of optimizers lacks
        optimizer = _deserialize(value) if isinstance(value, Mapping) else None
        if not isinstance(optimizer, keras().optimizers.Optimizer):
            raise
        return optimizer


def _deserialize(value: Mapping[str, Any]) -> Any:
    from sparkdl._models.libraries import keras

    return keras().saving.deserialize_keras_object(readable(value))
