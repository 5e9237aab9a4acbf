"""The job of a run: one barrier stage of Spark, or threads of this process that do the same."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sparkdl._processes.worker_task import Place, Work, run_task
from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext

# Executors may come this late, counted from the start of the application.
_STARTING_SECONDS = 30.0
_POLL_SECONDS = 0.2
_CANCEL_SECONDS = 30.0  # for the thread of a job that was cancelled


def check_slots(sc: SparkContext | None, count: int) -> None:
    """Raise a SettingsException if the workers can never run at the same time."""
    if count < 1:
        raise SettingsException(f"The number of workers must be at least 1, got {count}.")
    if sc is None:
        return
    if sc.getConf().get("spark.dynamicAllocation.enabled", "false").lower() == "true":
        raise SettingsException(
            "Workers that wait for each other need executors that stay: Spark does not run barrier "
            "stages with dynamic allocation. Set spark.dynamicAllocation.enabled=false and "
            "spark.executor.instances."
        )
    slots = _slots_soon(sc, count)
    if count > slots:
        raise SettingsException(
            f"Cannot run {count} workers at the same time: this application has {slots} task "
            f"slot(s) (cores of executors, divided by spark.task.cpus). Use at most {slots} "
            "workers, or start Spark with more cores."
        )


def _slots_soon(sc: SparkContext, count: int) -> int:
    """Return how many task slots there are, when executors have had the time to start."""
    end = sc.startTime / 1000 + _STARTING_SECONDS
    while (slots := task_slots(sc)) < count and time.time() < end:
        if str(sc.master).partition("[")[0] == "local":
            break  # they are all there
        time.sleep(_POLL_SECONDS)
    return slots


def task_slots(sc: SparkContext) -> int:
    """Return how many tasks can run at the same time on the executors that are there now."""
    context: Any = sc._jsc.sc()
    profile = context.resourceProfileManager().defaultResourceProfile()
    return int(context.maxNumConcurrentTasks(profile))


class _Job:
    """Runs on a thread of its own, so that the caller can watch it, and be interrupted."""

    def __init__(self) -> None:
        self.results: list[bool] = []
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def wait(self, seconds: float) -> bool:
        """Return whether the job has ended, after so many seconds at most."""
        assert self._thread is not None
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _guarded(self, run: Callable[[], list[bool]]) -> None:
        try:
            self.results = run()
        except BaseException as e:
            self.error = e


class BarrierJob(_Job):
    """A barrier stage of Spark: all tasks run at the same time, or none does."""

    def __init__(
        self, sc: SparkContext, work: Work, data: RDD[Any] | None, description: str
    ) -> None:
        super().__init__()
        self._sc, self._work, self._description = sc, work, description
        self._data = sc.parallelize(range(work.count), work.count) if data is None else data
        self._tag = f"sparkdl-workers-{uuid.uuid4()}"
        self._busy = time.monotonic()

    def start(self) -> None:
        """Submit the job, with the local properties of the calling thread."""
        from pyspark import InheritableThread

        self._thread = InheritableThread(target=self._guarded, args=(self._run,))
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
        tracker: Any = self._sc.statusTracker()
        stages = [tracker.getStageInfo(s) for s in tracker.getActiveStageIds()]
        if any(s is not None and s.numActiveTasks for s in stages):
            self._busy = time.monotonic()
        return time.monotonic() - self._busy

    def cancel(self) -> None:
        """End the job if it still runs."""
        if self._thread is not None and self._thread.is_alive():
            with suppress(Exception):  # the session may have been stopped
                self._sc.cancelJobsWithTag(self._tag)
            self._thread.join(_CANCEL_SECONDS)


def _task(work: Any) -> Callable[[Iterable[Any]], Iterator[bool]]:
    def run(elements: Iterable[Any]) -> Iterator[bool]:
        from pyspark import BarrierTaskContext

        context = BarrierTaskContext.get()
        rank = context.partitionId()
        gpus = context.resources().get("gpu")
        place = Place(
            rank=rank,
            host=context.getTaskInfos()[rank].address.rpartition(":")[0],
            gpus=tuple(gpus.addresses) if gpus else (),
        )
        yield run_task(work.value, place, elements, warm=True)

    return run


class LocalJob(_Job):
    """The same tasks on threads of this process, without Spark."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def start(self) -> None:
        """Start all workers."""
        self._thread = threading.Thread(target=self._guarded, args=(self._run,), daemon=True)
        self._thread.start()

    def _run(self) -> list[bool]:
        from concurrent.futures import ThreadPoolExecutor

        def task(rank: int) -> bool:
            return run_task(self._work, Place(rank, "localhost"), (), warm=False)

        with ThreadPoolExecutor(self._work.count) as pool:
            return list(pool.map(task, range(self._work.count)))

    def idle(self) -> float:
        """Return 0: nothing else takes their place."""
        return 0.0

    def cancel(self) -> None:
        """Wait for the workers, which end when the coordinator hangs up."""
        if self._thread is not None:
            self._thread.join(_CANCEL_SECONDS)
