"""Which rows are for validation, if a fraction of them is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparkdl._placement.lanes import Indices, mix

_ROUNDING = 1e-9  # 3 / 0.2 has to be 15


@dataclass(frozen=True)
class Fraction:
    """One of every 1 / fraction consecutive rows, which the seed chooses.

    So the rows come from everywhere, their number is that fraction of all, and neither depends on
    how rows are partitioned.
    """

    fraction: float
    seed: int

    def chosen(self, first: int, count: int) -> Indices:
        """Return which of `count` rows, beginning with row `first`, are chosen, from 0."""
        rows = self._rows(first, first + count) - first
        return rows[(rows >= 0) & (rows < count)]

    def before(self, row: int) -> int:
        """Return how many rows with smaller numbers are chosen."""
        whole_windows = self._window(row)
        return whole_windows + int((self._rows(row, row) < row).sum())

    def _window(self, row: int) -> int:
        """Return a window that ends before a row, with all windows before it; at least 0."""
        return max(0, int(row * self.fraction) - 2)

    def _rows(self, first: int, end: int) -> Indices:
        """Return the chosen rows of all windows that reach into first..end, and of few others."""
        windows = np.arange(self._window(first), int(end * self.fraction) + 3)
        starts, ends = self._start(windows), self._start(windows + 1)
        random = mix(windows.astype(np.uint64) + mix(np.uint64(self.seed)))
        chosen: Indices = starts + (random % (ends - starts).astype(np.uint64)).astype(np.int64)
        return chosen

    def _start(self, windows: Indices) -> Indices:
        return np.floor(windows / self.fraction + _ROUNDING).astype(np.int64)
