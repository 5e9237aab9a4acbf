"""Random changes of images, as a part of a graph that the cluster runs before the network.

The random numbers depend on an image's pixels, the seed and the number of the copy, and on nothing
else: the same image gives the same copies in any batch, partition and run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

# Uniform numbers from whole ones: multiply, add, and take the rest by a prime (Lehmer).
_PRIME, _FACTOR = 2147483647, 48271
_LEAST_CROP = 0.75  # of height and width
_COLOUR = 0.2  # of brightness, contrast and saturation, both ways


def augmentation(kinds: Sequence[str], seed: int, copy: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function that changes images [rows, height, width, 3] of 0 to 255.

    Parameters
    ----------
    kinds : list of str
        "flip" (left to right, every second image), "crop" (a part of at least 3/4 of height and
        width, enlarged to the whole) and "colour" (brightness, contrast and saturation by up to a
        fifth).
    seed, copy : int
        Which of the possible changes is made.
    """

    def change(images: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(images, tf.float32)
        chances = _chances(pixels, seed, copy)
        if "flip" in kinds:
            pixels = tf.where(_each(chances[0]) < 0.5, pixels[:, :, ::-1], pixels)
        if "crop" in kinds:
            pixels = _crop(pixels, chances[1:4])
        if "colour" in kinds:
            pixels = _colour(pixels, chances[4:7])
        exact = pixels if images.dtype.is_floating else tf.round(pixels)
        return tf.cast(exact, images.dtype)

    return change


def _chances(pixels: tf.Tensor, seed: int, copy: int, count: int = 7) -> list[tf.Tensor]:
    """Return `count` numbers from 0 to 1 for each image."""
    rows = tf.reshape(tf.cast(pixels, tf.int64), [tf.shape(pixels)[0], -1])
    places = tf.range(tf.shape(rows)[1], dtype=tf.int64) % 8191 + 1
    state = tf.reduce_sum(rows * places, axis=1) + 7919 * (copy + 1) + 104729 * (seed % 10007)
    chances = []
    for i in range(count + 2):  # the first ones are similar for similar images
        state = tf.math.floormod(state * _FACTOR + i + 1, tf.constant(_PRIME, tf.int64))
        chances.append(tf.cast(state, tf.float32) / _PRIME)
    return chances[2:]


def _each(numbers: tf.Tensor) -> tf.Tensor:
    return tf.reshape(numbers, [-1, 1, 1, 1])


def _crop(pixels: tf.Tensor, chances: Sequence[tf.Tensor]) -> tf.Tensor:
    size = _LEAST_CROP + (1 - _LEAST_CROP) * chances[0]
    top, left = chances[1] * (1 - size), chances[2] * (1 - size)
    boxes = tf.stack([top, left, top + size, left + size], axis=1)
    rows = tf.range(tf.shape(pixels)[0])
    return tf.image.crop_and_resize(pixels, boxes, rows, tf.shape(pixels)[1:3])


def _colour(pixels: tf.Tensor, chances: Sequence[tf.Tensor]) -> tf.Tensor:
    brightness, contrast, saturation = (_each(1 + _COLOUR * (2 * c - 1)) for c in chances)
    pixels = pixels * brightness
    mean = tf.reduce_mean(pixels, [1, 2, 3], keepdims=True)
    pixels = (pixels - mean) * contrast + mean
    grey = tf.reduce_mean(pixels, 3, keepdims=True)
    return tf.clip_by_value((pixels - grey) * saturation + grey, 0.0, 255.0)
