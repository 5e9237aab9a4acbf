"""Optimizers, losses and metrics of Keras as configurations, from which they are made again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any


def configuration(value: object, serialize: Callable[[Any], Any]) -> Any:
    """Return the configuration of a live loss or metric, with all arguments of its class.

    Keras leaves some out, such as the `delta` of Huber and the `axis` of CosineSimilarity: its
    configuration would make another loss.
    """
    config = serialize(value)
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


def optimizer_of(value: object) -> Any:
    """Return the optimizer of a name, of a configuration, or itself.

    Raises
    ------
    ValueError, TypeError
        Keras does not know it.
    """
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
