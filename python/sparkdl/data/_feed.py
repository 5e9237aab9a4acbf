"""Batches of a DataFrame's rows as NumPy arrays, pass by pass."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._warn import warn
from sparkdl.data._arrays import Array, Field, arrays, fields, usable
from sparkdl.data._columns import REASON, prepared
from sparkdl.data._order import Order, Turn, spread
from sparkdl.data._partitions import Partitions
from sparkdl.errors import InvalidInputException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame


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

    def batches(self, rows: int) -> int:
        """Return the batches of an iteration, -1 (as in TensorFlow) if it does not end."""
        per_epoch = rows // self.size if self.drop_remainder else -(-rows // self.size)
        return -1 if self.epochs is None else per_epoch * self.epochs


class Feed:
    """Gives batches; each iteration continues to count the epochs, so that no order comes twice."""

    def __init__(
        self,
        df: DataFrame,
        names: Sequence[str],
        image_size: tuple[int, int] | None,
        order: Order,
        batching: Batching,
        cache: bool,
    ) -> None:
        chosen = df.select(*dict.fromkeys(f"`{n}`" for n in names if n in df.columns))
        plain = prepared(chosen if chosen.columns else df, names, image_size)
        self.fields, row_bytes = _first_row(plain, names, batching.skip)
        rows = prepared(spread(chosen, order.seed), names, image_size) if order.shuffle else plain
        self._partitions = Partitions(rows, row_bytes, cache)
        self._order, self._batching = order, batching
        self._epoch = 0
        self._lock = threading.Lock()

    def batches(self) -> Iterator[tuple[Array, ...]]:
        """Give the batches of the next epochs."""
        turns = self._order.turns(self._begin(), self._batching.epochs, self._partitions.count)
        coming = self._partitions.in_order(
            turns, lambda turn: turn.partition, self._batching.ahead, self._batching.timeout
        )
        for _, turn in groupby(coming, lambda x: x[0].epoch):
            rejected = Rejected()
            yield from _cut((self._arrays(*t, rejected) for t in turn), self._batching)
            rejected.tell()

    def _begin(self) -> int:
        """Return the first epoch of an iteration that begins now."""
        with self._lock:
            first = self._epoch
            self._epoch += self._batching.epochs or 1
            return first

    def _arrays(self, turn: Turn, batches: Iterable[Any], rejected: Rejected) -> list[Array]:
        """Return the rows of a partition in the order of the epoch, one array per column."""
        parts = []
        for batch in batches:
            good, reasons = usable(batch)
            rejected.add(batch.num_rows, reasons, self._batching.skip)
            if good.num_rows:
                parts.append(arrays(good, self.fields))
        if not parts:
            return []
        whole = [np.concatenate(p) if len(p) > 1 else p[0] for p in zip(*parts, strict=True)]
        order = self._order.rows(turn, len(whole[0]))
        return whole if order is None else [a[order] for a in whole]


class Rejected:
    """Counts rows of an epoch that cannot be used."""

    _MOST = 3

    def __init__(self) -> None:
        self.rows = self.rejected = 0
        self.reasons: list[str] = []

    def add(self, rows: int, reasons: list[str], skip: bool) -> None:
        """Count rows; an InvalidInputException if there are reasons and none may be skipped."""
        if reasons and not skip:
            raise InvalidInputException(_refusal(reasons[0]))
        self.rows += rows
        self.rejected += len(reasons)
        self.reasons = (self.reasons + reasons)[: self._MOST]

    def tell(self) -> None:
        """Warn if rows were skipped."""
        if self.rejected:
            first = "; ".join(self.reasons)
            warn(f"tf_dataset: {self.rejected} of {self.rows} rows were skipped. First: {first}.")


def _refusal(reason: str) -> str:
    return (
        f"A row cannot become a tensor: {reason}. Mend it, or leave such rows out with "
        'handle_invalid="skip".'
    )


def _first_row(frame: DataFrame, names: Sequence[str], skip: bool) -> tuple[list[Field], int]:
    """Return what the columns become, and about how many bytes a row has."""
    rows = frame.where(f"{REASON} IS NULL") if skip else frame
    table = rows.limit(1).toArrow()
    if not table.num_rows:
        raise InvalidInputException(
            "The DataFrame has no row" + (" that can be used." if skip else ".")
        )
    batch = table.combine_chunks().to_batches()[0]
    _, reasons = usable(batch)
    Rejected().add(1, reasons, skip)
    return fields(batch, names), batch.nbytes


def _cut(parts: Iterable[list[Array]], batching: Batching) -> Iterator[tuple[Array, ...]]:
    """Give batches of one size across partitions; what is left of one begins the next."""
    size = batching.size
    held: list[Array] = []
    for part in filter(None, parts):
        joined = [np.concatenate(p) for p in zip(held, part, strict=True)] if held else part
        whole = len(joined[0]) - len(joined[0]) % size
        for start in range(0, whole, size):
            yield tuple(a[start : start + size] for a in joined)
        held = [a[whole:].copy() for a in joined]  # a copy lets go of the partition
    if held and len(held[0]) and not batching.drop_remainder:
        yield tuple(held)
