"""Rows that are shared out among the processes of `TensorFlowDistributor`.

On the driver they are `Shards`. The distributor places the rows, as `KerasEstimator` does, on the
local disks of the processes and gives them `Share`, of which each makes a dataset of its rows.
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

from sparkdl._placement.placement import TRAINING, Layout, encoded, layout, receiver, splitter
from sparkdl._placement.training_columns import Field, Fields
from sparkdl.data._arrow_arrays import TensorField
from sparkdl.data._as_dataset import as_dataset
from sparkdl.data._epoch_order import EpochOrder, Epochs
from sparkdl.data._feed import Batching
from sparkdl.data._prepared_columns import REASON
from sparkdl.data._source import Rejected, Source
from sparkdl.errors import InvalidInputException, SchemaMismatchException, SettingsException

if TYPE_CHECKING:
    from pyspark import RDD


class Shards:
    """What ``tf_dataset(..., shard=True)`` returns: an argument for `TensorFlowDistributor.run`."""

    def __init__(self, source: Source, columns: Any, order: EpochOrder, batching: Batching) -> None:
        self._source, self._columns = source, columns
        self._order, self.batching = order, batching
        self._fields, _ = source.first_row(batching.skip)
        for field in self._fields:
            if field.dtype == object:
                raise SchemaMismatchException(
                    f"Column '{field.name}' has strings or bytes, which processes do not keep as "
                    "arrays. Convert it to numbers in Spark before, or give image_size for images."
                )

    def encoded(self) -> tuple[RDD[Any], Layout]:
        """Encode the rows, which stay on the executors' disks.

        Raises
        ------
        InvalidInputException
            A row cannot be used, or rows have several shapes.
        """
        from pyspark.sql.functions import lit

        frame = self._source.frame
        rows = frame.where(f"{REASON} IS NULL") if self.batching.skip else frame
        kept = Fields(tuple(self._kept(i) for i in range(len(self._fields))), (), None)
        columns = [f"c{i}" for i in range(len(self._fields))]
        blocks = encoded(rows.select(*columns, lit(False).alias("chosen")), kept)
        try:
            return blocks, self._layout(blocks, kept)
        except BaseException:
            blocks.unpersist()
            raise

    def share(self, number: int, found: Layout) -> Share:
        """Return what each process makes its dataset of."""
        seed = self._order.seed if self._order.shuffle else None
        kinds = [
            TensorField(f.name, np.dtype(f.dtype), shape)
            for f, shape in zip(found.fields.all(), found.shapes, strict=True)
        ]
        return Share(number, self._columns, kinds, found.rows[TRAINING], seed, self.batching)

    def _kept(self, i: int) -> Field:
        field, image = self._fields[i], f"h{i}" in self._source.frame.columns
        return Field(field.name, str(field.dtype), field.shape, raw=image)

    def _layout(self, blocks: RDD[Any], kept: Fields) -> Layout:
        try:
            found = layout(blocks, kept, None)
        except InvalidInputException:
            self._raise_reason()
            raise
        rows = found.rows[TRAINING]
        if not self.batching.per_epoch(rows):
            raise InvalidInputException(self.batching.refusal(rows))
        return found

    def _raise_reason(self) -> None:
        """Raise why the first row that cannot be used cannot, if there is one."""
        row = self._source.frame.where(f"{REASON} IS NOT NULL").select(REASON).first()
        if row is not None:
            Rejected().add(1, [row[0]], skip=False)


@dataclass(frozen=True)
class Share:
    """The rows of one of the datasets in each process, which has them on its disk.

    Attributes
    ----------
    rows : int
        Of all processes.
    seed : int or None
        Of the order; None for that of the DataFrame.
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
def placed(
    arguments: Sequence[Any], workers: int, local: bool
) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Encode the rows of all `Shards` among the arguments.

    Yields
    ------
    list, dict
        The arguments with a `Share` in the place of each, and what `run_workers` is to be given
        so that the rows come to the processes. Executors keep the rows until the block ends.

    Raises
    ------
    SettingsException
        A global batch is smaller than the number of processes, or these are no tasks of Spark.
    """
    shards = [a for a in arguments if isinstance(a, Shards)]
    if not shards:
        yield list(arguments), {}
        return
    _check(shards, workers, local)
    made: list[Encoded] = []
    try:
        for one in shards:
            made.append(Encoded(one.batching.size, *one.encoded()))
        shares = iter([one.share(i, made[i].layout) for i, one in enumerate(shards)])
        values = [next(shares) if isinstance(a, Shards) else a for a in arguments]
        receive = _receiver([(e.layout, e.batch) for e in made], workers)
        yield values, {"data": _by_worker(made, workers), "receive": receive}
    finally:
        for rows in made:
            with suppress(Exception):  # the session may have been stopped
                rows.blocks.unpersist()


def _check(shards: Sequence[Shards], workers: int, local: bool) -> None:
    if local:
        raise SettingsException(
            "tf_dataset(..., shard=True) gives rows to tasks of Spark: use localMode=False, which "
            "with master local[n] runs on this machine, too."
        )
    smallest = min(one.batching.size for one in shards)
    if smallest < workers:
        raise SettingsException(
            f"batch_size is that of the global batch, which is shared among {workers} processes: "
            f"it must be at least {workers}, got {smallest}."
        )


@dataclass(frozen=True)
class Encoded:
    """The rows of one dataset on the executors' disks."""

    batch: int
    blocks: RDD[Any]
    layout: Layout

    def pieces(self, number: int, workers: int) -> RDD[Any]:
        """Return ((rank, number), piece) of all rows."""
        split = splitter(self.layout, self.batch, workers)
        return self.blocks.flatMap(
            lambda block: (((rank, number), piece) for rank, piece in split(block))
        )


def _by_worker(made: Sequence[Encoded], workers: int) -> RDD[Any]:
    """Return (number, piece), sorted, so that the rows of a dataset follow each other."""
    pieces = [one.pieces(number, workers) for number, one in enumerate(made)]
    together = pieces[0].context.union(pieces)
    return together.repartitionAndSortWithinPartitions(workers, itemgetter(0)).map(_unranked)


def _unranked(pair: tuple[tuple[int, int], Any]) -> tuple[int, Any]:
    (_, number), piece = pair
    return number, piece


def _receiver(
    layouts: Sequence[tuple[Layout, int]], workers: int
) -> Callable[[int, Iterable[Any], Path], None]:
    def receive(rank: int, pieces: Iterable[tuple[int, Any]], folder: Path) -> None:
        missing = set(range(len(layouts)))
        for number, own in groupby(pieces, itemgetter(0)):
            _receive(layouts[number], workers, rank, map(itemgetter(1), own), folder, number)
            missing.discard(number)
        for number in missing:  # of which this process has no row
            _receive(layouts[number], workers, rank, (), folder, number)

    return receive


def _receive(
    of: tuple[Layout, int],
    workers: int,
    rank: int,
    pieces: Iterable[Any],
    folder: Path,
    number: int,
) -> None:
    place = _folder(folder, number)
    place.mkdir()
    receiver(of[0], of[1], workers)(rank, pieces, place)


def _folder(folder: Path, number: int) -> Path:
    return folder / f"dataset-{number}"
