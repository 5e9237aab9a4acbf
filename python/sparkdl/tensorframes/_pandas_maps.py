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
from sparkdl.tensorframes._tensor_columns import tensor_column

Array = npt.NDArray[Any]
Run = Callable[..., list[Array]]
v1 = tf.compat.v1

# The types of Spark's columns for types that Spark lacks.
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
        """Return the tensor that a block of rows feeds."""
        return self._convert(self.cells.block(rows))

    def cell(self, row: int) -> Array:
        """Return the tensor that one row feeds."""
        return self._convert(np.asarray(self.cells.values[row]))

    def _convert(self, value: Array) -> Array:
        if not self.shape.is_compatible_with(value.shape):
            raise SchemaMismatchException(
                f"Cannot feed column '{self.cells.column.name}' to '{self.placeholder}': expected "
                f"{self.dtype.name} {self.shape}, got {value.dtype.name} {value.shape}."
            )
        if self.dtype == tf.string:
            return value
        converted: Array = value.astype(self.dtype.as_numpy_dtype)
        if self.dtype == tf.uint8 and not np.array_equal(converted, value):
            raise InvalidInputException(
                f"Cannot feed column '{self.cells.column.name}' to '{self.placeholder}': uint8 has "
                f"the values 0 to 255, got {value.min()} to {value.max()}."
            )
        return converted


def map_pandas_blocks(
    program: Program, frame: pd.DataFrame, trim: bool, block_size: BlockSize, handle_invalid: str
) -> pd.DataFrame:
    """Do what `map_blocks` does, for a frame of pandas, which is one partition."""
    feeds = _feeds(program, frame)
    if not trim:
        _check_names(program, frame)
        _check_fed(feeds)
    rows = _valid_rows(feeds, len(frame), handle_invalid)
    results_by_block: list[list[Array]] = []
    with _session(program, feeds) as run:
        for block in _blocks(feeds, rows, block_size):
            results = run(*(f.tensor(block) for f in feeds))
            _check_rows(program, results, None if trim else len(block))
            results_by_block.append(results)
    cells = [
        [c for results in results_by_block for c in results[i]] for i in range(len(program.outputs))
    ]
    return _assemble(program, cells, frame, rows, trim, drop=1)


def map_pandas_rows(program: Program, frame: pd.DataFrame, handle_invalid: str) -> pd.DataFrame:
    """Do what `map_rows` does, for a frame of pandas: one run for each row."""
    feeds = _feeds(program, frame)
    _check_names(program, frame)
    rows = _valid_rows(feeds, len(frame), handle_invalid)
    with _session(program, feeds) as run:
        results_by_row = [run(*(f.cell(r) for f in feeds)) for r in rows]
    cells = [[results[i] for results in results_by_row] for i in range(len(program.outputs))]
    return _assemble(program, cells, frame, rows, trim=False, drop=0)


def _feeds(program: Program, frame: pd.DataFrame) -> list[FedPlaceholder]:
    cells = pandas_cells(frame)
    columns = {name: c.column for name, c in cells.items()}
    ops = [n.name for n in program.graph_def.node if n.op == "Placeholder"]
    feeds = []
    for op, spec in zip(ops, static_signature(program.graph_def, ops), strict=True):
        column = tensor_column(program.feeds.get(op, op), columns, f"the placeholder '{op}'")
        if not _accepts(str(column.dtype), spec.dtype):
            raise SchemaMismatchException(
                f"Cannot feed column '{column.name}' to '{op}': expected {spec.dtype.name}, got "
                f"{column.dtype}. Cast the column, or the tensor in the program."
            )
        feeds.append(FedPlaceholder(op, spec.dtype, spec.shape, cells[column.name]))
    return feeds


def _accepts(column: str, dtype: tf.DType) -> bool:
    """Say whether Spark would feed a column's elements to a tensor of this dtype."""
    if "string" in (column, dtype.name) or "bool" in (column, dtype.name):
        return bool(column == dtype.name)
    if dtype in (tf.float32, tf.float64):
        return True
    whole = np.issubdtype(column, np.integer)
    if dtype == tf.uint8:  # the values are checked
        return whole
    return whole and np.can_cast(column, dtype.as_numpy_dtype, "safe")


def _check_names(program: Program, frame: pd.DataFrame) -> None:
    existing = sorted(set(program.outputs) & set(map(str, frame.columns)))
    if existing:
        raise SchemaMismatchException(
            f"The DataFrame has a column '{existing[0]}' already; give the result another name, or "
            "drop the column."
        )


def _check_fed(feeds: Sequence[FedPlaceholder]) -> None:
    if not feeds:
        raise SchemaMismatchException(
            "The results need no column, so they have no rows. Take a column as an argument, or "
            "use map_blocks with trim=True, which runs such a program once per block."
        )


def _valid_rows(feeds: Sequence[FedPlaceholder], count: int, handle_invalid: str) -> list[int]:
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
    placeholders = [graph.get_tensor_by_name(f.placeholder + ":0") for f in feeds]
    with v1.Session(graph=graph) as session:
        step = session.make_callable(tensors, feed_list=placeholders)

        def run(*values: Array) -> list[Array]:
            try:
                return [np.asarray(v) for v in step(*values)]
            except tf.errors.OpError as e:
                raise ModelExecutionException(
                    f"TensorFlow failed while it ran the program: {e.message}"
                ) from e

        yield run


def _check_rows(program: Program, results: Sequence[Array], expected: int | None) -> None:
    counts_by_result = {
        n: r.shape[0] if r.ndim else None for n, r in zip(program.outputs, results, strict=True)
    }
    counts = set(counts_by_result.values())
    if None in counts or (len(counts) > 1 if expected is None else counts != {expected}):
        gives = ", ".join(
            f"'{n}' {'a scalar' if c is None else c}" for n, c in counts_by_result.items()
        )
        wanted = "as many rows in all results" if expected is None else f"{expected} rows"
        hint = "" if expected is None else " For another number of rows, use trim=True."
        raise ModelExecutionException(
            f"The program must return {wanted} for a block, but returned {gives}.{hint}"
        )


def _assemble(
    program: Program,
    cells: list[list[Any]],
    frame: pd.DataFrame,
    rows: list[int],
    trim: bool,
    drop: int,
) -> pd.DataFrame:
    specs = static_signature(program.graph_def, list(program.outputs.values()))
    columns = {}
    for name, spec, values in sorted(
        zip(program.outputs, specs, cells, strict=True), key=lambda p: p[0]
    ):
        rank = np.ndim(values[0]) if values else (spec.shape.rank or drop) - drop
        columns[name] = _series(values, spec.dtype, rank)
    if trim:
        return pd.DataFrame(columns)
    kept_rows = frame.iloc[rows]
    return pd.concat([pd.DataFrame(columns).set_axis(kept_rows.index), kept_rows], axis=1)


def _series(values: list[Any], dtype: tf.DType, rank: int) -> pd.Series:
    if dtype == tf.string:
        return _objects([_text(v) for v in values])
    element = _WIDER.get(dtype.name, dtype.as_numpy_dtype)
    if rank == 0:
        return pd.Series(np.asarray(values, element).reshape(-1))
    return _objects([np.asarray(v, element) for v in values])


def _objects(values: list[Any]) -> pd.Series:
    cells = np.empty(len(values), object)
    for i, value in enumerate(values):  # NumPy would make one array of values of equal shapes
        cells[i] = value
    return pd.Series(cells, dtype=object)


def _text(value: npt.NDArray[Any] | bytes) -> Any:
    if not isinstance(value, np.ndarray):
        return value.decode()
    if value.ndim == 0:
        return value.item().decode()
    return np.asarray([_text(v) for v in value], object)
