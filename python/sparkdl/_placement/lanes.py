"""Which worker has which row, and the order in which rows are trained on.

Rows have numbers 0, 1, ... in the order of the DataFrame. With global batches of B rows there are
B lanes: row i is in lane i mod B, at place i div B. Lane v belongs to worker v mod N. Batch b takes
one row of each lane: without shuffling place b, so that batches are those of Keras with
`shuffle=False`; with shuffling the place that comes b-th when the places of the lane are sorted by
a hash of seed, epoch and row. So

- global batches do not depend on the number of workers, nor on how rows are partitioned,
- workers' shares of a batch differ by one row at most, also of the last, smaller batch,
- every row is trained on once per epoch, and all workers take the same number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Indices = np.ndarray[Any, np.dtype[np.int64]]

_LAST = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class LaneOrder:
    """The rows of one worker.

    Attributes
    ----------
    rows : int
        The rows of all workers.
    batch : int
        Rows of a global batch.
    workers, rank : int
    """

    rows: int
    batch: int
    workers: int
    rank: int

    @property
    def lanes(self) -> int:
        """The number of this worker's lanes."""
        return len(range(self.rank, self.batch, self.workers))

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return -(-self.rows // self.batch)

    @property
    def mine(self) -> int:
        """The number of this worker's rows."""
        return self.before(self.rows)

    def size(self, step: int) -> int:
        """Return the rows of a global batch."""
        return min(self.batch, self.rows - step * self.batch)

    def before(self, row: int) -> int:
        """Return how many rows of this worker have a smaller number."""
        rest = len(range(self.rank, row % self.batch, self.workers))
        return row // self.batch * self.lanes + rest

    def share(self, first: int, count: int) -> Indices:
        """Return which of `count` rows, beginning with row `first`, are this worker's, from 0.

        The worker keeps its rows in this order.
        """
        lanes = np.arange(first, first + count, dtype=np.int64) % self.batch
        return np.flatnonzero(lanes % self.workers == self.rank)

    def batches(self, epoch: int, seed: int | None, lengths: Indices | None = None) -> EpochBatches:
        """Return the batches of an epoch (from 0); without a seed in the order of the rows.

        With the lengths of this worker's rows, batches are of rows of like length.
        """
        if lengths is not None:
            return EpochBatches(self, self._by_length(epoch, seed, lengths))
        return EpochBatches(self, None if seed is None else self._places(epoch, seed))

    def _rows(self) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Return [steps, lanes]: the number of the row at each place of this worker's lanes."""
        lanes = np.arange(self.rank, self.batch, self.workers, dtype=np.uint64)
        places = np.arange(self.steps, dtype=np.uint64)[:, None]
        rows: np.ndarray[Any, np.dtype[np.uint64]] = places * np.uint64(self.batch) + lanes
        return rows

    def _places(self, epoch: int, seed: int) -> Indices:
        """Return [steps, lanes]: the place in each lane of this worker that is in each batch."""
        rows = self._rows()
        keys = _hash(rows, epoch, seed)
        keys[rows >= self.rows] = _LAST  # some lanes have no row for the last batch
        return np.argsort(keys, axis=0, kind="stable")

    def _by_length(self, epoch: int, seed: int | None, lengths: Indices) -> Indices:
        """Return the same with the b-th shortest row of each lane in a batch.

        With a seed, rows of the same length and the batches are in the order of a hash; a smaller
        last batch stays the last.
        """
        rows = self._rows()
        keys = np.full(rows.shape, _LAST)
        keys.ravel()[: len(lengths)] = lengths  # as this worker keeps its rows
        ties = rows if seed is None else _hash(rows, epoch, seed)
        places = np.lexsort((ties, keys), axis=0)
        if seed is not None:
            full = self.rows // self.batch
            steps = np.arange(full, dtype=np.uint64)
            places[:full] = places[np.argsort(_hash(steps, epoch, seed + 1), kind="stable")]
        return places


@dataclass(frozen=True)
class EpochBatches:
    """The places of a worker's share of each batch among its rows."""

    order: LaneOrder
    places: Indices | None

    def rows(self, step: int) -> Any:
        """Return the places of the share of a batch: a slice, or indices."""
        order = self.order
        lanes, first = order.lanes, step * order.lanes
        count = len(range(order.rank, order.size(step), order.workers))
        if self.places is None:
            return slice(first, first + count)
        return self.places[step, :count] * lanes + np.arange(count)


def _hash(numbers: Any, epoch: int, seed: int) -> Any:
    with np.errstate(over="ignore"):
        return mix(numbers + mix(np.uint64(epoch) + mix(np.uint64(seed))))


def mix(numbers: np.ndarray[Any, np.dtype[np.uint64]] | np.uint64) -> Any:
    """Return uint64 numbers that look random (the finalizer of SplitMix64), the same everywhere."""
    with np.errstate(over="ignore"):
        z = numbers + np.uint64(0x9E37_79B9_7F4A_7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
        return z ^ (z >> np.uint64(31))
