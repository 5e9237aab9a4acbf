"""Pieces of graphs: from an image struct to a tensor, and from a tensor to a flat one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._models.libraries import tensorflow
from sparkdl.errors import SparkDLException
from sparkdl.graph.builder import GraphFunction, IsolatedSession

if TYPE_CHECKING:
    import tensorflow as tf


def buildSpImageConverter(channelOrder: str, img_dtype: str) -> GraphFunction:
    """Return the function from the fields of one image struct to a batch of this image.

    Parameters
    ----------
    channelOrder : {"RGB", "BGR", "L"}
        The channels of the batch, with alpha last if the image has it. "L" is one grey channel,
        made from colours as in television (0.299 red, 0.587 green, 0.114 blue).
    img_dtype : {"uint8", "float32"}
        What the struct's `data` holds.

    Returns
    -------
    GraphFunction
        From the scalars "height", "width", "nChannels" (int32) and "data" (string: pixels
        [height, width, nChannels] in BGR(A) order) to "image_input", float32
        [1, height, width, channels] with the values of `data`.
    """
    if img_dtype not in ("uint8", "float32"):
        raise SparkDLException(f"Unknown img_dtype {img_dtype!r}. Expected uint8 or float32.")
    if channelOrder not in ("RGB", "BGR", "L"):
        raise SparkDLException(f"Unknown channelOrder {channelOrder!r}. Expected RGB, BGR or L.")
    tf = tensorflow()
    with IsolatedSession() as issn:
        scalar = tf.compat.v1.placeholder
        height, width, channels = (
            scalar(tf.int32, [], name=name) for name in ("height", "width", "nChannels")
        )
        data = scalar(tf.string, [], name="data")
        values = tf.cast(tf.io.decode_raw(data, tf.as_dtype(img_dtype)), tf.float32)
        image = tf.reshape(values, [1, height, width, channels])
        if channelOrder == "RGB":
            image = reversed_channels(image)
        elif channelOrder == "L":
            image = _grey(image)
        image.set_shape([1, None, None, 1 if channelOrder == "L" else None])
        result = tf.identity(image, name="image_input")
        return issn.asGraphFunction([height, width, channels, data], [result])


def reversed_channels(image: tf.Tensor) -> tf.Tensor:
    """Reverse the first three of the last dimension, so that alpha stays last."""
    tf = tensorflow()
    count = tf.shape(image)[-1]
    places = tf.range(count)
    order = tf.where(places < 3, tf.minimum(count, 3) - 1 - places, places)
    return tf.gather(image, order, axis=-1)


def _grey(image: tf.Tensor) -> tf.Tensor:
    tf = tensorflow()
    # A grey image is repeated to three equal colours, whose weights add up to 1.
    colours = tf.gather(image, tf.minimum(tf.range(3), tf.shape(image)[-1] - 1), axis=-1)
    return tf.reduce_sum(colours * [0.114, 0.587, 0.299], axis=-1, keepdims=True)


def buildFlattener() -> GraphFunction:
    """Return the function from "input", float32 [rows, columns], to "output", all in one row."""
    tf = tensorflow()
    with IsolatedSession() as issn:
        matrix = tf.compat.v1.placeholder(tf.float32, [None, None], name="input")
        flat = tf.reshape(matrix, [-1], name="output")
        return issn.asGraphFunction([matrix], [flat])
