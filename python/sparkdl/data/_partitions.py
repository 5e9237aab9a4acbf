"""Partitions of a DataFrame, fetched to the driver in a given order, a few at the same time.

Each partition is one Spark job of one task: how many are under way limits what the driver holds,
and Spark repeats a task that fails or whose executor is lost.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sparkdl._placement.whole_partitions import until_end
from sparkdl.errors import SettingsException, jvm_errors
from sparkdl.session.jvm_door import door
from sparkdl.session.spark_api import arrow_schema, received, thread_target

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T")
_BATCH_BYTES = 16 << 20
_MOST_ROWS = 10_000
_THREADS = "sparkdl-tf_dataset"


class Partitions:
    """The rows of a DataFrame as record batches of Arrow, partition by partition.

    Parameters
    ----------
    frame : DataFrame
        It is planned once; shuffles in it are done once.
    row_bytes : int
        The approximate size of a row; a record batch has some megabytes.
    cache : bool
        Whether executors keep the rows (in memory, else on disk) until `forget`.
    """

    def __init__(self, frame: DataFrame, row_bytes: int, cache: bool) -> None:
        self._session = frame.sparkSession
        self._sc = self._session.sparkContext
        large = self._session.conf.get("spark.sql.execution.arrow.useLargeVarTypes", "false")
        self._schema = arrow_schema(frame.schema, large == "true")
        rows = max(1, min(_MOST_ROWS, _BATCH_BYTES // max(1, row_bytes)))
        with jvm_errors():
            self._rdd = door().recordBatches(frame._jdf, rows)
        if cache:
            level: Any = self._sc._jvm
            self._rdd.persist(level.org.apache.spark.storage.StorageLevel.MEMORY_AND_DISK())
        self.count: int = self._rdd.getNumPartitions()

    def forget(self) -> None:
        """Let the executors free the rows that they keep."""
        with suppress(Exception):  # the session may have been stopped
            self._rdd.unpersist(False)

    def fetch(self, partition: int, tag: str) -> list[Any]:
        """Return the record batches of a partition; the job has the tag."""
        import pyarrow as pa

        jvm: Any = self._sc._jvm
        partitions = jvm.java.util.ArrayList()
        partitions.append(partition)
        self._sc.addJobTag(tag)
        self._sc.setJobDescription(f"tf_dataset: partition {partition + 1} of {self.count}")
        try:
            with jvm_errors():
                place = jvm.PythonRDD.runJob(self._sc._jsc.sc(), self._rdd, partitions)
            pieces = received(place)
        finally:
            self._sc.removeJobTag(tag)
        return [pa.ipc.read_record_batch(pa.py_buffer(p), self._schema) for p in until_end(pieces)]

    def in_order(
        self, items: Iterable[T], partition_of: Callable[[T], int], ahead: int, timeout: float
    ) -> Iterator[tuple[T, list[Any]]]:
        """Yield each item with its partition, and fetch `ahead` of them at the same time.

        Raises
        ------
        SettingsException
            A partition did not arrive within `timeout` seconds, or the session was stopped.
        """
        if self._sc._jsc is None:
            raise SettingsException("The Spark session of this dataset was stopped. Make it again.")
        tag = f"sparkdl-{secrets.token_hex(8)}"
        fetch = thread_target(self._session, lambda item: self.fetch(partition_of(item), tag))
        pool = ThreadPoolExecutor(ahead, _THREADS)
        under_way: deque[tuple[T, Future[list[Any]]]] = deque()
        try:
            for item in items:
                under_way.append((item, pool.submit(fetch, item)))
                if len(under_way) > ahead:
                    yield _first(under_way, timeout)
            while under_way:
                yield _first(under_way, timeout)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # first, so that no other job begins
            self._sc.cancelJobsWithTag(tag)


def _first(under_way: deque[tuple[T, Future[list[Any]]]], timeout: float) -> tuple[T, list[Any]]:
    item, future = under_way.popleft()
    try:
        return item, future.result(timeout)
    except TooLate:
        raise SettingsException(
            f"A partition of the DataFrame did not arrive within {timeout:g} seconds. Either no "
            "task slot is free (other jobs hold them), or a partition takes that long: set "
            "timeout= to more seconds, or use df.repartition(n) with more partitions."
        ) from None
