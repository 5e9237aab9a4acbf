"""A worker's rows as arrays that stay on its disk until they are read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._models.each_output import for_each_output
from sparkdl._models.model_ends import model_outputs
from sparkdl._placement.placement import Layout, file_of
from sparkdl._placement.ragged import PaddedRows
from sparkdl._placement.training_columns import TEXTS, Field
from sparkdl._placement.training_labels import targets

if TYPE_CHECKING:
    import keras
    import numpy.typing as npt

    from sparkdl._placement.lanes import Indices


class Rows:
    """The rows of one kind that one worker has.

    Parameters
    ----------
    folder : Path
        The folder that `receiver` has written.
    layout : Layout
    kind : str
        TRAINING or VALIDATION.
    count : int
        How many there are.
    model : keras.Model
    loss : object
        As Keras' `compile` takes it; it decides what the labels have to be.
    """

    def __init__(
        self, folder: Path, layout: Layout, kind: str, count: int, model: keras.Model, loss: object
    ) -> None:
        fields, arrays = layout.fields, arrays_of(folder, layout, kind, count)
        labels = range(len(fields.inputs), len(fields.inputs) + len(fields.labels))
        outputs = model_outputs(model)
        for place, output, output_loss in zip(
            labels, outputs, for_each_output(loss, outputs), strict=False
        ):
            shape = tuple(output.leaf.shape[1:])
            if None not in shape:
                arrays[place] = _targets(arrays[place], output_loss, shape)
            else:
                arrays[place] = np.asarray(arrays[place], "float32")
        self._arrays = arrays
        self._padded = [a for a in arrays if isinstance(a, PaddedRows)]
        self._largest = layout.shapes
        self.count = count

    def take(self, rows: slice | Indices, sizes: Sequence[int] = ()) -> list[Any]:
        """Return some rows (a slice or indices) of every array, padded to sizes as of `largest`."""
        left = iter(sizes)
        return [
            a.take(rows, tuple(islice(left, a.rank))) if isinstance(a, PaddedRows) else a[rows]
            for a in self._arrays
        ]

    def largest(self, rows: slice | Indices) -> list[int]:
        """Return the sizes of the largest of some rows, of all arrays whose rows are padded."""
        return [n for a in self._padded for n in a.shapes[rows].max(axis=0, initial=0)]

    @property
    def lengths(self) -> Indices | None:
        """How many numbers each row has in arrays whose rows differ; None if there are none."""
        sizes = [a.shapes.prod(axis=1) for a in self._padded]
        return np.sum(sizes, axis=0) if sizes else None

    def examples(self) -> list[tuple[int, ...]]:
        """Return the shape of a row of every array, the largest where rows differ."""
        return [
            self._largest[i] if isinstance(a, PaddedRows) else a.shape[1:]
            for i, a in enumerate(self._arrays)
        ]

    def kinds(self) -> list[tuple[tuple[int | None, ...], str]]:
        """Return shape of a row, with None for sizes in which rows differ, and dtype."""
        return [
            (
                a.known if isinstance(a, PaddedRows) else a.shape[1:],
                "string" if a.dtype.kind == TEXTS else str(a.dtype),
            )
            for a in self._arrays
        ]


def arrays_of(folder: Path, layout: Layout, kind: str, count: int) -> list[Any]:
    """Return the arrays of all fields of `count` rows of a kind."""
    return [
        _array_of(folder / file_of(kind, i), field, (count, *shape))
        for i, (field, shape) in enumerate(zip(layout.fields.all(), layout.shapes, strict=True))
    ]


def _array_of(file: Path, field: Field, shape: tuple[int, ...]) -> Any:
    if field.padding is None:
        return array_in(file, field.dtype, shape)
    return PaddedRows(file, field.dtype, shape[0], field.shape or (), field.padding)


def array_in(file: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> Any:
    """Return the array in a file that `receiver` has written; it is read from disk when used."""
    if 0 in shape:  # an empty file cannot be mapped
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", shape=shape).view(np.ndarray)  # faster to take rows of


def _targets(labels: np.ndarray[Any, Any], loss: object, shape: tuple[int, ...]) -> Any:
    """Return labels as the loss wants them, also when this worker has none.

    A custom loss gets the numbers as they are.
    """
    if loss is None or not _is_of_keras(loss):
        return np.asarray(labels, "float32")
    rows = labels if len(labels) else np.zeros((1, *labels.shape[1:]), labels.dtype)
    flat = rows if rows.ndim == 1 else np.asarray(rows).reshape(len(rows), -1)
    converted = targets(flat, loss, shape)
    if converted.ndim < len(shape) + 1 and converted.dtype == np.float32:
        converted = converted.reshape(-1, *shape)  # a number per row: the model returns [1]
    return converted[: len(labels)]


def _is_of_keras(loss: object) -> bool:
    """Say whether a loss is one of Keras, whose labels are known."""
    if isinstance(loss, str):
        return True
    module = loss.get("module") if isinstance(loss, dict) else getattr(loss, "__module__", None)
    return str(module).startswith("keras")
