"""Made-up rows for the inputs of a model: the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from sparkdl._bundles.description.manifest import BundleEnd
from sparkdl._bundles.graph.graph import Array

_WORDS = ("the", "cat", "sat", "", "on a mat", "dög")
_SMALL, _SMALL_IMAGE, _LARGER = 4, 32, 8  # unknown dimensions; the last is a factor


def made_up(specs: Sequence[BundleEnd], rows: int) -> Iterator[dict[str, Array]]:
    """Yield rows for all inputs several times, the last of them such as any model takes.

    Floats are normal, whole numbers 0 or 1, which are in every table; pixels have their whole
    range. All unknown dimensions have the same size, for they often belong together.

    Parameters
    ----------
    specs : sequence of BundleEnd
        Of the inputs.
    rows : int
        How many, where an input does not fix it.
    """
    for seed in (0, 1):  # two, because rounding may decide a tie
        yield {
            s.name: _random(np.random.default_rng((seed, i)), s, rows, 1)
            for i, s in _numbered(specs)
        }
    if any(s.shape is None or -1 in s.shape[1:] for s in specs):  # a window may be larger
        yield {
            s.name: _random(np.random.default_rng((2, i)), s, rows, _LARGER)
            for i, s in _numbered(specs)
        }
    for value in (0, 1):
        yield {s.name: _constant(s, rows, value) for s in specs}


def _numbered(specs: Sequence[BundleEnd]) -> Iterator[tuple[int, BundleEnd]]:
    return iter(enumerate(specs))


def _size(spec: BundleEnd, rows: int, factor: int = 1) -> list[int]:
    if spec.shape is None:
        return [rows, _SMALL * factor]
    unknown = factor * (_SMALL_IMAGE if len(spec.shape) >= 4 else _SMALL)
    return [
        size if size >= 0 else (unknown if place else rows) for place, size in enumerate(spec.shape)
    ]


def _random(rng: np.random.Generator, spec: BundleEnd, rows: int, factor: int) -> Array:
    size, dtype = _size(spec, rows, factor), tf.as_dtype(spec.dtype)
    if dtype == tf.string:
        return rng.choice(np.array(_WORDS, object), size)
    if dtype == tf.bool:
        return rng.random(size) < 0.5
    if dtype.is_integer:
        pixels = dtype == tf.uint8 and len(size) >= 3
        return rng.integers(0, 256 if pixels else 2, size).astype(dtype.as_numpy_dtype)
    values = rng.normal(size=size)
    if dtype.is_complex:
        values = values + 1j * rng.normal(size=size)
    # An input without a dimension of rows is a setting, such as the probability to keep a value.
    return np.asarray(values if size else 1.0).astype(dtype.as_numpy_dtype)


def _constant(spec: BundleEnd, rows: int, value: int) -> Array:
    dtype = tf.as_dtype(spec.dtype)
    if dtype == tf.string:
        return np.full(_size(spec, rows), _WORDS[value], object)
    return np.full(_size(spec, rows), value, dtype.as_numpy_dtype)
