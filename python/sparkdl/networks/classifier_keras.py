"""A classifier of images as one Keras model: pixels, network, head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._models.libraries import keras
from sparkdl._places.places import local_copy
from sparkdl.errors import InvalidModelException
from sparkdl.networks.named_models import named_model

if TYPE_CHECKING:
    from keras import Model
    from keras.layers import Layer

# Keys in the manifest of a classifier's bundle. Where a named network was not trained, the bundle
# keeps the head only: Keras has the network's weights, and they are large.
BASE, WEIGHTS, KERAS_FILE_CONTENT = "base", "weights", "keras file"
HEAD, WHOLE = "head", "whole"
INPUT_SIZE = "input size"  # "150x150", if it is not the usual one
HEAD_EPOCHS = "head epochs"  # how many of the history, if the network was trained after the head


# The layers of a classifier that stand beside the network.
LAYERS = IMAGES, FLOATS, PIXELS, CLASSIFIER = "images", "floats", "pixels", "head"


def whole_model(
    network: Model,
    pixels: Layer | None,
    head: Model,
    changes: Sequence[Any] = (),
    dtype: str = "float32",
) -> Any:
    """Return a model from RGB images [rows, height, width, 3] of 0 to 255 to probabilities.

    Parameters
    ----------
    network : Model
        It is called as in inference: its batch norms use their moving statistics.
    pixels : keras.layers.Layer or None
        What scales the pixels first.
    head : Model
        From features to probabilities.
    changes : list of keras.layers.Layer
        Changes of the images, in training only.
    dtype : str
        The type of the images: float32 or uint8.
    """
    layers = keras().layers
    x = inputs = keras().Input(network.inputs[0].shape[1:], name=IMAGES, dtype=dtype)
    if dtype != "float32":
        x = layers.Rescaling(1.0, name=FLOATS)(x)
    for layer in [*changes, *([] if pixels is None else [pixels])]:
        x = layer(x)
    return keras().Model(inputs, head(network(x, training=False)), name="classifier")


def pixel_layer(mode: str) -> Any:
    """Return the layer for a mode of `imagenet_utils.preprocess_input`; None for "none"."""
    if mode == "none":
        return None
    prepare = import_module("keras.applications.imagenet_utils").preprocess_input
    return layer_of(lambda pixels: prepare(pixels, mode=mode))


def layer_of(prepare: Callable[[Any], Any]) -> Any:
    """Return a convolution that does what a function does to pixels; None if that is nothing.

    All of Keras' functions scale and shift channels, or swap them. Unlike the functions, the
    layer is saved with the model.
    """

    def of(red: float, green: float, blue: float) -> Any:
        return np.asarray(prepare(np.array([[[[red, green, blue]]]], "float32"))).reshape(3)

    zero = of(0, 0, 0)
    kernel = np.stack([(of(*channel) - zero) / 255 for channel in 255 * np.eye(3)])
    if np.allclose(kernel, np.eye(3)) and np.allclose(zero, 0):
        return None
    layer = keras().layers.Conv2D(3, 1, name=PIXELS, trainable=False)
    layer.build((None, None, None, 3))
    layer.set_weights([kernel.reshape(1, 1, 3, 3), zero])
    return layer


def named_network(name: str, weights: str, size: Sequence[int] | None = None) -> tuple[Any, Any]:
    """Return a named network without its top, pooled, and the layer for its pixels.

    Raises
    ------
    InvalidModelException
        There is no Keras model: it comes with sparkdl as a graph, or the weights are a bundle.
    ModelNotFoundException
        The weights are no longer there.
    """
    from sparkdl.networks.model_weights import share_weights, with_weights

    model = named_model(name, size)
    bundle = None if weights == "imagenet" else local_copy(weights)
    if model.keras is None or (bundle is not None and bundle.is_dir()):
        what = f"{name} comes with sparkdl" if model.keras is None else f"its weights are {weights}"
        raise InvalidModelException(
            f"There is no Keras model of this {name}: {what}, a bundle, whose graph has constants "
            "and no layers. Use imagenet or a weights file of Keras as weights, or a custom "
            "network (model=...)."
        )
    weighted = with_weights(model, weights)
    if weighted.whole is not None:  # its weights begin with those of the network without top
        share_weights(weighted.whole, weighted.bare)
    module = import_module(f"keras.applications.{model.keras.split('.')[0]}")
    return weighted.bare, layer_of(module.preprocess_input)


def with_network(head: Model, record: Mapping[str, str]) -> Any:
    """Return the whole model of a bundle that keeps its head only."""
    size = [int(n) for n in record[INPUT_SIZE].split("x")] if INPUT_SIZE in record else None
    network, pixels = named_network(record[BASE], record[WEIGHTS], size)
    return whole_model(network, pixels, head)
