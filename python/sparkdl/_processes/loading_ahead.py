"""Modules that executors begin to load before workers need them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sparkdl._processes.cluster import idle_seconds, task_slots
from sparkdl._processes.kept_process import loading
from sparkdl._processes.spark_jobs import describe_jobs
from sparkdl._processes.surroundings import starter
from sparkdl._processes.worker_task import keeping_of

if TYPE_CHECKING:
    from pyspark import SparkContext


# When loading was begun, by the application and the modules.
_begun: dict[tuple[str, tuple[str, ...]], float] = {}


def load_ahead(sc: SparkContext, modules: Sequence[str], description: str) -> None:
    """Have executors load the modules of a later `run_workers`, while the caller goes on.

    It is a job of its own with a task per slot, on a thread of its own, once in the time that
    processes with the modules are kept. Nobody waits for it, and nothing depends on it: workers
    whose executor had no task of it load the modules themselves.

    Parameters
    ----------
    description : str
        Of the job, in Spark's UI.
    """
    from pyspark import InheritableThread

    seconds = idle_seconds()
    key, now = (str(sc.applicationId), tuple(modules)), time.monotonic()
    if now - _begun.get(key, -math.inf) < seconds or not seconds:  # 0: nothing is kept
        return
    _begun[key] = now

    def run() -> None:
        with suppress(Exception), describe_jobs(sc, description):  # the run will say what is wrong
            slots = task_slots(sc)
            sc.parallelize(range(slots), slots).foreachPartition(_task(tuple(modules), seconds))

    InheritableThread(target=run, daemon=True).start()


def _task(modules: tuple[str, ...], seconds: float) -> Callable[[Iterable[int]], None]:
    def begin(_: Iterable[int]) -> None:
        with suppress(Exception), loading(keeping_of(modules, starter(), seconds)):
            pass  # the keeper reads the request once it has loaded them

    return begin
