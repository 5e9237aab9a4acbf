"""Runs programs on frames of pandas with the TensorFlow of this process, as Spark would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from sparkdl._bundles.graph.freeze import static_signature
from sparkdl.errors import InvalidInputException, ModelExecutionException, SchemaMismatchException
from sparkdl.tensorframes._options import BlockSize
from sparkdl.tensorframes._pandas_cells import Cells, pandas_cells
from sparkdl.tensorframes._program import Program
from sparkdl.tensorframes._tensor_columns import known

Array = npt.NDArray[Any]
Run = Callable[..., list[Array]]
v1 = tf.compat.v1

# The types that Spark's columns have; the others are the same.
_WIDER = {
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "float16": "float32",
    "bfloat16": "float32",
}


@dataclass(frozen=True)
class FedPlaceholder:
    """A placeholder with the column that feeds it."""

    placeholder: str
    dtype: Any
    shape: Any
    cells: Cells

    def tensor(self, rows: Sequence[int]) -> Array:
        """Return what is fed for a block of rows."""
        return self._checked(self.cells.block(rows))

    def cell(self, row: int) -> Array:
        """Return what is fed for one row."""
        return self._checked(np.asarray(self.cells.values[row]))

    def _checked(self, value: Array) -> Array:
        if not self.shape.is_compatible_with(value.shape):
            raise SchemaMismatchException(
                f"Cannot feed column '{self.cells.column.name}' to '{self.placeholder}': expected "
                f"{self.dtype.name} {self.shape}, got {value.dtype.name} {value.shape}."
            )
        if self.dtype == tf.string:
            return value
        made: Array = value.astype(self.dtype.as_numpy_dtype)
        if self.dtype == tf.uint8 and not np.array_equal(made, value):
            raise InvalidInputException(
                f"Cannot feed column '{self.cells.column.name}' to '{self.placeholder}': uint8 has "
                f"the values 0 to 255, got {value.min()} to {value.max()}."
            )
        return made


def mapped_blocks(
    program: Program, frame: pd.DataFrame, trim: bool, block_size: BlockSize, handle_invalid: str
) -> pd.DataFrame:
    """Return what `map_blocks` gives for a frame of pandas, which is one partition."""
    feeds = _feeds(program, frame)
    if not trim:
        _check_names(program, frame)
        _check_fed(feeds)
    rows = _valid(feeds, len(frame), handle_invalid)
    found: list[list[Array]] = []
    with _session(program, feeds) as run:
        for block in _blocks(feeds, rows, block_size):
            results = run(*(f.tensor(block) for f in feeds))
            _check_rows(program, results, None if trim else len(block))
            found.append(results)
    cells = [[c for results in found for c in results[i]] for i in range(len(program.outputs))]
    return _assembled(program, cells, frame, rows, trim, drop=1)


def mapped_rows(program: Program, frame: pd.DataFrame, handle_invalid: str) -> pd.DataFrame:
    """Return what `map_rows` gives for a frame of pandas: a run for each row."""
    feeds = _feeds(program, frame)
    _check_names(program, frame)
    _check_fed(feeds)
    rows = _valid(feeds, len(frame), handle_invalid)
    with _session(program, feeds) as run:
        found = [run(*(f.cell(r) for f in feeds)) for r in rows]
    cells = [[results[i] for results in found] for i in range(len(program.outputs))]
    return _assembled(program, cells, frame, rows, trim=False, drop=0)


def _feeds(program: Program, frame: pd.DataFrame) -> list[FedPlaceholder]:
    cells = pandas_cells(frame)
    columns = {name: c.column for name, c in cells.items()}
    ops = [n.name for n in program.graph_def.node if n.op == "Placeholder"]
    made = []
    for op, spec in zip(ops, static_signature(program.graph_def, ops), strict=True):
        column = known(program.feeds.get(op, op), columns, f"the placeholder '{op}'")
        if not _accepts(str(column.dtype), spec.dtype):
            raise SchemaMismatchException(
                f"Cannot feed column '{column.name}' to '{op}': expected {spec.dtype.name}, got "
                f"{column.dtype}. Cast the column, or the tensor in the program."
            )
        made.append(FedPlaceholder(op, spec.dtype, spec.shape, cells[column.name]))
    return made


def _accepts(column: str, dtype: tf.DType) -> bool:
    """Say whether Spark would feed a column's elements to a tensor of this dtype."""
    if "string" in (column, dtype.name) or "bool" in (column, dtype.name):
        return bool(column == dtype.name)
    if dtype in (tf.float32, tf.float64):
        return True
    whole = np.issubdtype(column, np.integer)
    if dtype == tf.uint8:  # values are looked at
        return whole
    return whole and np.can_cast(column, dtype.as_numpy_dtype, "safe")


def _check_names(program: Program, frame: pd.DataFrame) -> None:
    taken = sorted(set(program.outputs) & set(map(str, frame.columns)))
    if taken:
        raise SchemaMismatchException(
            f"The DataFrame has a column '{taken[0]}' already; give the result another name, or "
            "drop the column."
        )


def _check_fed(feeds: Sequence[FedPlaceholder]) -> None:
    if not feeds:
        raise SchemaMismatchException(
            "The results need no column, so they have no rows. Take a column as argument, or use "
            "map_blocks with trim=True, which runs such a program once per block."
        )


def _valid(feeds: Sequence[FedPlaceholder], count: int, handle_invalid: str) -> list[int]:
    """Return the rows that can be fed."""
    rows = []
    for r in range(count):
        null = next((f for f in feeds if f.cells.is_null(r)), None)
        if null is None:
            rows.append(r)
        elif handle_invalid == "error":
            raise InvalidInputException(
                f"Cannot feed column '{null.cells.column.name}' to '{null.placeholder}': row {r} "
                "is null or has a null. Fill or drop it, or set handleInvalid to 'skip'."
            )
    return rows


def _blocks(
    feeds: Sequence[FedPlaceholder], rows: list[int], size: BlockSize
) -> Iterator[list[int]]:
    """Cut rows into blocks: a row of another shape opens the next one."""
    block_rows = size if isinstance(size, int) else len(rows)
    block: list[int] = []
    for r in rows:
        shapes = [f.cells.shape(r) for f in feeds]
        if block and (
            len(block) == block_rows or shapes != [f.cells.shape(block[0]) for f in feeds]
        ):
            if size is None:
                raise InvalidInputException(
                    f"Rows {block[0]} and {r} have values of different shapes, so they cannot be "
                    "one block, which blockSize=None asks for. Pad them, use map_rows, or set "
                    "blockSize."
                )
            yield block
            block = []
        block.append(r)
    if block:
        yield block


@contextmanager
def _session(program: Program, feeds: Sequence[FedPlaceholder]) -> Iterator[Run]:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(program.graph_def, name="")
    tensors = [graph.get_tensor_by_name(t) for t in program.outputs.values()]
    given = [graph.get_tensor_by_name(f.placeholder + ":0") for f in feeds]
    with v1.Session(graph=graph) as session:
        step = session.make_callable(tensors, feed_list=given)

        def run(*values: Array) -> list[Array]:
            try:
                return [np.asarray(v) for v in step(*values)]
            except tf.errors.OpError as e:
                raise ModelExecutionException(
                    f"TensorFlow failed while it ran the program: {e.message}"
                ) from e

        yield run


def _check_rows(program: Program, results: Sequence[Array], expected: int | None) -> None:
    found = {
        n: r.shape[0] if r.ndim else None for n, r in zip(program.outputs, results, strict=True)
    }
    counts = set(found.values())
    if None in counts or (len(counts) > 1 if expected is None else counts != {expected}):
        gives = ", ".join(f"'{n}' {'a scalar' if c is None else c}" for n, c in found.items())
        wanted = "as many rows in all results" if expected is None else f"{expected} rows"
        hint = "" if expected is None else " For another number of rows, use trim=True."
        raise ModelExecutionException(
            f"The program must give {wanted} for a block, but gave {gives}.{hint}"
        )


def _assembled(
    program: Program,
    cells: list[list[Any]],
    frame: pd.DataFrame,
    rows: list[int],
    trim: bool,
    drop: int,
) -> pd.DataFrame:
    specs = static_signature(program.graph_def, list(program.outputs.values()))
    made = {}
    for name, spec, values in sorted(
        zip(program.outputs, specs, cells, strict=True), key=lambda p: p[0]
    ):
        rank = np.ndim(values[0]) if values else (spec.shape.rank or drop) - drop
        made[name] = _series(values, spec.dtype, rank)
    if trim:
        return pd.DataFrame(made)
    kept = frame.iloc[rows]
    return pd.concat([pd.DataFrame(made).set_axis(kept.index), kept], axis=1)


def _series(values: list[Any], dtype: tf.DType, rank: int) -> pd.Series:
    if dtype == tf.string:
        return _objects([_text(v) for v in values])
    element = _WIDER.get(dtype.name, dtype.as_numpy_dtype)
    if rank == 0:
        return pd.Series(np.asarray(values, element).reshape(-1))
    return _objects([np.asarray(v, element) for v in values])


def _objects(values: list[Any]) -> pd.Series:
    cells = np.empty(len(values), object)
    for i, value in enumerate(values):  # else NumPy would make one array of equal ones
        cells[i] = value
    return pd.Series(cells, dtype=object)


def _text(value: npt.NDArray[Any] | bytes) -> Any:
    if not isinstance(value, np.ndarray):
        return value.decode()
    if value.ndim == 0:
        return value.item().decode()
    return np.asarray([_text(v) for v in value], object)
