"""Losses and metrics of Keras as configurations, which make the same again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
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
