"""Optimizers, losses and metrics of Keras as configurations, which make the same again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any


def configuration(value: Any, serialize: Callable[[Any], Any]) -> Any:
    """Return the configuration of a live loss or metric, with all that its class takes.

    Keras leaves some out, as the `delta` of Huber and the `axis` of CosineSimilarity: what is made
    of its configuration would be another loss.
    """
    found = serialize(value)
    given = getattr(value, "_fn_kwargs", {})
    if not given or not isinstance(found, dict):
        return found
    taken = inspect.signature(type(value)).parameters
    left_out = {k: v for k, v in given.items() if k in taken}
    return {**found, "config": {**left_out, **found["config"]}}


def readable(value: Any) -> Any:
    """Return what Keras may read once: a copy of a configuration, anything else as it is.

    Keras takes out of some configurations what it has read (the optimizer in that of a
    LossScaleOptimizer), and classes of users do: nothing could be made of them a second time.
    """
    return deepcopy(dict(value)) if isinstance(value, Mapping) else value


def optimizer_of(value: Any) -> Any:
    """Return the optimizer of a name, of a configuration, or itself.

    Raises
    ------
    ValueError, TypeError
        Keras knows none.
    """
    from sparkdl._models.libraries import keras

    try:
        return keras().optimizers.get(readable(value))
    except ValueError:  # also of Lamb's configuration, which its table of optimizers lacks
        made = _deserialized(value) if isinstance(value, Mapping) else None
        if not isinstance(made, keras().optimizers.Optimizer):
            raise
        return made


def _deserialized(value: Mapping[str, Any]) -> Any:
    from sparkdl._models.libraries import keras

    return keras().saving.deserialize_keras_object(readable(value))
