"""Rows that are divided among the processes of `TensorFlowDistributor`.

On the driver they are `Shards`. The distributor places the rows on the local disks of the
processes, as `KerasEstimator` does, and passes each process a `Share`, from which it makes a
dataset of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._placement.blocks import blocks_of
from sparkdl._placement.placement import (
    TRAINING,
    Layout,
    encode_rows,
    find_layout,
    receiver,
    splitter,
)
from sparkdl._placement.training_columns import TEXTS, Field, Fields
from sparkdl.data._arrow_arrays import TensorField
from sparkdl.data._as_dataset import as_dataset
from sparkdl.data._epoch_order import EpochOrder, Epochs
from sparkdl.data._feed import Batching
from sparkdl.data._prepared_columns import REASON
from sparkdl.data._source import RejectedRows, Source
from sparkdl.errors import InvalidInputException, SchemaMismatchException, SettingsException

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql.types import DataType

    from sparkdl.data._structure import Columns

_OBJECTS = "object"  # the dtype of texts and bytes


class Shards:
    """What ``tf_dataset(..., shard=True)`` returns: an argument for `TensorFlowDistributor.run`."""

    def __init__(
        self, source: Source, columns: Columns, order: EpochOrder, batching: Batching
    ) -> None:
        self._source, self._columns = source, columns
        self._order, self.batching = order, batching
        self._fields, _ = source.first_row(batching.skip)
        for i, field in enumerate(self._fields):
            if self._dtype(i) == _OBJECTS:
                raise SchemaMismatchException(
                    f"Column '{field.name}' has bytes, which processes do not keep as arrays. "
                    "Convert it to numbers in Spark first, or set image_size for images."
                )

    def encode(self) -> tuple[RDD[bytes], Layout]:
        """Encode the rows, which stay on the executors' disks.

        Raises
        ------
        InvalidInputException
            A row cannot be used, or rows have several shapes.
        """
        from pyspark.sql.functions import lit

        frame = self._source.frame
        rows = frame.where(f"{REASON} IS NULL") if self.batching.skip else frame
        fields = Fields(tuple(self._field(i) for i in range(len(self._fields))), (), None)
        columns = [f"c{i}" for i in range(len(self._fields))]
        blocks = encode_rows(rows.select(*columns, lit(False).alias("chosen")), fields)
        try:
            return blocks, self._layout_of(blocks, fields)
        except BaseException:
            blocks.unpersist()
            raise

    def share(self, number: int, layout: Layout) -> Share:
        """Return what each process makes its dataset from."""
        seed = self._order.seed if self._order.shuffle else None
        kinds = [
            TensorField(f.name, np.dtype(f.dtype), shape)
            for f, shape in zip(layout.fields.all(), layout.shapes, strict=True)
        ]
        return Share(number, self._columns, kinds, layout.rows[TRAINING], seed, self.batching)

    def _field(self, i: int) -> Field:
        field, image = self._fields[i], f"h{i}" in self._source.frame.columns
        return Field(field.name, self._dtype(i), field.shape, raw=image)

    def _dtype(self, i: int) -> str:
        """Return what processes keep of a column: of texts, bytes, all as long as the longest."""
        dtype = str(self._fields[i].dtype)
        kind = self._source.frame.schema[f"c{i}"].dataType
        return TEXTS if dtype == _OBJECTS and _is_text(kind) else dtype

    def _layout_of(self, blocks: RDD[bytes], fields: Fields) -> Layout:
        try:
            layout = find_layout(blocks, fields, None)
        except InvalidInputException:
            self._raise_reason()
            raise
        rows = layout.rows[TRAINING]
        if not self.batching.per_epoch(rows):
            raise InvalidInputException(self.batching.refusal(rows))
        return layout

    def _raise_reason(self) -> None:
        """Raise the reason of the first row that cannot be used, if there is one."""
        row = self._source.frame.where(f"{REASON} IS NOT NULL").select(REASON).first()
        if row is not None:
            RejectedRows().add(1, [row[0]], skip=False)


def _is_text(kind: DataType) -> bool:
    from pyspark.sql.types import ArrayType, StringType

    while isinstance(kind, ArrayType):
        kind = kind.elementType
    return isinstance(kind, StringType)


@dataclass(frozen=True)
class Share:
    """The rows of one of the datasets in each process, which has them on its disk.

    Attributes
    ----------
    rows : int
        The rows of all processes.
    seed : int or None
        The seed of the order; None for the DataFrame's order.
    """

    number: int
    columns: Any
    fields: Sequence[TensorField]
    rows: int
    seed: int | None
    batching: Batching

    def dataset(self, folder: Path, workers: int, rank: int) -> Any:
        """Return the `tf.data.Dataset` of one process."""
        from sparkdl._placement.lanes import LaneOrder
        from sparkdl._placement.local_arrays import array_in
        from sparkdl._placement.placement import file_of

        order = LaneOrder(self.rows, self.batching.size, workers, rank)
        arrays = [
            array_in(
                _folder(folder, self.number) / file_of(TRAINING, i), f.dtype, (order.mine, *f.shape)
            )
            for i, f in enumerate(self.fields)
        ]
        steps, epochs = self.batching.per_epoch(self.rows), Epochs()

        def batches() -> Iterator[Sequence[Any]]:
            for epoch in epochs.begin(self.batching.epochs):
                places = order.batches(epoch, self.seed)
                for step in range(steps):
                    rows = places.rows(step)
                    yield [a[rows] for a in arrays]

        specs = [f.spec(None) for f in self.fields]
        return as_dataset(batches, self.columns, specs, self.batching.batches(self.rows))


@contextmanager
def place_shards(
    arguments: Sequence[Any], workers: int, local: bool
) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Encode the rows of all `Shards` among the arguments.

    Yields
    ------
    list, dict
        The arguments with a `Share` instead of each, and what `run_workers` needs in order to send
        the rows to the processes. Executors keep the rows until the block ends.

    Raises
    ------
    SettingsException
        A global batch is smaller than the number of processes, or these are not Spark tasks.
    """
    shards = [a for a in arguments if isinstance(a, Shards)]
    if not shards:
        yield list(arguments), {}
        return
    _check(shards, workers, local)
    encoded_shards: list[EncodedRows] = []
    try:
        for shard in shards:
            encoded_shards.append(EncodedRows(shard.batching.size, *shard.encode()))
        shares = iter([shard.share(i, encoded_shards[i].layout) for i, shard in enumerate(shards)])
        values = [next(shares) if isinstance(a, Shards) else a for a in arguments]
        receive = _receiver([(e.layout, e.batch) for e in encoded_shards], workers)
        yield values, {"data": _pieces_by_worker(encoded_shards, workers), "receive": receive}
    finally:
        for rows in encoded_shards:
            with suppress(Exception):  # the session may have been stopped
                rows.blocks.unpersist()


def _check(shards: Sequence[Shards], workers: int, local: bool) -> None:
    if local:
        raise SettingsException(
            "tf_dataset(..., shard=True) sends rows to Spark tasks: use localMode=False, which "
            "with master local[n] also runs on this machine."
        )
    smallest = min(one.batching.size for one in shards)
    if smallest < workers:
        raise SettingsException(
            f"batch_size is that of the global batch, which {workers} processes share: it must be "
            f"at least {workers}, got {smallest}."
        )


@dataclass(frozen=True)
class EncodedRows:
    """The rows of one dataset on the executors' disks."""

    batch: int
    blocks: RDD[bytes]
    layout: Layout

    def pieces(self, number: int, workers: int) -> RDD[Any]:
        """Return ((rank, number), piece) of all rows."""
        split = splitter(self.layout, self.batch, workers)
        return self.blocks.mapPartitions(blocks_of).flatMap(
            lambda block: (((rank, number), piece) for rank, piece in split(block))
        )


def _pieces_by_worker(encoded_shards: Sequence[EncodedRows], workers: int) -> RDD[Any]:
    """Return (number, piece), sorted, so that the rows of a dataset are together."""
    pieces = [shard.pieces(number, workers) for number, shard in enumerate(encoded_shards)]
    together = pieces[0].context.union(pieces)
    return together.repartitionAndSortWithinPartitions(workers, itemgetter(0)).map(_without_rank)


def _without_rank(pair: tuple[tuple[int, int], Any]) -> tuple[int, Any]:
    (_, number), piece = pair
    return number, piece


def _receiver(
    layouts: Sequence[tuple[Layout, int]], workers: int
) -> Callable[[int, Iterable[Any], Path], None]:
    def receive(rank: int, pieces: Iterable[tuple[int, Any]], folder: Path) -> None:
        missing = set(range(len(layouts)))
        for number, own_pieces in groupby(pieces, itemgetter(0)):
            _receive(layouts[number], workers, rank, map(itemgetter(1), own_pieces), folder, number)
            missing.discard(number)
        for number in missing:  # datasets of which this process has no row
            _receive(layouts[number], workers, rank, (), folder, number)

    return receive


def _receive(
    layout_and_batch: tuple[Layout, int],
    workers: int,
    rank: int,
    pieces: Iterable[Any],
    folder: Path,
    number: int,
) -> None:
    place = _folder(folder, number)
    place.mkdir()
    receiver(layout_and_batch[0], layout_and_batch[1], workers)(rank, pieces, place)


def _folder(folder: Path, number: int) -> Path:
    return folder / f"dataset-{number}"
