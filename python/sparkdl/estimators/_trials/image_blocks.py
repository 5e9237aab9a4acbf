"""Images on their way to the trials: rows become blocks of pixels that are shuffled to every trial.

A partition of rows gives blocks of about a megabyte, under the key DATA, and one account of what
was in it, under the key ACCOUNTS. Both are shuffled once. The driver reads the accounts, which
are small; every trial, and never the driver, reads the blocks.

The order of the rows in the arrays of a trial is that of the DataFrame: partition by partition,
as `collect` would give them. Each block knows its place, so the order in which blocks arrive does
not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._placement.blocks import Block, block_of

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame, Row

DATA, ACCOUNTS = 0, 1
KEYS = 2
REASONS = 5  # that are kept
_BLOCK_BYTES = 1 << 20
_DTYPES = {0: "uint8", 5: "float32"}  # of OpenCV's types, the last three bits of a mode
_RGB = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}


@dataclass
class ImageAccount:
    """What one partition has: rows, their shapes (with an example of each), and rejected rows."""

    partition: int
    rows: int = 0
    floats: bool = False
    images: dict[tuple[int, ...], str] = field(default_factory=dict)
    labels: dict[tuple[int, ...], str] = field(default_factory=dict)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def count(self, uri: str, image: NDArray[Any], label: NDArray[Any] | None) -> None:
        """Count a row that can be used."""
        self.rows += 1
        self.floats |= image.dtype != np.uint8
        self.images.setdefault(image.shape, uri)
        if label is not None:
            self.labels.setdefault(label.shape, uri)

    def reject(self, uri: str, reason: str) -> None:
        """Count a row that cannot be used."""
        self.rejected += 1
        if len(self.reasons) < REASONS:
            self.reasons.append(f"{uri!r}: {reason}")


@dataclass(frozen=True)
class ImageRules:
    """How rows are read.

    Attributes
    ----------
    reverse : bool
        Whether the model takes channels in the reverse of the order of image structs (BGR).
    labelled : bool
        Whether there are labels, so that a null is a missing one.
    stop : bool
        Whether the first row that cannot be used ends its partition.
    """

    reverse: bool
    labelled: bool
    stop: bool


def shuffled(rows: DataFrame, rules: ImageRules) -> tuple[RDD[Any], int]:
    """Return blocks (partition DATA) and accounts (partition ACCOUNTS), and how many accounts.

    Parameters
    ----------
    rows : DataFrame
        Columns uri (string), image (image struct), reason (string: why there is no image) and
        label (double or array<double>; null in all rows when there are no labels).
    rules : ImageRules
    """
    fields = ("data", "height", "width", "nChannels", "mode")
    flat = rows.selectExpr("uri", *(f"image.{f}" for f in fields), "reason", "label")
    pairs = flat.rdd.mapPartitionsWithIndex(lambda i, part: _pack(ImageAccount(i), part, rules))
    return pairs.partitionBy(KEYS, index), pairs.getNumPartitions()


def _pack(
    account: ImageAccount, rows: Iterable[Row], rules: ImageRules
) -> Iterator[tuple[int, Block | ImageAccount]]:
    kept: list[tuple[NDArray[Any], ...]] = []  # an image, and its label if there are labels
    size = 0
    for row in rows:
        reason = _refusal(row, rules.labelled)
        if reason is not None:
            account.reject(row.uri, reason)
            if rules.stop:
                break
            continue
        image = _pixels(row, rules.reverse)
        label = np.asarray(row.label, dtype="float64") if rules.labelled else None
        if kept and not _alike(kept[0], image, label):
            yield DATA, _block(account, kept)
            kept, size = [], 0
        account.count(row.uri, image, label)
        kept.append((image,) if label is None else (image, label))
        size += image.nbytes
        if size >= _BLOCK_BYTES:
            yield DATA, _block(account, kept)
            kept, size = [], 0
    if kept:
        yield DATA, _block(account, kept)
    yield ACCOUNTS, account


def _alike(
    first: tuple[NDArray[Any], ...], image: NDArray[Any], label: NDArray[Any] | None
) -> bool:
    """Say whether a row has the shapes of the first one; else the driver will say what differs."""
    return first[0].shape == image.shape and (label is None or first[1].shape == label.shape)


def _block(account: ImageAccount, kept: list[tuple[NDArray[Any], ...]]) -> Block:
    """Return a block of the rows that were counted last."""
    arrays = [np.stack(parts) for parts in zip(*kept, strict=True)]
    return block_of(account.partition, account.rows - len(kept), arrays)


def _pixels(row: Row, reverse: bool) -> NDArray[Any]:
    """Return the pixels of an image struct as the model takes them [height, width, channels].

    Whole numbers from 0 to 255 are uint8, a quarter of the bytes for the same numbers.
    """
    array = np.frombuffer(row.data, dtype=_DTYPES[row.mode & 7])
    with np.errstate(invalid="ignore"):  # nan then compares as different
        small = array.astype("uint8")
    exact = small if np.array_equal(small, array) else array
    pixels = exact.reshape(row.height, row.width, row.nChannels)
    return pixels[:, :, _RGB[row.nChannels]] if reverse else pixels


def _refusal(row: Row, labelled: bool) -> str | None:
    if row.reason is not None:
        return str(row.reason)
    if row.data is None:
        return "there is no image"
    if not labelled:
        return None
    if row.label is None:
        return "the label is null"
    if not np.isfinite(np.asarray(row.label, dtype="float64")).all():
        return f"the label is {row.label}"
    return None
