"""Methods of Keras that the class of a model replaces."""

from __future__ import annotations

_OF_KERAS = ("keras", "tf_keras")


def overrides(model: object, method: str) -> bool:
    """Say whether a model's class, or one that it extends, has a method instead of Keras' own."""
    for kind in type(model).__mro__:
        if method in vars(kind):
            return kind.__module__.split(".")[0] not in _OF_KERAS
    return False
