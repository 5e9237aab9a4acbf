"""Whether two results are the same up to rounding, and how much they differ if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.graph import Array

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef

_DTYPE_KEYS = ("T", "dtype", "DstT", "Tparams")


@dataclass(frozen=True)
class Tolerance:
    """How far numbers may be apart: a part of the output's largest magnitude, plus a constant."""

    relative: float
    absolute: float


# Measured: nine networks of keras.applications with random weights differ from their bundles by at
# most 2e-6 of the largest magnitude. With weights that normalize pictures they differ by 3e-5 on
# rows of noise, except EfficientNetV2B0, whose activations then cancel: it differs by 8e-4.
_OF_FLOAT64 = Tolerance(1e-8, 1e-12)
_OF_FLOAT32 = Tolerance(3e-3, 1e-6)
_OF_HALF = Tolerance(5e-2, 1e-3)


def tolerance_of(graph_def: GraphDef) -> Tolerance:
    """Return what the least precise floats of a graph allow."""
    kinds = set()
    for node in [*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)]:
        kinds |= {node.attr[key].type for key in _DTYPE_KEYS if key in node.attr}
    if kinds & {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}:
        return _OF_HALF
    singles = {tf.float32.as_datatype_enum, tf.complex64.as_datatype_enum}
    return _OF_FLOAT32 if kinds & singles else _OF_FLOAT64


def difference(expected: Array, got: Array, tolerance: Tolerance) -> str | None:
    """Say where two arrays of the same shape differ the most, None if they are the same.

    NaN equals NaN, and an infinity itself. Texts, booleans and whole numbers are equal or not.
    """
    if tf.as_dtype(expected.dtype).is_floating or tf.as_dtype(expected.dtype).is_complex:
        return _float_difference(expected, got, tolerance)
    wrong = np.argwhere(expected != got)
    if not len(wrong):
        return None
    place = tuple(int(i) for i in wrong[0])
    return f"differs in {len(wrong)} of {expected.size} values: {_values_at(expected, got, place)}"


def _float_difference(expected: Array, got: Array, tolerance: Tolerance) -> str | None:
    kind = np.complex128 if np.iscomplexobj(expected) else np.float64
    want, have = expected.astype(kind), got.astype(kind)
    if not want.size:
        return None
    finite = np.isfinite(want)
    largest = float(np.max(np.abs(want[finite]), initial=0.0))
    allowed = tolerance.relative * largest + tolerance.absolute
    with np.errstate(invalid="ignore"):
        apart = np.abs(want - have)
    same = (want == have) | (np.isnan(want) & np.isnan(have))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    if np.max(apart) <= allowed:
        return None
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
    return (
        f"differs by {np.max(apart):.3g} (its largest magnitude is {largest:.3g}, allowed "
        f"{allowed:.2g}): {_values_at(expected, got, place)}"
    )


def _values_at(expected: Array, got: Array, place: tuple[int, ...]) -> str:
    return f"at {list(place)} the model gives {expected[place]}, the bundle {got[place]}"
