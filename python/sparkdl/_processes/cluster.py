"""The executors of an application: their number, their cores and their task slots."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from sparkdl.errors import SettingsException
from sparkdl.session.jvm_door import door_if_open

if TYPE_CHECKING:
    from pyspark import SparkContext

# Executors may register this long after the start of the application, or after the loss of others.
_STARTING_SECONDS = 60.0
_NEWS_SECONDS = 2.0  # until Spark tells about the loss of one whose task slots are gone
_POLL_SECONDS = 0.2
_IDLE_SECONDS = 600.0  # where there is no session: the default of spark.sparkdl.workers.idleTimeout


def threads_per_process(sc: SparkContext, processes: int) -> int:
    """Return an executor's cores, divided by the processes that it will run at the same time."""
    conf = sc.getConf()
    machines = max(1, executors(sc))
    cores = _cores(str(sc.master), conf.get("spark.executor.cores", None))
    slots = max(1, cores // int(conf.get("spark.task.cpus", "1") or 1))
    return max(1, cores // min(slots, -(-processes // machines)))


def executors(sc: SparkContext) -> int:
    """Return how many executors there are; in local mode 0."""
    tracker: Any = sc._jsc.sc().statusTracker()
    return len(tracker.getExecutorInfos()) - 1  # the driver is among them


def _cores(master: str, executor_cores: str | None) -> int:
    """Return the cores of an executor; where no setting says, those of this machine."""
    inside = master.partition("[")[2].rstrip("]").split(",")
    if master.startswith("local[") and inside[0].isdigit():
        return int(inside[0])
    if master.startswith("local-cluster["):
        return int(inside[1])
    if executor_cores:
        return int(executor_cores)
    return 1 if master == "local" else os.cpu_count() or 1


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


def idle_seconds() -> float:
    """Return how long processes with Keras loaded wait for the next fit."""
    door = door_if_open()
    return _IDLE_SECONDS if door is None else float(door.workersIdleTimeout())


def _slots_soon(sc: SparkContext, count: int) -> int:
    """Return how many task slots there are once executors have had time to start.

    The cluster manager may be replacing one that was lost.
    """
    soon = time.time() + _NEWS_SECONDS
    while (slots := task_slots(sc)) < count:
        start = max(sc.startTime / 1000, _last_loss(sc))
        if time.time() >= max(soon, start + _STARTING_SECONDS):
            break
        if str(sc.master).partition("[")[0] == "local":
            break  # all of them are there from the start
        time.sleep(_POLL_SECONDS)
    return slots


def _last_loss(sc: SparkContext) -> float:
    """Return when the last executor was lost, in seconds of Unix time; 0 if none was."""
    context: Any = sc._jsc.sc()
    known = context.statusStore().executorList(False)
    times = [known.apply(i).removeTime() for i in range(known.size())]
    return max((t.get().getTime() / 1000 for t in times if t.isDefined()), default=0.0)


def task_slots(sc: SparkContext) -> int:
    """Return how many tasks can run at the same time on the executors of this moment."""
    context: Any = sc._jsc.sc()
    profile = context.resourceProfileManager().defaultResourceProfile()
    return int(context.maxNumConcurrentTasks(profile))


def running_tasks(sc: SparkContext) -> int:
    """Return how many tasks run, with those of cancelled jobs that have not let go of their slots.

    Spark's status has no active stage of a cancelled job, but its Python tasks may take four
    seconds to end (`spark.python.task.killTimeout`, and as long until the executor looks).
    """
    context: Any = sc._jsc.sc()
    counts = context.taskScheduler().runningTasksByExecutors().values().iterator()
    running = 0
    while counts.hasNext():
        running += int(counts.next())
    return running
