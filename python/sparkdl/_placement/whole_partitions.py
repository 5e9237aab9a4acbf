"""Partitions that executors keep on their disks are read whole, or not at all.

Where a disk is full, Spark may keep only the beginning of a partition and say nothing. It writes
bytes with Kryo, whose `Output.close` ignores errors, and the last 32 KB of what is compressed are
written no earlier; whoever reads such a partition takes its end for the end of the rows. So there
is a mark at the end of each partition that is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from sparkdl.errors import SettingsException

T = TypeVar("T")
_END = b""
_NOT_WHOLE = (
    "What executors kept on their disks is not whole, most likely because a disk was full (no "
    "space left on device), which Spark does not always report. Free space in the folders of "
    "spark.local.dir, or set it to larger ones, and try again."
)


def with_end(items: Iterable[T]) -> Iterator[T | bytes]:
    """Yield the items of a partition, and the mark."""
    yield from items
    yield _END


def is_end(item: object) -> bool:
    """Say whether an item is the mark."""
    return isinstance(item, bytes) and not item


def until_end(items: Iterable[T]) -> Iterator[T]:
    """Yield the items of a partition.

    Raises
    ------
    SettingsException
        There is no mark after them.
    """
    ends = 0
    for item in items:
        if is_end(item):
            ends += 1
        else:
            yield item
    check_whole(ends, 1)


def check_whole(found: int, expected: int) -> None:
    """Check that there are as many as were kept, such as ends of partitions.

    Raises
    ------
    SettingsException
        Some are missing.
    """
    if found != expected:
        raise SettingsException(_NOT_WHOLE)
