"""Training data on their way: rows become blocks of pixels that are shuffled to every trial.

A partition of rows gives blocks of about a megabyte, under the key DATA, and one account of what
was in it, under the key ACCOUNTS. Both are shuffled once. The driver reads the accounts, which
are small; the blocks are read by every trial, and never by the driver.

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

from sparkdl.errors import InvalidInputException

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame

DATA, ACCOUNTS = 0, 1
KEYS = 2
_BLOCK_BYTES = 1 << 20
_REASONS = 5
_DTYPES = {0: "uint8", 5: "float32"}  # of OpenCV's types, of which a mode's last three bits tell
_RGB = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}


@dataclass
class Account:
    """What one partition has: how many rows, of which shapes (with an example), and which not."""

    partition: int
    rows: int = 0
    floats: bool = False
    images: dict[tuple[int, ...], str] = field(default_factory=dict)
    labels: dict[tuple[int, ...] | None, str] = field(default_factory=dict)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def count(self, uri: str, image: Any, label: Any) -> None:
        """Count a row that can be used."""
        self.rows += 1
        self.floats |= image.dtype != np.uint8
        self.images.setdefault(image.shape, uri)
        self.labels.setdefault(None if label is None else label.shape, uri)

    def reject(self, uri: str, reason: str) -> None:
        """Count a row that cannot be used."""
        self.rejected += 1
        if len(self.reasons) < _REASONS:
            self.reasons.append(f"{uri!r}: {reason}")


@dataclass(frozen=True)
class Block:
    """Rows of one partition that follow each other: pixels, and labels as float64."""

    partition: int
    first: int
    dtype: str
    images: bytes
    labels: bytes


@dataclass(frozen=True)
class Layout:
    """The arrays of every trial: images [rows, *image] of dtype, labels float64 [rows, *label]."""

    rows: int
    image: tuple[int, ...]
    dtype: str
    label: tuple[int, ...] | None
    starts: dict[int, int]  # the first row of each partition
    rejected: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feed:
    """How rows are read.

    Attributes
    ----------
    reverse : bool
        Whether the model takes channels in the other order than image structs have them (BGR).
    labelled : bool
        Whether there are labels, so that a null is one that is missing.
    stop : bool
        Whether the first row that cannot be used ends its partition.
    """

    reverse: bool
    labelled: bool
    stop: bool


def shuffled(rows: DataFrame, feed: Feed) -> RDD[Any]:
    """Return blocks (partition DATA) and accounts (partition ACCOUNTS) of a DataFrame.

    Parameters
    ----------
    rows : DataFrame
        Columns uri (string), image (image struct), reason (string: why there is no image) and
        label (double or array<double>; null in all rows when there are no labels).
    feed : Feed
    """
    fields = ("data", "height", "width", "nChannels", "mode")
    flat = rows.selectExpr("uri", *(f"image.{f}" for f in fields), "reason", "label")
    pairs = flat.rdd.mapPartitionsWithIndex(lambda i, part: _blocks(Account(i), part, feed))
    return pairs.partitionBy(KEYS, index)


def _blocks(account: Account, rows: Iterable[Any], feed: Feed) -> Iterator[tuple[int, Any]]:
    images: list[Any] = []
    labels: list[Any] = []
    size = 0
    for row in rows:
        reason = _refusal(row, feed.labelled)
        if reason is not None:
            account.reject(row.uri, reason)
            if feed.stop:
                break
            continue
        image = _pixels(row, feed.reverse)
        label = np.asarray(row.label, dtype="float64") if feed.labelled else None
        account.count(row.uri, image, label)
        images.append(image)
        labels.append(label)
        size += image.nbytes
        if size >= _BLOCK_BYTES:
            yield DATA, _block(account, images, labels)
            images, labels, size = [], [], 0
    if images:
        yield DATA, _block(account, images, labels)
    yield ACCOUNTS, account


def _block(account: Account, images: list[Any], labels: list[Any]) -> Block:
    dtype = str(np.result_type(*images))
    return Block(
        partition=account.partition,
        first=account.rows - len(images),
        dtype=dtype,
        images=b"".join(i.astype(dtype, copy=False).tobytes() for i in images),
        labels=b"".join(x.tobytes() for x in labels if x is not None),
    )


def _pixels(row: Any, reverse: bool) -> np.ndarray[Any, Any]:
    """Return the pixels of an image struct as the model takes them [height, width, channels].

    Whole numbers from 0 to 255 are uint8, a quarter of the bytes for the same numbers.
    """
    array = np.frombuffer(row.data, dtype=_DTYPES[row.mode & 7])
    with np.errstate(invalid="ignore"):  # of nan, which then is not equal
        small = array.astype("uint8")
    exact = small if np.array_equal(small, array) else array
    pixels = exact.reshape(row.height, row.width, row.nChannels)
    return pixels[:, :, _RGB[row.nChannels]] if reverse else pixels


def _refusal(row: Any, labelled: bool) -> str | None:
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


def layout(accounts: Iterable[Account], policy: str) -> Layout:
    """Return what the arrays will be.

    Raises
    ------
    InvalidInputException
        No row is left, one cannot be used and the policy is "error", or images or labels are not
        of one shape.
    """
    parts = sorted(accounts, key=lambda a: a.partition)
    rejected = sum(p.rejected for p in parts)
    reasons = tuple(r for p in parts for r in p.reasons)[:_REASONS]
    if rejected and policy == "error":
        raise InvalidInputException(
            f"Cannot train on {reasons[0]}. Mend the file or the loader, or set handleInvalid to "
            "'skip' to train on the others."
        )
    rows = sum(p.rows for p in parts)
    if not rows:
        why = f" {rejected} were rejected: " + "; ".join(reasons) if rejected else ""
        raise InvalidInputException(
            f"Cannot extract any feature: there is no image to train on.{why or ' No rows came.'}"
        )
    image = _only("images", [p.images for p in parts])
    dtype = "float32" if any(p.floats for p in parts) else "uint8"
    label = _only("labels", [p.labels for p in parts])
    starts, at = {}, 0
    for p in parts:
        starts[p.partition] = at
        at += p.rows
    return Layout(rows, image, dtype, label, starts, rejected, reasons)


def _only(what: str, found: list[dict[Any, str]]) -> Any:
    """Return the only shape there is, or say which two there are."""
    examples: dict[Any, str] = {}
    for part in found:
        for shape, uri in part.items():
            examples.setdefault(shape, uri)
    if len(examples) > 1:
        shapes = [f"{list(s)} ({uri!r})" for s, uri in list(examples.items())[:2]]
        mend = " Set targetSize, or let the loader resize them." if what == "images" else ""
        raise InvalidInputException(
            f"All {what} must have one shape, got {' and '.join(shapes)}.{mend}"
        )
    return next(iter(examples))
