"""Random changes of images, as a part of a graph that the cluster runs before the network.

What is random depends on the pixels of an image, the seed and the number of the copy, and on
nothing else: the same image gives the same copies in any batch, partition and run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

# Uniform numbers from whole ones: multiply, add, and take the rest by a prime (Lehmer).
_PRIME, _FACTOR = 2147483647, 48271
_LEAST_CROP = 0.75  # of height and width
_COLOUR = 0.2  # of brightness, contrast and saturation, both ways


def augmentation(kinds: Sequence[str], seed: int, copy: int) -> Callable[[Any], Any]:
    """Return a function from images [rows, height, width, 3] of 0 to 255 to changed ones.

    Parameters
    ----------
    kinds : list of str
        "flip" (left to right, every second image), "crop" (a part of at least 3/4 of height and
        width, enlarged to the whole) and "colour" (brightness, contrast and saturation by up to a
        fifth).
    seed, copy : int
        Which of the possible changes is made.
    """

    def changed(images: Any) -> Any:
        pixels = tf.cast(images, tf.float32)
        chances = _chances(pixels, seed, copy)
        if "flip" in kinds:
            pixels = tf.where(_each(chances[0]) < 0.5, pixels[:, :, ::-1], pixels)
        if "crop" in kinds:
            pixels = _cropped(pixels, chances[1:4])
        if "colour" in kinds:
            pixels = _coloured(pixels, chances[4:7])
        exact = pixels if images.dtype.is_floating else tf.round(pixels)
        return tf.cast(exact, images.dtype)

    return changed


def _chances(pixels: Any, seed: int, copy: int, count: int = 7) -> list[Any]:
    """Return `count` numbers of 0 to 1 for each image."""
    rows = tf.reshape(tf.cast(pixels, tf.int64), [tf.shape(pixels)[0], -1])
    places = tf.range(tf.shape(rows)[1], dtype=tf.int64) % 8191 + 1
    state = tf.reduce_sum(rows * places, axis=1) + 7919 * (copy + 1) + 104729 * (seed % 10007)
    found = []
    for i in range(count + 2):  # the first ones of images that are much alike are so, too
        state = tf.math.floormod(state * _FACTOR + i + 1, tf.constant(_PRIME, tf.int64))
        found.append(tf.cast(state, tf.float32) / _PRIME)
    return found[2:]


def _each(numbers: Any) -> Any:
    return tf.reshape(numbers, [-1, 1, 1, 1])


def _cropped(pixels: Any, chances: Sequence[Any]) -> Any:
    size = _LEAST_CROP + (1 - _LEAST_CROP) * chances[0]
    top, left = chances[1] * (1 - size), chances[2] * (1 - size)
    boxes = tf.stack([top, left, top + size, left + size], axis=1)
    rows = tf.range(tf.shape(pixels)[0])
    return tf.image.crop_and_resize(pixels, boxes, rows, tf.shape(pixels)[1:3])


def _coloured(pixels: Any, chances: Sequence[Any]) -> Any:
    brightness, contrast, saturation = (_each(1 + _COLOUR * (2 * c - 1)) for c in chances)
    pixels = pixels * brightness
    mean = tf.reduce_mean(pixels, [1, 2, 3], keepdims=True)
    pixels = (pixels - mean) * contrast + mean
    grey = tf.reduce_mean(pixels, 3, keepdims=True)
    return tf.clip_by_value((pixels - grey) * saturation + grey, 0.0, 255.0)
