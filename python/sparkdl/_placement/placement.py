"""The way of the rows from a DataFrame to the workers' disks.

Each partition is encoded once, as blocks of arrays that stay on the executors' disks. The driver
reads an account of each block (how many rows, of which shape), and so knows the number of every
row. Then the rows of each block are shuffled to the workers that train on them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._placement.blocks import SCHEMA, blocks_of, encoder, unpickled
from sparkdl._placement.lanes import LaneOrder
from sparkdl._placement.ragged import RaggedFile, RaggedRows, RowsFile, ragged_of
from sparkdl._placement.row_shapes import common_shapes
from sparkdl._placement.training_columns import Field, Fields
from sparkdl._placement.validation import Fraction
from sparkdl._placement.whole_partitions import check_whole, is_end
from sparkdl._processes.cluster import executors
from sparkdl.errors import InvalidInputException, jvm_errors

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame

    from sparkdl._placement.blocks import Block

TRAINING, VALIDATION = "training", "validation"
_DIGEST_MASK = (1 << 64) - 1
_ROWS_CHANGED = (
    "The rows of partition {} are not the same as when training began: executors that had them "
    "were lost, and computing them again gave other rows. Train on a DataFrame that is always the "
    "same, such as one that is read from files, or fit again (checkpointDir keeps what was learnt)."
)


@dataclass(frozen=True)
class Layout:
    """The rows that there are to train on.

    Attributes
    ----------
    fields : Fields
    shapes : tuple of tuple of int
        The shape of one row of each field, the largest where rows differ.
    rows : dict
        How many rows are for TRAINING and for VALIDATION.
    starts : dict from int to (int, int)
        For each partition: the number of its first row among all, and how many of the rows before
        it the column of validation has chosen.
    fraction : Fraction or None
        How rows for validation are chosen, if not by a column.
    digest : int
        A hash of the rows, whatever their order.
    digests : dict from (int, int) to str, or None
        That of each block, by partition and first row; None where rows may be computed again.
    """

    fields: Fields
    shapes: tuple[tuple[int, ...], ...]
    rows: dict[str, int]
    starts: dict[int, tuple[int, int]]
    fraction: Fraction | None
    digest: int
    digests: dict[tuple[int, int], str] | None

    def order(self, kind: str, batch: int, workers: int, rank: int) -> LaneOrder:
        """Return which rows of a kind one worker has."""
        return LaneOrder(self.rows[kind], batch, workers, rank)


def encode_rows(df: DataFrame, fields: Fields) -> RDD[bytes]:
    """Return the pickled blocks of a DataFrame, kept on disk by executors, by two if possible.

    If they were computed again after the loss of an executor, the rows might be others, or in
    another order.
    """
    from pyspark import StorageLevel

    blocks = _binaries(df.mapInArrow(encoder(fields.all(), fields.chosen), SCHEMA))
    several = executors(blocks.context) > 1
    return blocks.persist(StorageLevel.DISK_ONLY_2 if several else StorageLevel.DISK_ONLY)


def _binaries(df: DataFrame) -> RDD[bytes]:
    """Return the values of the only column. `df.rdd` would have each byte as a character."""
    from pyspark import RDD
    from pyspark.serializers import NoOpSerializer

    frame: Any = df._jdf
    sc: Any = df.sparkSession.sparkContext
    encoders = sc._jvm.org.apache.spark.sql.Encoders
    with jvm_errors():
        values = getattr(frame, "as")(encoders.BINARY()).toJavaRDD()
    return RDD(values, sc, NoOpSerializer())


def find_layout(blocks: RDD[bytes], fields: Fields, fraction: Fraction | None) -> Layout:
    """Encode all rows and return their layout.

    Raises
    ------
    InvalidInputException
        A row cannot be used, there are none to train on or none to validate on, or rows have
        several shapes.
    SettingsException
        The rows that were kept are not whole, as after a disk was full.
    """
    collected = blocks.map(_account_of).collect()
    accounts = sorted(account for account in collected if account is not None)
    check_whole(len(collected) - len(accounts), blocks.getNumPartitions())
    for *_, problem in accounts:
        if problem:
            raise InvalidInputException(f"Cannot train: {problem}.")
    starts, rows, chosen = _starts_of(accounts)
    count = fraction.before(rows) if fraction else chosen
    if rows - count < 1:
        raise InvalidInputException(
            f"There is no row to train on: {count} of {rows} row(s) are for validation."
        )
    if fraction and not count:
        raise InvalidInputException(
            f"validationFraction {fraction.fraction:g} of {rows} rows is none. Use a larger one."
        )
    fields, largest = common_shapes(fields, [json.loads(account[4]) for account in accounts])
    return Layout(
        fields=fields.wide_enough([json.loads(account[5]) for account in accounts]),
        shapes=largest,
        rows={TRAINING: rows - count, VALIDATION: count},
        starts=starts,
        fraction=fraction,
        digest=sum(int(digest) for *_, digest, _ in accounts) & _DIGEST_MASK,
        digests={(a[0], a[1]): a[6] for a in accounts},
    )


def _account_of(record: bytes) -> tuple[int, int, int, int, str, str, str, str] | None:
    """Return a block's partition, first row, rows, chosen rows, shapes, dtypes, digest and problem.

    There is none of the mark at the end of a partition.
    """
    if is_end(record):
        return None
    block = unpickled(record)
    if block.problem:
        return block.partition, 0, 0, 0, "", "", "0", block.problem
    chosen = len(block.chosen) // 8
    return (
        block.partition, block.first, block.rows, chosen,
        block.shapes, block.dtypes, block.digest, "",
    )  # fmt: skip


def _starts_of(accounts: Iterable[Any]) -> tuple[dict[int, tuple[int, int]], int, int]:
    starts: dict[int, tuple[int, int]] = {}
    rows = chosen = 0
    for partition, _, block_rows, block_chosen, *_ in accounts:
        starts.setdefault(partition, (rows, chosen))
        rows, chosen = rows + block_rows, chosen + block_chosen
    return starts, rows, chosen


def send_rows(blocks: RDD[bytes], layout: Layout, batch: int, workers: int) -> RDD[Any]:
    """Return the rows of each worker: partition r has the pieces for `receiver`."""
    split = splitter(layout, batch, workers)
    pieces = blocks.mapPartitions(blocks_of).flatMap(split)
    return pieces.partitionBy(workers, lambda rank: rank).values()


def splitter(layout: Layout, batch: int, workers: int) -> Callable[[Any], Iterator[Any]]:
    """Return a function that splits a block into (rank, piece): the rows of a worker and kind."""

    def split(block: Block) -> Iterator[tuple[int, Any]]:
        digests = layout.digests
        if digests is not None and digests[block.partition, block.first] != block.digest:
            raise RuntimeError(_ROWS_CHANGED.format(block.partition))
        arrays = _arrays(layout, block)
        for kind, first, rows in _kinds(layout, block):
            for rank in range(workers):
                share = rows[layout.order(kind, batch, workers, rank).share(first, len(rows))]
                if share.size:
                    parts = [_take(a, share).tobytes() for a in arrays]
                    yield rank, (kind, first, share.size, parts)

    return split


def _take(array: Any, rows: Any) -> Any:
    return array.take(rows) if isinstance(array, RaggedRows) else array[rows]


def _arrays(layout: Layout, block: Block) -> list[Any]:
    """Return a block's arrays in the dtypes of the fields: bytes [rows, bytes], or ragged rows."""
    parts = zip(
        block.data,
        json.loads(block.dtypes),
        json.loads(block.shapes),
        layout.fields.all(),
        strict=True,
    )
    return [_array(block.rows, *part) for part in parts]


def _array(rows: int, data: bytes, dtype: str, shape: Any, field: Field) -> Any:
    if isinstance(shape, dict):
        ragged = ragged_of(data, dtype, rows, len(shape["most"])).astype(field.dtype)
        if field.padding is not None:
            return ragged
        wide = ragged.values  # all rows of all blocks have the same shape
    else:
        wide = np.frombuffer(data, dtype).astype(field.dtype, copy=False)
    return wide.view("uint8").reshape(rows, -1)


def _kinds(layout: Layout, block: Block) -> list[tuple[str, int, Any]]:
    """Return, for each kind, the number of its first row here, and which rows of the block it has.

    Rows of a kind are numbered without those of the other.
    """
    start, chosen_before = layout.starts[block.partition]
    first = start + block.first
    if layout.fraction is not None:
        before, chosen = layout.fraction.before(first), layout.fraction.chosen(first, block.rows)
    else:
        before = chosen_before + block.chosenBefore
        chosen = np.frombuffer(block.chosen, "int64")
    others = np.setdiff1d(np.arange(block.rows), chosen, assume_unique=True)
    return [(TRAINING, first - before, others), (VALIDATION, before, chosen)]


def receiver(
    layout: Layout, batch: int, workers: int
) -> Callable[[int, Iterable[Any], Path], None]:
    """Return a function that writes a worker's pieces to its folder, each to its place."""

    def receive(rank: int, pieces: Iterable[Any], folder: Path) -> None:
        fields = layout.fields.all()
        rows = {TRAINING: 0, VALIDATION: 0}
        orders = {k: layout.order(k, batch, workers, rank) for k in rows}
        with ExitStack() as files:
            files_by_field = {
                (k, i): files.enter_context(
                    closing(_file(folder / file_of(k, i), field, shape, orders[k].mine))
                )
                for k in rows
                for i, (field, shape) in enumerate(zip(fields, layout.shapes, strict=True))
            }
            for kind, first, count, data in pieces:
                place = orders[kind].before(first)
                for i, part in enumerate(data):
                    files_by_field[kind, i].write(place, part, count)
                rows[kind] += count
        for kind, count in rows.items():
            expected = orders[kind].mine
            if count != expected:
                raise RuntimeError(f"{count} of {expected} rows for {kind} arrived")

    return receive


def _file(path: Path, field: Field, shape: tuple[int, ...], rows: int) -> RaggedFile | RowsFile:
    if field.padding is not None:
        return RaggedFile(path, field.dtype, rows, len(shape))
    return RowsFile(path, np.dtype(field.dtype).itemsize * math.prod(shape))


def file_of(kind: str, field: int) -> str:
    """Return the name of the file with a worker's rows of one field."""
    return f"{kind}-{field}.bin"
