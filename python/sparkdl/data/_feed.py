"""Batches of a DataFrame's rows as NumPy arrays, pass by pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from sparkdl.data._arrow_arrays import Array, arrays, usable
from sparkdl.data._epoch_order import EpochOrder, Epochs, Turn
from sparkdl.data._partitions import Partitions
from sparkdl.data._source import Rejected, Source
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
        Passes of one iteration; None: without end.
    ahead : int
        Partitions under way at the same time.
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
        """Say why an epoch of so many rows has no batch: without end, one would wait for ever."""
        few = f", and batch_size is {self.size} with drop_remainder=True" if rows else ""
        return f"An epoch has no batch: {rows} row(s) of the DataFrame can be used{few}."


class Feed:
    """Gives batches; each iteration continues to count the epochs, so that no order comes twice."""

    def __init__(self, source: Source, order: EpochOrder, batching: Batching, cache: bool) -> None:
        self.fields, row_bytes = source.first_row(batching.skip)
        frame = source.spread(order.seed) if order.shuffle else source.frame
        self._partitions = Partitions(frame, row_bytes, cache)
        self.forget = self._partitions.forget
        self._order, self._batching = order, batching
        self._epochs = Epochs()

    def batches(self) -> Iterator[tuple[Array, ...]]:
        """Give the batches of the next epochs."""
        epochs = self._epochs.begin(self._batching.epochs)
        turns = self._order.turns(epochs, self._partitions.count)
        coming = self._partitions.in_order(
            turns, lambda turn: turn.partition, self._batching.ahead, self._batching.timeout
        )
        for _, turn in groupby(coming, lambda x: x[0].epoch):
            rejected, given = Rejected(), 0
            for batch in _cut((self._arrays(*t, rejected) for t in turn), self._batching):
                given += 1
                yield batch
            rejected.tell()
            if not given:
                raise InvalidInputException(self._batching.refusal(rejected.used))

    def _arrays(self, turn: Turn, batches: list[Any], rejected: Rejected) -> list[Array]:
        """Return the rows of a partition in the order of the epoch, one array per column.

        Empties the list of batches, which others hold too: a partition may be large.
        """
        whole = self._joined(batches, rejected)
        batches.clear()
        order = self._order.rows(turn, len(whole[0])) if whole else None
        return whole if order is None else [a[order] for a in whole]

    def _joined(self, batches: Iterable[Any], rejected: Rejected) -> list[Array]:
        parts = []
        for batch in batches:
            good, reasons = usable(batch)
            rejected.add(batch.num_rows, reasons, self._batching.skip)
            if good.num_rows:
                parts.append(arrays(good, self.fields))
        columns = zip(*parts, strict=True)
        return [np.concatenate(c) if len(c) > 1 else c[0] for c in columns]


def _cut(parts: Iterable[list[Array]], batching: Batching) -> Iterator[tuple[Array, ...]]:
    """Give batches of one size across partitions; what is left of one begins the next."""
    size = batching.size
    held: list[Array] = []
    for part in filter(None, parts):
        start = 0
        if held:
            start = size - len(held[0])
            held = [np.concatenate([h, a[:start]]) for h, a in zip(held, part, strict=True)]
            if len(held[0]) < size:
                continue
            yield tuple(held)
        rows = len(part[0])
        end = rows - (rows - start) % size
        for at in range(start, end, size):
            yield tuple(a[at : at + size] for a in part)
        held = [a[end:].copy() for a in part] if end < rows else []
        part.clear()  # before the next one comes
    if held and not batching.drop_remainder:
        yield tuple(held)
