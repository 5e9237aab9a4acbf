"""TensorFlow and Keras, imported when a model is converted and not before."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from sparkdl.errors import SettingsException


def tensorflow() -> Any:
    """Return the module `tensorflow`, or say how to install it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return _module("tensorflow")


def eagerly() -> AbstractContextManager[None]:
    """Leave, for a block, the graph of TensorFlow 1 that the caller may be building.

    Keras loads and traces models only where operations are carried out at once.
    """
    tensorflow()
    context = import_module("tensorflow.python.eager.context")
    scope: AbstractContextManager[None] = context.eager_mode()
    return scope


def keras() -> Any:
    """Return the module `keras`, running on TensorFlow, or say how to install it."""
    tensorflow()
    module = _module("keras")
    backend = module.config.backend()
    if backend != "tensorflow":
        raise SettingsException(
            f"Converting a model needs Keras on TensorFlow, but Keras runs on {backend!r}. Set "
            "KERAS_BACKEND=tensorflow in the environment before Python starts."
        )
    return module


def tf_keras() -> Any:
    """Return the module `tf_keras`, which is Keras 2, or say how to install it."""
    tensorflow = _module("tensorflow")
    try:
        return import_module("tf_keras")
    except ModuleNotFoundError as e:
        if e.name != "tf_keras":
            raise
        version = ".".join(tensorflow.__version__.split(".")[:2])
        raise SettingsException(
            "Keras 2 wrote this model, and Keras 2 loads it: it lives on as tf_keras, which is not "
            f"installed. Install it: pip install tf_keras~={version}.0."
        ) from None


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as e:
        if e.name != name:
            raise
        raise SettingsException(
            f"Converting a model needs {name}, which is not installed. "
            "Install it: pip install 'sparkdl[tensorflow]'. "
            "(Running a bundle that exists already does not need it.)"
        ) from None
