"""Names of jobs in Spark's UI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark import SparkContext


@contextmanager
def describe_jobs(sc: SparkContext, text: str) -> Iterator[None]:
    """Give the jobs of this block a description in Spark's UI."""
    key = "spark.job.description"
    before = sc.getLocalProperty(key)
    sc.setLocalProperty(key, text)
    try:
        yield
    finally:
        sc.setLocalProperty(key, before)  # type: ignore[arg-type]
