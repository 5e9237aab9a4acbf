"""Columns of Arrow whose rows differ in shape, as rows one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Known = Sequence[int | None]  # sizes that a model knows of a row


class UnequalWithinRow(Exception):
    """A row is no tensor: it has arrays of unequal length. Its argument is the row's number."""


def shapes_of_arrays(
    column: pa.Array, known: Known, check: Callable[[pa.Array], None]
) -> tuple[NDArray[np.int64], pa.Array]:
    """Return the shape of each row of nested arrays, and the column of what is at the bottom.

    `check` is called with the column at each depth.
    """
    sizes: list[Any] = []
    rows = np.arange(len(column))
    counts = np.ones(len(column), "int64")  # of elements per row, at this depth
    for size in known:
        check(column)
        lengths, owners = np.diff(column.offsets.to_numpy()), np.repeat(rows, counts)
        largest = np.zeros(len(rows), "int64")
        np.maximum.at(largest, owners, lengths)
        unequal = np.flatnonzero(largest[owners] != lengths)
        if unequal.size:
            raise UnequalWithinRow(int(owners[unequal[0]]))
        sizes.append(np.where(counts == 0, size or 0, largest))  # below an empty array is nothing
        counts = counts * largest
        column = column.flatten()
    return np.stack(sizes, axis=1), column


def shapes_of_bytes(sizes: Sequence[int], known: Known) -> NDArray[np.int64]:
    """Return the shapes of rows of so many bytes, of which one size is not known."""
    rest = int(np.prod([d for d in known if d is not None], dtype="int64"))
    shapes = [[size // rest if d is None else d for d in known] for size in sizes]
    return np.array(shapes, "int64").reshape(len(sizes), len(known))
