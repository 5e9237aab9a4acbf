"""The job of a run: one barrier stage of Spark, or threads of this process that do the same."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sparkdl._processes.cluster import running_tasks
from sparkdl._processes.surroundings import starter
from sparkdl._processes.worker_task import RunWork, TaskLocation, run_task

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext

_CANCEL_SECONDS = 30.0  # for the thread of a cancelled job to end


class _WatchedJob:
    """Runs on its own thread, so that the caller can watch it and can be interrupted."""

    def __init__(self) -> None:
        self.results: list[bool] = []
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def wait(self, seconds: float) -> bool:
        """Wait for at most so many seconds, and return whether the job has ended."""
        assert self._thread is not None
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _keep_outcome(self, run: Callable[[], list[bool]]) -> None:
        try:
            self.results = run()
        except BaseException as e:
            self.error = e


class BarrierJob(_WatchedJob):
    """A barrier stage of Spark: all tasks run at the same time, or none does."""

    def __init__(
        self, sc: SparkContext, work: RunWork, data: RDD[Any] | None, description: str
    ) -> None:
        super().__init__()
        self._sc, self._work, self._description = sc, work, description
        self._data = sc.parallelize(range(work.count), work.count) if data is None else data
        self._tag = f"sparkdl-workers-{uuid.uuid4()}"
        self._last_busy = time.monotonic()

    def start(self) -> None:
        """Submit the job, with the local properties of the calling thread."""
        from pyspark import InheritableThread

        self._thread = InheritableThread(target=self._keep_outcome, args=(self._run,))
        self._thread.daemon = True
        self._thread.start()

    def _run(self) -> list[bool]:
        sc = self._sc
        sc.addJobTag(self._tag)
        sc.setLocalProperty("spark.job.description", self._description)
        work = sc.broadcast(self._work)
        try:
            return self._data.barrier().mapPartitions(_task(work)).collect()
        finally:
            with suppress(Exception):  # the session may have been stopped
                work.unpersist()

    def idle(self) -> float:
        """Return for how many seconds no task of this application has run."""
        if running_tasks(self._sc):
            self._last_busy = time.monotonic()
        return time.monotonic() - self._last_busy

    def cancel(self) -> None:
        """End the job if it still runs."""
        if self._thread is not None and self._thread.is_alive():
            with suppress(Exception):  # the session may have been stopped
                self._sc.cancelJobsWithTag(self._tag)
            self._thread.join(_CANCEL_SECONDS)


def _task(work: Broadcast[RunWork]) -> Callable[[Iterable[Any]], Iterator[bool]]:
    def run(elements: Iterable[Any]) -> Iterator[bool]:
        from pyspark import BarrierTaskContext

        context = BarrierTaskContext.get()
        rank = context.partitionId()
        gpus = context.resources().get("gpu")
        place = TaskLocation(
            rank=rank,
            host=context.getTaskInfos()[rank].address.rpartition(":")[0],
            gpus=tuple(gpus.addresses) if gpus else (),
        )
        yield run_task(work.value, place, elements, owner=starter())

    return run


class LocalJob(_WatchedJob):
    """The same tasks on threads of this process, without Spark."""

    def __init__(self, work: RunWork) -> None:
        super().__init__()
        self._work = work

    def start(self) -> None:
        """Start all workers."""
        self._thread = threading.Thread(target=self._keep_outcome, args=(self._run,), daemon=True)
        self._thread.start()

    def _run(self) -> list[bool]:
        from concurrent.futures import ThreadPoolExecutor

        def task(rank: int) -> bool:
            place = TaskLocation(rank, "localhost")
            return run_task(self._work, place, (), owner=os.getpid())

        with ThreadPoolExecutor(self._work.count) as pool:
            return list(pool.map(task, range(self._work.count)))

    def idle(self) -> float:
        """Return 0: workers on this machine wait for no task slots."""
        return 0.0

    def cancel(self) -> None:
        """Wait for the workers, which end when the coordinator hangs up."""
        if self._thread is not None:
            self._thread.join(_CANCEL_SECONDS)
