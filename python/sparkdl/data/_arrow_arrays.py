"""Rows that arrived as Arrow batches, as NumPy arrays, without a copy where Arrow allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._placement.training_columns import TEXTS
from sparkdl.data._prepared_columns import REASON
from sparkdl.errors import InvalidInputException

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TensorField:
    """The array [rows, *shape] that a column becomes."""

    name: str
    dtype: Any
    shape: tuple[int, ...]

    def spec(self, rows: int | None) -> Any:
        """Return the `tf.TensorSpec` of a batch; texts and bytes are `tf.string`."""
        from sparkdl._models.libraries import tensorflow

        tf = tensorflow()
        objects = np.dtype(self.dtype).kind in ("O", TEXTS)
        dtype = tf.string if objects else tf.as_dtype(self.dtype)
        return tf.TensorSpec([rows, *self.shape], dtype)


def fields_of(batch: pa.RecordBatch, names: Sequence[str]) -> list[TensorField]:
    """Return the fields that the columns become, by a first row."""
    first_arrays = [_column(batch, i, name) for i, name in enumerate(names)]
    return [TensorField(n, a.dtype, a.shape[1:]) for n, a in zip(names, first_arrays, strict=True)]


def arrays_of(batch: pa.RecordBatch, expected: Sequence[TensorField]) -> list[Array]:
    """Return the arrays of a record batch that has rows, all of them usable.

    Raises
    ------
    InvalidInputException
        Images have another size than the first row's, or arrays another length.
    """
    arrays = [_column(batch, i, f.name) for i, f in enumerate(expected)]
    for array, field in zip(arrays, expected, strict=True):
        if array.shape[1:] != field.shape:
            raise InvalidInputException(_shape_mismatch(field.name, field.shape, array.shape[1:]))
    return arrays


def usable_rows(batch: pa.RecordBatch) -> tuple[Any, list[str]]:
    """Return the rows of a record batch that can be used, and the others' reasons."""
    import pyarrow.compute as pc

    reasons = batch.column(REASON)
    if reasons.null_count == len(reasons):
        return batch, []
    return batch.filter(pc.is_null(reasons)), reasons.drop_null().to_pylist()


def _column(batch: pa.RecordBatch, i: int, name: str) -> Array:
    cells = batch.column(f"c{i}")
    if f"h{i}" not in batch.schema.names:
        return _tensor(cells, name)
    sizes = np.stack([batch.column(f"{side}{i}").to_numpy() for side in "hw"], 1)
    first: tuple[int, int] = tuple(sizes[0].tolist())
    other = sizes[(sizes != sizes[0]).any(1)]
    if len(other):
        raise InvalidInputException(_shape_mismatch(name, (*first, 3), (*other[0].tolist(), 3)))
    return _bytes(cells).reshape(len(cells), *first, 3)


def _bytes(cells: pa.Array) -> Array:
    """Return the bytes of all cells in turn."""
    import pyarrow as pa

    wide = pa.types.is_large_binary(cells.type)  # spark.sql.execution.arrow.useLargeVarTypes
    buffer = cells.buffers()[2]
    offsets = np.frombuffer(cells.buffers()[1], "int64" if wide else "int32")
    start, end = offsets[cells.offset], offsets[cells.offset + len(cells)]
    return np.frombuffer(buffer, np.uint8)[start:end]


def _tensor(cells: pa.Array, name: str) -> Array:
    import pyarrow as pa

    if not pa.types.is_list(cells.type):
        array: Array = cells.to_numpy(zero_copy_only=False)
        return array
    lengths = cells.value_lengths().to_numpy()
    length = int(lengths[0]) if len(lengths) else 0
    other = lengths[lengths != length]
    if len(other):
        raise InvalidInputException(_shape_mismatch(name, (length,), (int(other[0]),)))
    values = _tensor(cells.flatten(), name)
    return values.reshape(len(cells), length, *values.shape[1:])


def _shape_mismatch(name: str, first: tuple[int, ...], other: tuple[int, ...]) -> str:
    image = len(first) == 3 and first[2] == 3
    remedy = "set image_size=(height, width)" if image else "pad or cut the arrays in Spark"
    return (
        f"All rows of column '{name}' must have the same shape, got {list(first)} and "
        f"{list(other)}: "
        f"{remedy}."
    )
