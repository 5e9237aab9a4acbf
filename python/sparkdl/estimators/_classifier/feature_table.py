"""Features on their way from the cluster to the arrays that a head is trained on.

A partition of rows gives blocks of about a megabyte and one account of what was in it. The cluster
makes them once, and keeps them until the driver has fetched the blocks, one partition at a time,
into files that training maps into memory: nothing has to fit into the driver's memory.

The order of the rows is that of the DataFrame, partition by partition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._placement.whole_partitions import check_whole
from sparkdl.errors import InvalidInputException
from sparkdl.errors.user_warnings import warn

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

_BLOCK_BYTES = 1 << 20
_REASONS = 5


@dataclass
class FeatureAccount:
    """What one partition has, and which rows cannot be used."""

    labels: dict[float | str, int] = field(default_factory=dict)
    width: int = 0
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        """Count a row that cannot be used."""
        self.rejected += 1
        if len(self.reasons) < _REASONS:
            self.reasons.append(reason)


@dataclass(frozen=True)
class FeatureBlock:
    """Consecutive rows of a partition, with the bytes of each kind of features."""

    labels: list[float | str]
    held_out: list[bool]
    features: list[bytes]


@dataclass(frozen=True)
class FeatureTable:
    """What a head is trained on.

    Attributes
    ----------
    features : list of ndarray
        float32 [rows, width]: of the images themselves, then of each of their augmented copies.
    labels : ndarray
        int32 [rows], the place of the label among `classes`.
    classes : list
        The sorted labels, all float or all str.
    held_out : ndarray
        bool [rows], which rows are for validation.
    """

    features: list[NDArray[np.float32]]
    labels: NDArray[np.int32]
    classes: list[Any]
    held_out: NDArray[np.bool_]


def fetch(rows: DataFrame, kinds: Sequence[str], policy: str, folder: Path) -> FeatureTable:
    """Make the features on the cluster, and fetch them.

    Parameters
    ----------
    rows : DataFrame
        Columns label (double or string), held_out (boolean), origin (string, which file, if that is
        known), reason (string: why there are no features) and a vector for each of `kinds`.
    kinds : list of str
        Columns of vectors of one length.
    policy : str
        "error": a row that cannot be used is an error; "skip": it is left out with a warning.
    folder : Path
        Where the arrays are kept.

    Raises
    ------
    InvalidInputException
        A row cannot be used, or fewer than two classes are left.
    SettingsException
        The features that were kept are not whole, as after a disk was full.
    """
    from pyspark import StorageLevel

    columns = list(kinds)
    # Rows as plain values: workers then need neither pyspark.ml nor sparkdl's stages.
    items = _plain(rows, columns).rdd.mapPartitionsWithIndex(
        lambda partition, part: _pack(partition, part, columns)
    )
    items.persist(StorageLevel.DISK_ONLY)
    try:
        accounts = [a for a in items.filter(_is_account).collect() if isinstance(a, FeatureAccount)]
        check_whole(len(accounts), items.getNumPartitions())  # each is the last of its partition
        classes, width = _check(accounts, policy)
        count = sum(sum(a.labels.values()) for a in accounts)
        blocks = (b for b in items.toLocalIterator(True) if isinstance(b, FeatureBlock))
        return _write(blocks, classes, (len(columns), count, width), folder)
    finally:
        items.unpersist()


def _is_account(item: FeatureBlock | FeatureAccount) -> bool:
    return isinstance(item, FeatureAccount)


def _plain(rows: DataFrame, kinds: Sequence[str]) -> DataFrame:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql.functions import col, when

    arrays = {k: vector_to_array(col(k), "float32") for k in kinds}
    vectors = [when(col(k).isNotNull(), a).alias(k) for k, a in arrays.items()]
    return rows.select("label", "held_out", "origin", "reason", *vectors)


def _pack(
    partition: int, rows: Iterable[Row], kinds: Sequence[str]
) -> Iterator[FeatureBlock | FeatureAccount]:
    account = FeatureAccount()
    kept: list[Row] = []
    size = 0
    for number, row in enumerate(rows):
        reason = _refusal(row, kinds)
        if reason is not None:
            where = row.origin or f"row {number} of partition {partition} (counted from 0)"
            account.reject(f"{where}: {reason}")
            continue
        account.labels[row.label] = account.labels.get(row.label, 0) + 1
        account.width = len(row[kinds[0]])
        kept.append(row)
        size += 4 * account.width * len(kinds)
        if size >= _BLOCK_BYTES:
            yield _block(kept, kinds)
            kept, size = [], 0
    if kept:
        yield _block(kept, kinds)
    yield account


def _refusal(row: Row, kinds: Sequence[str]) -> str | None:
    if row.reason is not None:
        return str(row.reason)
    if any(row[k] is None for k in kinds):
        return "there is no image"
    if row.label is None or (isinstance(row.label, float) and not math.isfinite(row.label)):
        return f"the label is {'null' if row.label is None else row.label}"
    return None


def _block(rows: list[Row], kinds: Sequence[str]) -> FeatureBlock:
    return FeatureBlock(
        labels=[r.label for r in rows],
        held_out=[r.held_out for r in rows],
        features=[np.array([r[k] for r in rows], "float32").tobytes() for k in kinds],
    )


def _check(accounts: Sequence[FeatureAccount], policy: str) -> tuple[list[Any], int]:
    """Return the sorted labels and the length of the features."""
    rejected = sum(a.rejected for a in accounts)
    reasons = "; ".join([r for a in accounts for r in a.reasons][:_REASONS])
    if rejected and policy == "error":
        raise InvalidInputException(
            f"{rejected} row(s) cannot be trained on: {reasons}. Mend them, or set handleInvalid "
            "to 'skip' to train on the others."
        )
    if rejected:
        warn(f"{rejected} rows are not trained on: {reasons}")
    classes = sorted({label for a in accounts for label in a.labels})
    if len(classes) < 2:
        raise InvalidInputException(
            f"A classifier needs rows of at least 2 classes, got {len(classes)}: {classes}."
        )
    return classes, max(a.width for a in accounts)


def _write(
    blocks: Iterable[FeatureBlock], classes: list[Any], shape: tuple[int, int, int], folder: Path
) -> FeatureTable:
    kinds, count, width = shape
    folder.mkdir(parents=True, exist_ok=True)
    arrays: list[NDArray[np.float32]] = [
        np.memmap(folder / f"features-{k}.bin", "float32", "w+", shape=(count, width))
        for k in range(kinds)
    ]
    place = {label: i for i, label in enumerate(classes)}
    labels: list[int] = []
    held_out: list[bool] = []
    for block in blocks:
        start = len(labels)
        labels.extend(place[label] for label in block.labels)
        held_out.extend(block.held_out)
        for array, numbers in zip(arrays, block.features, strict=True):
            array[start : len(labels)] = np.frombuffer(numbers, "float32").reshape(-1, width)
    check_whole(len(labels), count)
    return FeatureTable(arrays, np.array(labels, "int32"), classes, np.array(held_out, bool))
