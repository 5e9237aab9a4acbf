"""The order of the rows, epoch by epoch."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparkdl.session.spark_api import repartition_by_id

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Epochs:
    """Counts epochs over the iterations of a dataset, so that no order repeats."""

    def __init__(self) -> None:
        self._next = 0
        self._lock = threading.Lock()

    def begin(self, epochs: int | None) -> Iterable[int]:
        """Return the epochs (from 0) of an iteration that begins now; with None it does not end."""
        with self._lock:
            first = self._next
            self._next += epochs or 1
        return count(first) if epochs is None else range(first, first + epochs)


class Turn(NamedTuple):
    """A partition in an epoch; both count from 0."""

    epoch: int
    partition: int


@dataclass(frozen=True)
class EpochOrder:
    """The order of the DataFrame, or another one in each epoch, which the seed decides."""

    shuffle: bool
    seed: int

    def turns(self, epochs: Iterable[int], partitions: int) -> Iterator[Turn]:
        """Yield the partitions of epochs."""
        for epoch in epochs:
            order = self._random(epoch).permutation(partitions) if self.shuffle else None
            for i in range(partitions):
                yield Turn(epoch, i if order is None else int(order[i]))

    def rows(self, turn: Turn, rows: int) -> Any:
        """Return the order of a partition's rows; None if they keep theirs."""
        return self._random(*turn).permutation(rows) if self.shuffle else None

    def _random(self, *of: int) -> np.random.Generator:
        return np.random.default_rng([self.seed & 0xFFFFFFFF, *of])


def spread_rows(df: DataFrame, seed: int) -> DataFrame:
    """Spread rows over the DataFrame's partitions at random, so that each is a sample of all.

    Which row goes where depends on its place in the DataFrame and on the seed alone.
    """
    from pyspark.sql.functions import expr

    parts = df._jdf.rdd().getNumPartitions()
    key = expr(f"xxhash64(monotonically_increasing_id(), {int(seed)}L)")
    keyed = df.withColumn("_sparkdl_key", key)
    place = expr(f"CAST(pmod(_sparkdl_key, {parts}) AS INT)")
    mixed = repartition_by_id(keyed, parts, place).sortWithinPartitions("_sparkdl_key")
    return mixed.drop("_sparkdl_key")
