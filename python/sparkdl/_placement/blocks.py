"""Rows become blocks of arrays, in the executors: the encoding that is kept and then shuffled."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from sparkdl._placement.lanes import mix
from sparkdl._placement.ragged import RaggedRows
from sparkdl._placement.ragged_columns import UnequalWithinRow, shapes_of_arrays, shapes_of_bytes
from sparkdl._placement.training_columns import TEXTS, Field, one_value
from sparkdl._placement.whole_partitions import until_end, with_end

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "block binary"  # a pickled `Block`, or the mark at the end of a partition
_BLOCK_BYTES = 4 << 20
_DIGEST_SEED = np.uint64(20240229)


class Block(NamedTuple):
    """Consecutive rows of one partition, or why a row of it cannot be used.

    Attributes
    ----------
    partition, first, rows : int
        The partition, the first of its rows, and their number.
    shapes, dtypes : str
        JSON: for each array the shape of a row (the least and the most of each size where rows
        differ), and the dtype in this block. Workers keep arrays of the dtypes of their fields,
        which may be wider.
    data : list of bytes
        The arrays.
    chosen : bytes
        The rows that are for validation, as int64.
    chosenBefore : int
        How many rows before the first one, in the partition, are for validation.
    digest : str
        A hash by which sets of rows are told apart.
    problem : str
        Why a row cannot be used.
    """

    partition: int
    first: int = 0
    rows: int = 0
    shapes: str = ""
    dtypes: str = ""
    data: Sequence[bytes] = ()
    chosen: bytes = b""
    chosenBefore: int = 0
    digest: str = "0"
    problem: str = ""


def block_of(partition: int, first: int, arrays: Sequence[Any], **facts: Any) -> Block:
    """Return the block of some arrays [rows, ...]."""
    return Block(
        partition=partition,
        first=first,
        rows=len(arrays[0]),
        shapes=json.dumps([_shape_of(a) for a in arrays]),
        dtypes=json.dumps([str(a.dtype) for a in arrays]),
        data=[a.tobytes() for a in arrays],
        **facts,
    )


def _shape_of(array: Any) -> Any:
    if isinstance(array, RaggedRows):
        return {"least": array.least(), "most": array.most()}
    return array.shape[1:]


def unpickled(record: bytes) -> Block:
    """Return the block of a record, see `SCHEMA`."""
    return cast(Block, pickle.loads(record))


def blocks_of(records: Iterable[bytes]) -> Iterator[Block]:
    """Yield the blocks of a partition that executors have kept."""
    return map(unpickled, until_end(records))


class RowProblem(Exception):
    """A row that cannot be trained on."""


def encoder(fields: Sequence[Field], chosen: str) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """Return a function for `mapInArrow`, from columns c0, c1, ..., chosen to `SCHEMA`.

    `chosen` is the user's name of the last one.
    """

    def encode(batches: Iterable[Any]) -> Iterator[Any]:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        blocks = _encode(context.partitionId(), batches, fields, chosen)
        yield from map(_record, with_end(map(_pickled, blocks)))

    return encode


def _encode(
    partition: int, batches: Iterable[Any], fields: Sequence[Field], name: str
) -> Iterator[Block]:
    first = before = 0
    for batch in batches:
        try:
            arrays = [array(batch.column(i), f, first) for i, f in enumerate(fields)]
            chosen = _values(batch.column(len(fields)), name, first).astype(bool)
        except RowProblem as e:
            yield Block(partition, problem=str(e))
            return
        row_bytes = sum(a.nbytes for a in arrays) // max(1, len(chosen))
        size = max(1, _BLOCK_BYTES // max(1, row_bytes))
        for start in range(0, len(chosen), size):
            part = [_part(a, slice(start, start + size)) for a in arrays]
            flags = chosen[start : start + size]
            chosen_rows = np.flatnonzero(flags).astype("int64").tobytes()
            facts = {"chosen": chosen_rows, "chosenBefore": before, "digest": str(_digest(part))}
            yield block_of(partition, first, part, **facts)
            first, before = first + len(flags), before + int(flags.sum())


def _part(array: Any, rows: slice) -> Any:
    return array[rows] if isinstance(array, RaggedRows) else np.ascontiguousarray(array[rows])


def _pickled(block: Block) -> bytes:
    return pickle.dumps(block, pickle.HIGHEST_PROTOCOL)


def _record(pickled: bytes) -> Any:
    """Return a record as a batch of one row."""
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([pickled], pa.binary())], ["block"])


def array(column: pa.Array, field: Field, first: int) -> Any:
    """Return a column of Arrow as an array [rows, ...] of the field's dtype.

    Raises
    ------
    Problem
        A value is null, has another length than the model takes or than the others, or does not
        fit into the dtype. `first` is the number of the first row, for the message.
    """
    if field.padding is not None:
        return _ragged(column, field, first)
    if field.raw:
        values, shape = _raw(column, field, first)
    else:
        values, shape = _flatten_arrays(column, field, first)
    return _to_dtype(values, field).reshape(len(column), *_checked_shape(shape, field))


def _ragged(column: pa.Array, field: Field, first: int) -> RaggedRows:
    """Return rows that may differ in the sizes that the model does not know."""
    known = field.shape or ()
    if field.raw:
        _check_nulls(column, field.name, first)
        rows = [np.frombuffer(value.as_buffer(), "uint8") for value in column]
        values = np.concatenate(rows) if rows else np.empty(0, "uint8")
        shapes = shapes_of_bytes([r.size for r in rows], known)
    else:
        try:
            shapes, column = shapes_of_arrays(
                column, known, lambda c: _check_nulls(c, field.name, first)
            )
        except UnequalWithinRow as e:
            raise RowProblem(
                f"row {first + e.args[0]} of a partition has arrays of unequal length within it in "
                f"column '{field.name}'; pad them"
            ) from e
        values = _values(column, field.name, first)
    for shape in np.unique(shapes, axis=0):
        _checked_shape(tuple(int(n) for n in shape), field)
    return RaggedRows(np.ascontiguousarray(_to_dtype(values, field)), shapes.astype("int32"))


def _flatten_arrays(column: pa.Array, field: Field, first: int) -> tuple[Any, tuple[int, ...]]:
    """Return the numbers at the bottom of arrays, and the shape of a row."""
    import pyarrow as pa

    shape: list[int] = []
    rows = len(column)
    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lengths = np.diff(_offsets(column, field.name, first, rows))
        if lengths.size and (lengths != lengths[0]).any():
            raise RowProblem(
                f"column '{field.name}' has arrays of {lengths.min()} to {lengths.max()} elements "
                f"within the rows {first} to {first + rows - 1} of a partition; all must have the "
                "same length (pad them)"
            )
        shape.append(int(lengths[0]) if lengths.size else 0)
        column = column.flatten()
    return _values(column, field.name, first), tuple(shape)


def _raw(column: pa.Array, field: Field, first: int) -> tuple[Any, tuple[int, ...]]:
    """Return raw bytes as uint8, and the shape of a row."""
    _check_nulls(column, field.name, first)
    rows = [np.frombuffer(value.as_buffer(), "uint8") for value in column]
    sizes = {r.size for r in rows}
    if len(sizes) > 1:
        raise RowProblem(
            f"column '{field.name}' has values of {min(sizes)} to {max(sizes)} bytes; all must "
            "have the same length"
        )
    shape = field.shape or ()
    known_size = int(np.prod([d for d in shape if d is not None], dtype="int64"))
    size = sizes.pop() if sizes else 0
    full_shape = tuple(size // known_size if d is None else d for d in shape)
    return (np.concatenate(rows) if rows else np.empty(0, "uint8")), (
        full_shape if int(np.prod(full_shape, dtype="int64")) == size else (size,)
    )


def _offsets(column: pa.Array, name: str, first: int, rows: int) -> Any:
    _check_nulls(column, name, first)
    return column.offsets.to_numpy()


def _values(column: pa.Array, name: str, first: int) -> Any:
    _check_nulls(column, name, first)
    return column.to_numpy(zero_copy_only=False)


def _check_nulls(column: pa.Array, name: str, first: int) -> None:
    if column.null_count:
        raise RowProblem(
            f"column '{name}' has {column.null_count} null(s) at or after row {first} of a "
            "partition; leave them out with df.dropna, or fill them with df.fillna"
        )


def _to_dtype(values: np.ndarray[Any, Any], field: Field) -> Any:
    wrong = (values < 0) | (values > 255) if field.dtype == "uint8" and not field.raw else None
    if wrong is not None and wrong.any():
        raise RowProblem(
            f"column '{field.name}' has {values[wrong][0]}, which is not from 0 to 255 (uint8)"
        )
    return _texts(values, field) if field.dtype == TEXTS else values.astype(field.dtype, copy=False)


def _texts(values: np.ndarray[Any, Any], field: Field) -> Any:
    """Return texts as bytes, all as long as the longest; NumPy fills up with zeros."""
    rows = [v.encode() if isinstance(v, str) else v for v in values]
    if any(row.endswith(b"\0") for row in rows):
        raise RowProblem(
            f"column '{field.name}' has a text that ends in a zero byte, which arrays do not keep"
        )
    return np.array(rows, TEXTS)


def _checked_shape(shape: tuple[int, ...], field: Field) -> tuple[int, ...]:
    """Return the shape of a row, if the model takes it."""
    if field.shape is not None and math.prod(shape) == 1 and one_value(field.shape, len(shape)):
        return tuple(1 for _ in field.shape)
    if field.shape is not None and (
        len(field.shape) != len(shape)
        or any(e is not None and e != d for e, d in zip(field.shape, shape, strict=True))
    ):
        expected = ["?" if d is None else d for d in field.shape]
        raise RowProblem(
            f"column '{field.name}' has rows of {list(shape)}, the model takes {expected}"
        )
    return shape


def _columns(arrays: Sequence[Any]) -> Iterator[Any]:
    """Split arrays of texts, so that it does not matter how long others in a block are."""
    for part in arrays:
        texts = not isinstance(part, RaggedRows) and part.dtype.kind == TEXTS
        yield from part.reshape(len(part), -1).T.copy() if texts else [part]


def _digest(arrays: Sequence[Any]) -> int:
    """Return a hash of a set of rows, the same whatever their order and blocks."""
    total = np.zeros(len(arrays[0]), "uint64")
    for number, part in enumerate(_columns(arrays)):
        if isinstance(part, RaggedRows):
            total += part.digests(_DIGEST_SEED + np.uint64(number))
            continue
        rows = part.reshape(len(part), -1).view("uint8")
        with np.errstate(over="ignore"):
            weights = mix(
                np.arange(rows.shape[1], dtype="uint64") + mix(_DIGEST_SEED + np.uint64(number))
            )
            for start in range(0, rows.shape[1], 4096):  # uint64 takes eight times as much memory
                piece = rows[:, start : start + 4096].astype("uint64")
                total += piece @ weights[start : start + 4096]
    with np.errstate(over="ignore"):
        return int(mix(total).sum(dtype="uint64"))
