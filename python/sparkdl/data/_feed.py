"""Batches of a DataFrame's rows as NumPy arrays, pass by pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from sparkdl.data._arrow_arrays import Array, arrays_of, usable_rows
from sparkdl.data._epoch_order import EpochOrder, Epochs, Turn
from sparkdl.data._partitions import Partitions
from sparkdl.data._source import RejectedRows, Source
from sparkdl.errors import InvalidInputException


@dataclass(frozen=True)
class Batching:
    """How rows become batches.

    Attributes
    ----------
    size : int
        Rows of a batch; the last of an epoch may have fewer.
    drop_remainder : bool
        Whether a last batch that has fewer is left out.
    epochs : int or None
        Passes of one iteration; None if it does not end.
    ahead : int
        Partitions that are fetched at the same time.
    timeout : float
        Seconds that a partition may take.
    skip : bool
        Whether rows that cannot be used are left out, rather than being an error.
    """

    size: int
    drop_remainder: bool
    epochs: int | None
    ahead: int
    timeout: float
    skip: bool

    @property
    def fixed_size(self) -> int | None:
        """Rows of every batch, None if the last of an epoch may have fewer."""
        return self.size if self.drop_remainder else None

    def per_epoch(self, rows: int) -> int:
        """Return the batches of an epoch."""
        return rows // self.size if self.drop_remainder else -(-rows // self.size)

    def batches(self, rows: int) -> int:
        """Return the batches of an iteration, -1 (as in TensorFlow) if it does not end."""
        return -1 if self.epochs is None else self.per_epoch(rows) * self.epochs

    def refusal(self, rows: int) -> str:
        """Say why an epoch of so many rows has no batch; an endless iteration would hang."""
        few = f", and batch_size is {self.size} with drop_remainder=True" if rows else ""
        return f"An epoch has no batch: {rows} row(s) of the DataFrame can be used{few}."


class BatchFeed:
    """Yields batches; each iteration goes on counting the epochs, so that no order repeats."""

    def __init__(self, source: Source, order: EpochOrder, batching: Batching, cache: bool) -> None:
        self.fields, row_bytes = source.first_row(batching.skip)
        frame = source.spread_rows(order.seed) if order.shuffle else source.frame
        self._partitions = Partitions(frame, row_bytes, cache)
        self.forget = self._partitions.forget
        self._order, self._batching = order, batching
        self._epochs = Epochs()

    def batches(self) -> Iterator[tuple[Array, ...]]:
        """Yield the batches of the next epochs."""
        epochs = self._epochs.begin(self._batching.epochs)
        turns = self._order.turns(epochs, self._partitions.count)
        fetched = self._partitions.in_order(
            turns, lambda turn: turn.partition, self._batching.ahead, self._batching.timeout
        )
        for _, turn in groupby(fetched, lambda x: x[0].epoch):
            rejected, count = RejectedRows(), 0
            for batch in _cut_batches((self._arrays(*t, rejected) for t in turn), self._batching):
                count += 1
                yield batch
            rejected.warn_if_any()
            if not count:
                raise InvalidInputException(self._batching.refusal(rejected.used))

    def _arrays(self, turn: Turn, batches: list[Any], rejected: RejectedRows) -> list[Array]:
        """Return the rows of a partition in the order of the epoch, one array per column.

        It empties the list of batches, which others hold too, because a partition may be large.
        """
        whole = self._join(batches, rejected)
        batches.clear()
        order = self._order.rows(turn, len(whole[0])) if whole else None
        return whole if order is None else [a[order] for a in whole]

    def _join(self, batches: Iterable[Any], rejected: RejectedRows) -> list[Array]:
        parts = []
        for batch in batches:
            good, reasons = usable_rows(batch)
            rejected.add(batch.num_rows, reasons, self._batching.skip)
            if good.num_rows:
                parts.append(arrays_of(good, self.fields))
        columns = zip(*parts, strict=True)
        return [np.concatenate(c) if len(c) > 1 else c[0] for c in columns]


def _cut_batches(parts: Iterable[list[Array]], batching: Batching) -> Iterator[tuple[Array, ...]]:
    """Yield batches of one size across partitions: the rest of one begins the next."""
    size = batching.size
    remaining: list[Array] = []
    for part in filter(None, parts):
        start = 0
        if remaining:
            start = size - len(remaining[0])
            remaining = [
                np.concatenate([h, a[:start]]) for h, a in zip(remaining, part, strict=True)
            ]
            if len(remaining[0]) < size:
                continue
            yield tuple(remaining)
        rows = len(part[0])
        end = rows - (rows - start) % size
        for at in range(start, end, size):
            yield tuple(a[at : at + size] for a in part)
        remaining = [a[end:].copy() for a in part] if end < rows else []
        part.clear()  # before the next one comes
    if remaining and not batching.drop_remainder:
        yield tuple(remaining)
