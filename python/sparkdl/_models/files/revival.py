"""Classes with constructors of their own, made again from the configurations that Keras writes."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sparkdl._models.kept_calls import build_as_kept
from sparkdl._models.libraries import keras

_lock = threading.RLock()
# What Keras writes of every layer, and what a constructor without **kwargs does not take.
_OF_EVERY_LAYER = ("name", "trainable", "dtype")


@contextmanager
def revivable_objects(objects: Mapping[str, Any]) -> Iterator[None]:
    """Let Keras know custom objects for a block: classes whose constructors take what they like.

    Keras writes the name, the type and whether it is trained of each layer and model, and hands it
    to the constructor again: a subclassed model with ``def __init__(self)`` could not be loaded.
    What is registered comes first wherever Keras looks, so it is replaced for the block.
    """
    known = {name: _Revivable(o) if _is_plain(o) else o for name, o in objects.items()}
    registered = keras().saving.get_custom_objects()
    with _lock, keras().saving.custom_object_scope(known):
        own = {name: registered[name] for name in known if name in registered}
        registered.update({name: known[name] for name in own})
        try:
            yield
        finally:
            registered.update(own)


def _is_plain(custom_object: Any) -> bool:
    """Say whether it is a class that leaves it to Keras how it is made, and needs help with it."""
    if not inspect.isclass(custom_object) or not issubclass(custom_object, keras().layers.Layer):
        return False
    made: Any = custom_object
    maker = getattr(made.from_config, "__func__", made.from_config)
    if not maker.__module__.startswith("keras."):
        return False
    return issubclass(custom_object, keras().Model) or bool(_not_taken(custom_object))


def _not_taken(kind: Any) -> list[str]:
    parameters = inspect.signature(kind.__init__).parameters
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return []
    return [name for name in _OF_EVERY_LAYER if name not in parameters]


class _Revivable:
    """A class to Keras, which asks custom objects for `from_config` alone."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def from_config(self, config: Mapping[str, Any]) -> Any:
        """Return an object of the class."""
        if "input_layers" in config:  # a functional model, which Keras makes by another constructor
            return self._kind.from_config(config)
        left = {k: v for k, v in config.items() if k in _not_taken(self._kind)}
        made = self._kind.from_config({k: v for k, v in config.items() if k not in left})
        _set_attributes(made, left)
        if isinstance(made, keras().Model):
            build_as_kept(made)
        return made


def _set_attributes(layer: Any, values: Mapping[str, Any]) -> None:
    from keras import dtype_policies

    if "name" in values:
        layer.name = values["name"]
    if not values.get("trainable", True):
        layer.trainable = False
    if "dtype" in values:
        policy = dtype_policies.get(values["dtype"])
        if policy.name != layer.dtype_policy.name:
            layer.dtype_policy = policy
