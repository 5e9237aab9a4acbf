"""Jobs of Spark that train: their cores, and what they are called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import SparkContext


def threads_per_trial(sc: SparkContext, trials: int) -> int:
    """Return an executor's cores, divided by the trials that it will train at the same time."""
    conf = sc.getConf()
    machines = max(1, executors(sc))
    cores = _cores(str(sc.master), conf.get("spark.executor.cores", None))
    slots = max(1, cores // int(conf.get("spark.task.cpus", "1") or 1))
    return max(1, cores // min(slots, -(-trials // machines)))


def executors(sc: SparkContext) -> int:
    """Return how many executors there are; in local mode 0."""
    tracker: Any = sc._jsc.sc().statusTracker()
    return len(tracker.getExecutorInfos()) - 1  # the driver is among them


def _cores(master: str, executor_cores: str | None) -> int:
    """Return the cores of an executor; unless something says it, those of a machine like this."""
    inside = master.partition("[")[2].rstrip("]").split(",")
    if master.startswith("local[") and inside[0].isdigit():
        return int(inside[0])
    if master.startswith("local-cluster["):
        return int(inside[1])
    if executor_cores:
        return int(executor_cores)
    return 1 if master == "local" else os.cpu_count() or 1


@contextmanager
def described(sc: SparkContext, text: str) -> Iterator[None]:
    """Give the jobs of this block a description in Spark's UI."""
    key = "spark.job.description"
    before = sc.getLocalProperty(key)
    sc.setLocalProperty(key, text)
    try:
        yield
    finally:
        sc.setLocalProperty(key, before)  # type: ignore[arg-type]
