"""What a generated model gives in Keras, and whether Spark gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from model_building import build
from model_cases import Case
from model_spec import Spec, input_structure, leaf_refs, packed
from model_ways import flattened

SAMPLE = 200  # equal rows that Keras draws for: where these differ, so do seven


@dataclass(frozen=True)
class Drawn:
    """What Keras once gave for a row, and whether every row that was the same gave another."""

    example: Any
    all_differ: bool


def batch_of(spec: Spec, row: dict[int, Any], count: int = 1) -> Any:
    """Return what a model takes for a row, so many times, or as often as it always takes."""
    rows = {i: np.stack([value] * (spec.batch or count)) for i, value in row.items()}
    tensors = {(i, 0): keras.ops.convert_to_tensor(value) for i, value in rows.items()}
    return packed(input_structure(spec), tensors)


def expected(spec: Spec, model: Any, rows: list[dict[int, Any]]) -> list[list[Any]]:
    """Return an array per output for each row, or `Drawn` where random numbers decide it."""
    if rows and spec.drawn():
        return [_drawn(spec, model, rows[0])] * len(rows)
    if len(rows) < 3 or spec.batch or any(None in given.shape for given in spec.inputs):
        return [[output[0] for output in _called(spec, model, row)] for row in rows]
    together = [*zip(*_together(spec, model, rows), strict=True)]
    alone = [output[0] for output in _called(spec, model, rows[-1])]
    if not all(map(_about, alone, together[-1])):
        raise ValueError("The model mixes rows.")
    return [list(row) for row in together]


def _together(spec: Spec, model: Any, rows: list[dict[int, Any]]) -> list[Any]:
    """Return what a model gives for rows in one batch, which takes as long as one of them."""
    batch = {i: np.stack([row[i] for row in rows]) for i in rows[0]}
    tensors = {(i, 0): keras.ops.convert_to_tensor(values) for i, values in batch.items()}
    made = flattened(spec, model(packed(input_structure(spec), tensors), training=False))
    return [np.asarray(tensor) for tensor in made]


def _about(one: Any, other: Any) -> bool:
    if one.dtype.kind not in "fV":
        return np.array_equal(one, other)
    wide = one.astype(np.float64)
    off = 1e-2 * _scale([wide])  # 16 bits round, too; rows that mix are farther off
    return np.allclose(wide, other.astype(np.float64), rtol=0, atol=off, equal_nan=True)


def _called(spec: Spec, model: Any, row: dict[int, Any], count: int = 1) -> list[Any]:
    """Return what a model gives for a batch of a row, and leave its state as it is."""
    with _unchanged(spec, model):
        made = model(batch_of(spec, row, count), training=False)
    outputs = [np.asarray(tensor) for tensor in flattened(spec, made)]
    if any(output.shape[0] != (spec.batch or count) for output in outputs):
        raise ValueError("The model mixes rows.")
    return outputs


@contextmanager
def _unchanged(spec: Spec, model: Any) -> Iterator[None]:
    if not spec.is_stateful():
        yield
    elif spec.library == "keras":
        with keras.StatelessScope():
            yield
    else:
        kept = [getattr(layer, "states", None) for layer in model._flatten_layers()]
        variables = [v for v in tf.nest.flatten(kept) if v is not None]
        before = [v.numpy() for v in variables]
        yield
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _drawn(spec: Spec, model: Any, row: dict[int, Any]) -> list[Any]:
    once = _called(spec, model, row, SAMPLE)
    many = once if spec.batch is None else _in_larger_batch(spec, row)
    drawn = spec.drawn()
    return [
        _drawn_or_same(value[0], values) if ref in drawn else value[0]
        for value, values, (_, ref) in zip(once, many, leaf_refs(spec.outputs), strict=True)
    ]


def _drawn_or_same(value: Any, values: Any) -> Any:
    """Return the value itself if it is always the same: Keras 3 tells layers not to draw, too."""
    distinct = _distinct(values)
    return value if distinct == 1 else Drawn(value, distinct == len(values))


def _in_larger_batch(spec: Spec, row: dict[int, Any]) -> list[Any]:
    """Return what a model gives if the rows that it takes at once are many; all are the same."""
    larger = replace(spec, batch=SAMPLE)
    return _called(larger, build(larger), row)


def _distinct(values: Any) -> int:
    """Return how many different ones there are; the bytes of texts would be their addresses."""
    arrays = map(np.asarray, values)
    return len({str(a.tolist()) if a.dtype == object else a.tobytes() for a in arrays})


def first_difference(case: Case, expected: list[Any], got: dict[int, list[Any]]) -> str | None:
    """Say what differs first; after the rows there may be one with a null."""
    if not got.keys() >= {*range(len(expected))}:
        return f"rows {sorted(got)} of {len(expected)}"
    if case.nulls and expected and any(value is not None for value in got[len(expected)]):
        return f"a row with a null gives {got[len(expected)]}"
    loose = case.spec.policy.startswith("mixed") or "float16" in str(case.spec)
    for k, wanted in enumerate(zip(*expected[case.extremes :], strict=True)):
        found = [got[i][k] for i in range(case.extremes, len(expected))]
        if isinstance(wanted[0], Drawn):
            if not _drawn_alike(wanted[0], found):
                return f"output {k}, which is drawn: expected {wanted[0]}, got {found}"
            continue
        off = (5e-2 if loose else 1e-4) * _scale(wanted)
        for i, (want, have) in enumerate(zip(wanted, found, strict=True), int(case.extremes)):
            if not _same(want, have, off):
                return f"output {k} of row {i}: expected {want.tolist()}, got {have}"
    return None


def _drawn_alike(want: Drawn, found: list[Any]) -> bool:
    arrays = [np.asarray(have) for have in found]
    shapes = all(a.shape == want.example.shape for a in arrays)
    return shapes and (not want.all_differ or _distinct(arrays) == len(arrays))


def _scale(values: Any) -> float:
    wide = [v.astype(np.float64) for v in values if v.dtype.kind in "fV"]  # V: bfloat16
    return (
        float(max((np.max(np.abs(w[np.isfinite(w)]), initial=0.0) for w in wide), default=0.0))
        + 1e-2
    )


def _same(want: Any, have: Any, off: float) -> bool:
    if want.dtype == object:
        want = np.char.decode(want.astype(bytes), "utf-8")
    if want.size == 0:
        return bool(want.tolist() == have)  # which cannot say how long its last dimensions were
    found = np.asarray(have)
    if want.shape != found.shape:
        return False
    if want.dtype.kind in "fV":
        wide = want.astype(np.float64)
        return np.allclose(wide, found.astype(np.float64), rtol=0, atol=off, equal_nan=True)
    return np.array_equal(want, found)
