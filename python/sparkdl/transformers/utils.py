"""Placeholders and numbers that graphs on images share."""

from __future__ import annotations

from typing import Any

from sparkdl._models.libraries import tensorflow
from sparkdl.errors.builtin_errors import WrongStateException

IMAGE_INPUT_PLACEHOLDER_NAME = "sparkdl_image_input"


def imageInputPlaceholder(nChannels: int | None = None) -> Any:
    """Return a placeholder for a batch of images, which `TFImageTransformer` takes as its input.

    Parameters
    ----------
    nChannels : int, optional
        How many channels the images have.

    Returns
    -------
    tf.Tensor
        float32 [batch, height, width, nChannels] named "sparkdl_image_input", in the default graph.

    Raises
    ------
    AssertionError
        There is no graph to add it to.

    Examples
    --------
    >>> with IsolatedSession() as issn:  # doctest: +SKIP
    ...     images = imageInputPlaceholder(3)
    """
    tf = tensorflow()
    if tf.executing_eagerly():
        raise WrongStateException(
            "A placeholder needs a graph. Call this within sparkdl.graph.builder.IsolatedSession() "
            "or `with tf.Graph().as_default():`."
        )
    return tf.compat.v1.placeholder(
        tf.float32, [None, None, None, nChannels], name=IMAGE_INPUT_PLACEHOLDER_NAME
    )


class ImageNetConstants:
    """Numbers of the data that the named models were trained on."""

    NUM_CLASSES = 1000


class InceptionV3Constants:
    """Height and width of InceptionV3's input, and length of its flattened features."""

    INPUT_SHAPE = (299, 299)
    NUM_OUTPUT_FEATURES = 131072
