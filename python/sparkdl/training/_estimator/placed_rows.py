"""Rows on the executors' disks, which all trainings of a grid that want the same ones share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sparkdl._placement.placement import Layout, encode_rows, find_layout, send_rows
from sparkdl._placement.training_columns import Fields
from sparkdl._placement.validation import Fraction

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame


class Placement:
    """Some columns of a DataFrame as blocks on the executors' disks.

    Raises
    ------
    InvalidInputException
        A row cannot be used, or there are none to train on.
    """

    def __init__(self, columns: DataFrame, fields: Fields, fraction: Fraction | None) -> None:
        self._columns, self._fields, self._fraction = columns, fields, fraction
        self._sent: dict[tuple[int, int], RDD[Any]] = {}
        self._blocks = encode_rows(columns, fields)
        try:
            self.layout: Layout = find_layout(self._blocks, fields, fraction)
        except BaseException:
            self.forget()
            raise

    def is_of(self, columns: DataFrame, fields: Fields, fraction: Fraction | None) -> bool:
        """Say whether these are the rows."""
        asked = (fields, fraction) == (self._fields, self._fraction)
        return asked and columns.sameSemantics(self._columns)

    def send(self, batch: int, workers: int) -> RDD[Any]:
        """Return the rows of each worker, which are shuffled to it once."""
        key = (batch, workers)
        if key not in self._sent:
            self._sent[key] = send_rows(self._blocks, self.layout, batch, workers)
        return self._sent[key]

    def forget(self) -> None:
        """Let the executors free the rows."""
        self._blocks.unpersist()


class PlacedRows:
    """What the trainings of a grid have placed so far; they may ask from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._placements: list[Placement] = []

    def place(self, columns: DataFrame, fields: Fields, fraction: Fraction | None) -> Placement:
        """Place some rows, unless they are."""
        with self._lock:
            for placement in self._placements:
                if placement.is_of(columns, fields, fraction):
                    return placement
            self._placements.append(Placement(columns, fields, fraction))
            return self._placements[-1]

    def forget(self) -> None:
        """Let the executors free all rows."""
        with self._lock:
            while self._placements:
                self._placements.pop().forget()


@contextmanager
def placed_rows() -> Iterator[PlacedRows]:
    """Keep rows during this block."""
    rows = PlacedRows()
    try:
        yield rows
    finally:
        rows.forget()
