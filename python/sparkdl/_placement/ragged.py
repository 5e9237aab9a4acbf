"""Rows of unequal shape: sequences of any length, kept without padding until a step needs them.

Rows are kept one after the other, with their shapes beside them, in blocks, on the way and on the
workers' disks. A step's rows are padded at their end to the longest of the global batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._placement.lanes import Indices, mix

_OF_SHAPES = np.dtype("int32")


@dataclass(frozen=True)
class RaggedRows:
    """Rows one after the other.

    Attributes
    ----------
    values : ndarray
        Of all rows, flat.
    shapes : ndarray
        int32 [rows, rank].
    """

    values: NDArray[Any]
    shapes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def nbytes(self) -> int:
        """The bytes of all values."""
        return int(self.values.nbytes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self.values.dtype

    def most(self) -> list[int]:
        """Return the largest size in each dimension."""
        return [int(n) for n in self.shapes.max(axis=0, initial=0)]

    def least(self) -> list[int]:
        """Return the smallest size in each dimension."""
        return [int(n) for n in self.shapes.min(axis=0)] if len(self) else self.most()

    def __getitem__(self, rows: slice) -> RaggedRows:
        """Return consecutive rows."""
        ends = self.ends()
        first, last, _ = rows.indices(len(self))
        return RaggedRows(self.values[ends[first] : ends[max(first, last)]], self.shapes[rows])

    def take(self, rows: Indices) -> RaggedRows:
        """Return some rows, in this order."""
        ends = self.ends()
        parts = [self.values[ends[i] : ends[i + 1]] for i in rows]
        values = np.concatenate(parts) if parts else self.values[:0]
        return RaggedRows(values, self.shapes[rows])

    def astype(self, dtype: str) -> RaggedRows:
        """Return the same rows in another dtype."""
        return RaggedRows(self.values.astype(dtype, copy=False), self.shapes)

    def ends(self) -> NDArray[np.int64]:
        """Return where rows begin in the values, and where the last one ends."""
        sizes = self.shapes.prod(axis=1, dtype=np.int64)
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])

    def digests(self, seed: np.uint64) -> NDArray[np.uint64]:
        """Return a hash of each row's shape and values."""
        with np.errstate(over="ignore"):
            ends = self.ends() * self.values.itemsize
            sizes = np.diff(ends)
            places = np.arange(ends[-1]) - np.repeat(ends[:-1], sizes)
            weights = mix(np.arange(sizes.max(initial=0), dtype="uint64") + mix(seed))
            sums = np.zeros(ends[-1] + 1, "uint64")
            np.cumsum(self.values.view("uint8") * weights[places], out=sums[1:])
            of_sizes = mix(np.arange(self.shapes.shape[1], dtype="uint64") + mix(mix(seed)))
            hashes: NDArray[np.uint64] = self.shapes.astype("uint64") @ of_sizes
            hashes += sums[ends[1:]] - sums[ends[:-1]]
            return hashes

    def tobytes(self) -> bytes:
        """Return what `ragged_of` reads: the shapes, then the values."""
        return self.shapes.astype(_OF_SHAPES).tobytes() + self.values.tobytes()


def ragged_of(data: bytes, dtype: str, rows: int, rank: int) -> RaggedRows:
    """Return the rows that were written by `RaggedRows.tobytes`."""
    size = rows * rank * _OF_SHAPES.itemsize
    shapes = np.frombuffer(data, _OF_SHAPES, rows * rank).reshape(rows, rank)
    return RaggedRows(np.frombuffer(data, dtype, offset=size), shapes)


class RowsFile:
    """A worker's rows of one column, all of the same number of bytes, each at its place."""

    def __init__(self, file: Path, size: int) -> None:
        self._file, self._row_bytes = open(file, "wb"), size  # noqa: SIM115

    def write(self, place: int, data: bytes, rows: int) -> None:
        """Write consecutive rows, of which the first belongs to a place."""
        self._file.seek(place * self._row_bytes)
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RaggedFile:
    """A worker's rows of one column, written in whatever order they arrive.

    Parameters
    ----------
    file : Path
        Gets the values; a file beside it the place and shape of each row.
    dtype : str
    rows, rank : int
        How many rows there will be, and of how many dimensions.
    """

    def __init__(self, file: Path, dtype: str, rows: int, rank: int) -> None:
        self._path, self._dtype, self._rank = file, dtype, rank
        self._file = open(file, "wb")  # noqa: SIM115
        self._index = np.zeros((rows, 1 + rank), np.int64)
        self._size = 0  # values that were written

    def write(self, place: int, data: bytes, rows: int) -> None:
        """Write consecutive rows, of which the first belongs to a place."""
        part = ragged_of(data, self._dtype, rows, self._rank)
        sizes = part.shapes.prod(axis=1, dtype=np.int64)
        self._index[place : place + rows, 0] = self._size + np.cumsum(sizes) - sizes
        self._index[place : place + rows, 1:] = part.shapes
        self._file.write(part.values.tobytes())
        self._size += int(sizes.sum())

    def close(self) -> None:
        """Write where each row is."""
        self._file.close()
        np.save(_index_of(self._path), self._index)


def _index_of(file: Path) -> Path:
    return file.with_suffix(".npy")


class PaddedRows:
    """Rows of unequal shape on a worker's disk, which are padded when they are taken.

    Attributes
    ----------
    shapes : ndarray
        int64 [rows, rank].
    known : tuple
        The shape of a row, with None for sizes in which rows differ.
    dtype : numpy.dtype
    """

    def __init__(
        self, file: Path, dtype: str, rows: int, known: tuple[int | None, ...], padding: float
    ) -> None:
        self.known, self.dtype, self.rank = known, np.dtype(dtype), len(known)
        index = np.load(_index_of(file)) if rows else np.zeros((0, 1 + self.rank), np.int64)
        self._starts, self.shapes = index[:, 0], index[:, 1:]
        self._padding = padding
        size = int(self.shapes.prod(axis=1).sum())
        values = np.memmap(file, dtype, "r", shape=(size,)) if size else np.empty(0, dtype)
        self._values = values.view(np.ndarray)

    def take(self, rows: slice | Indices, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return some rows [rows, *shape], padded at their end."""
        starts, shapes = self._starts[rows], self.shapes[rows]
        padded = np.full((len(starts), *shape), self._padding, self.dtype)
        for target, start, own in zip(padded, starts, shapes, strict=True):
            values = self._values[start : start + int(own.prod())]
            target[tuple(slice(n) for n in own)] = values.reshape(own)
        return padded
