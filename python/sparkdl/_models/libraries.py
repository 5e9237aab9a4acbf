"""TensorFlow and Keras, imported when a model is converted or trained, and not before."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sparkdl.errors import SettingsException


def tensorflow() -> Any:
    """Return the module `tensorflow`, or say how to install it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return _import("tensorflow")


def eagerly() -> AbstractContextManager[None]:
    """Leave, for a block, the graph of TensorFlow 1 and its switches (`disable_v2_behavior`).

    Keras loads and traces models only where operations run eagerly, on shapes of TensorFlow 2.
    """
    tensorflow()
    from sparkdl._models.tensorflow_behavior import tensorflow_2_behavior

    return tensorflow_2_behavior()


def keras() -> Any:
    """Return the module `keras`, on whichever backend it runs, or say how to install it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return _import("keras")


def other_backend() -> str | None:
    """Return what Keras runs on in this process; None if on TensorFlow, or if there is no Keras."""
    if "keras" not in sys.modules and find_spec("keras") is None:
        return None
    backend = str(keras().config.backend())
    return None if backend == "tensorflow" else backend


def keras_to_train() -> Any:
    """Return the module `keras` if it runs on TensorFlow, or say how to make it do so."""
    backend = other_backend()
    if backend is not None:
        raise SettingsException(
            f"Training needs Keras on TensorFlow, but Keras runs on {backend!r} in this program. "
            "Set KERAS_BACKEND=tensorflow in the environment before Python starts, or "
            '"backend": "tensorflow" in ~/.keras/keras.json. (Models are converted whichever '
            "backend Keras runs on.)"
        )
    return keras()


def tf_keras() -> Any:
    """Return the module `tf_keras`, which is Keras 2, or say how to install it."""
    tensorflow = _import("tensorflow")
    try:
        return import_module("tf_keras")
    except ModuleNotFoundError as e:
        if e.name != "tf_keras":
            raise
        version = ".".join(tensorflow.__version__.split(".")[:2])
        raise SettingsException(
            "Keras 2 wrote this model, and Keras 2 has to load it: it lives on as tf_keras, which "
            f"is not installed. Install it: pip install tf_keras~={version}.0."
        ) from None


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as e:
        if e.name not in (name, "tensorflow"):  # which Keras imports
            raise
        raise SettingsException(
            f"This needs {e.name}, which is not installed: TensorFlow and Keras convert and train "
            "models, and trace functions of tensors. Install them: pip install "
            "'sparkdl-py[tensorflow]'. (Applying a bundle that exists already does without them.)"
        ) from None
