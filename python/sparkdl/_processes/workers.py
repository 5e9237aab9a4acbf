"""`run_workers`: the same function in n processes at the same time, as one barrier job of Spark.

Every worker's function is called with a `Worker` and the arguments. Deadlines:

- Task slots: when for `seconds` no task of this application has run and no worker has begun.
- Arrival, and each exchange between workers: `seconds` after the first worker reached it.
- Each question to the driver, and each connection: `seconds`.

The first failure that is final (the function raised, a deadline passed, or no other attempt would
help: executors cannot reach the driver, or lack a package) ends the run at once. When a worker is
lost (its process or its machine), the job is started again, until that has happened `attempts`
times without progress; functions see it as `Worker.attempt`. (Spark itself does not repeat a
barrier stage that returns results.)
"""

from __future__ import annotations

import math
import os
import pickle
import queue
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sparkdl._processes.cluster import check_slots, idle_seconds, task_slots, threads_per_process
from sparkdl._processes.console import show_log
from sparkdl._processes.coordinator import Coordinator, Handler
from sparkdl._processes.encryption import check_encryption
from sparkdl._processes.failures import (
    Failure,
    culprit,
    deadline_error,
    describe_lost,
    failure_error,
    hopeless_job_error,
    late_worker,
    no_slots,
    slow_driver,
)
from sparkdl._processes.link import DeadlinePassed, Message
from sparkdl._processes.network import Ports
from sparkdl._processes.worker_jobs import BarrierJob, LocalJob
from sparkdl._processes.worker_task import RunWork
from sparkdl.errors import ModelExecutionException, SettingsException

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext

SECONDS = 300.0
PORT = "spark.sparkdl.training.port"
LOCAL_HOST = "localhost"  # of processes on the driver's machine
_ATTEMPTS = 4
_POLL_SECONDS = 0.2
_CANCELLED = "SPARK_JOB_CANCELLED"  # in the message of Spark's exception
_GRACE_SECONDS = 3.0  # for reasons that arrive after the job has failed
_LOST_SECONDS = 10.0  # for the job to fail after a worker was lost; Spark may notice much later


class _Lost(Exception):
    """Workers were lost; its text says which and why."""


@dataclass(frozen=True)
class _Run:
    """What all attempts have in common."""

    sc: SparkContext | None
    work: RunWork
    data: RDD[Any] | None
    handler: Handler
    log: Callable[[int, str], None]
    description: str


def run_workers(
    sc: SparkContext | None,
    count: int,
    function: Callable[..., Any],
    arguments: Sequence[Any] = (),
    *,
    data: RDD[Any] | None = None,
    receive: Callable[[int, Iterable[Any], Path], None] | None = None,
    handler: Handler | None = None,
    progress: Callable[[], object] = lambda: None,
    attempts: int = _ATTEMPTS,
    log: Callable[[int, str], None] | None = show_log,
    seconds: float = SECONDS,
    description: str = "run workers",
    threads: int | None = None,
    modules: Sequence[str] = (),
) -> list[Any]:
    """Run a function in `count` processes, and return what each returned, by rank.

    Parameters
    ----------
    sc : SparkContext or None
        None runs the processes on this machine, without Spark.
    count : int
        Workers, 1 or more, all of which run at the same time.
    function : callable
        Called with a `Worker` and `arguments`. It travels by cloudpickle, so it may be a local
        one; its result must be picklable.
    data : RDD, optional
        Of `count` partitions; worker r is sent partition r.
    receive : callable, optional
        Called with the rank, the elements of the worker's partition and its local folder, before
        the function: it writes there what the function will read.
    handler : callable, optional
        Answers what functions `ask` and `tell`; called with the rank and the message on a thread
        of the driver, one at a time; returns fields and a payload. If it raises, the run ends.
    progress : callable
        Returns something that changes when the run has got further, so that workers lost before
        no longer count.
    attempts : int
        How often workers may be lost without progress before the run is given up.
    log : callable or None
        Takes a rank and a line that the worker wrote; None drops them. Default: prints them.
    seconds : float
        The deadline of every wait, see above.
    description : str
        Of the job, in Spark's UI.
    threads : int, optional
        Threads of TensorFlow per worker. Default: the executor's cores divided by the workers
        that fit on it.
    modules : sequence of str
        Imported once per machine by a process that workers are forked from, so that the next run
        starts faster: "keras". They must not use TensorFlow yet.

    Returns
    -------
    list
        Results by rank.

    Raises
    ------
    SettingsException
        There are fewer task slots than workers, or Spark is told to encrypt.
    ModelExecutionException
        A worker failed (the message has its traceback), a deadline passed, or workers were lost
        again and again.
    KeyboardInterrupt
        After the job has been cancelled.
    """
    check_encryption(sc)
    check_slots(sc, count)
    work = RunWork(
        call=_pickle((function, tuple(arguments))),
        count=count,
        threads=threads or _threads(sc, count),
        seconds=seconds,
        receive=None if receive is None else _pickle(receive),
        forward=log is not None,
        modules=tuple(modules),
        idle_seconds=idle_seconds(),
    )
    run = _Run(sc, work, data, handler or _refuse, log or (lambda rank, line: None), description)
    lost, attempt = 0, 0
    while True:
        before = progress()
        try:
            return [pickle.loads(r) for r in _attempt(run, attempt)]
        except _Lost as e:
            lost, attempt = 1 if progress() != before else lost + 1, attempt + 1
            if lost >= attempts:
                raise ModelExecutionException(
                    f"Workers were lost {lost} time(s) without progress.\n{e}"
                ) from e.__cause__
            sys.stderr.write(f"{e}\nTrying again.\n")
            _wait_for_slots(sc, count, seconds)


def _attempt(run: _Run, attempt: int) -> list[bytearray]:
    """Run the job once."""
    seconds, count = run.work.seconds, run.work.count
    coordinator = _coordinator(run)
    work = replace(run.work, attempt=attempt, address=coordinator.address)
    job = (
        LocalJob(work) if run.sc is None else (BarrierJob(run.sc, work, run.data, run.description))
    )
    try:
        return _results(job, coordinator, count, seconds)
    except _Lost:
        coordinator.close()
        if not coordinator.settle():
            raise deadline_error(slow_driver(seconds)) from None
        raise
    finally:
        coordinator.close()
        job.cancel()


def _coordinator(run: _Run) -> Coordinator:
    conf = {} if run.sc is None else dict(run.sc.getConf().getAll())
    host = conf.get("spark.driver.host", LOCAL_HOST)
    bind = conf.get("spark.driver.bindAddress", host)
    try:
        ports = Ports(int(conf.get(PORT, "0")), int(conf.get("spark.port.maxRetries", "16")) + 1)
        return Coordinator(
            host, run.work.count, run.work.seconds, run.handler, run.log, bind, ports
        )
    except (ValueError, OverflowError, OSError) as e:
        raise SettingsException(
            f"The driver cannot listen for its workers at {bind}: {e}. Set {PORT} to the first of "
            "some free ports, of which as many are tried as spark.port.maxRetries says, or to 0 "
            "for any port."
        ) from e


def _results(
    job: BarrierJob | LocalJob, coordinator: Coordinator, count: int, seconds: float
) -> list[bytearray]:
    """Wait for the end of the job, and return its results or raise."""
    job.start()
    lost: list[Failure] = []
    first = math.inf  # when the first worker was lost
    while not job.wait(_POLL_SECONDS) and time.monotonic() < first + _LOST_SECONDS:
        _collect_failures(coordinator, lost, count)
        first = min(first, time.monotonic()) if lost else first
        overdue = coordinator.overdue()
        if overdue is None and not coordinator.has_begun() and job.idle() > seconds:
            overdue = no_slots(count, seconds)
        if overdue is not None:
            raise deadline_error(overdue)
    if job.error is None and job.results and all(job.results):
        return [coordinator.results[rank] for rank in range(count)]
    if _CANCELLED in str(job.error):
        raise ModelExecutionException("The run was cancelled: its job was cancelled in Spark.")
    if not lost:
        _await_failures(coordinator)
    _collect_failures(coordinator, lost, count)
    if (final := hopeless_job_error(job.error, count)) is not None:
        raise final from job.error
    raise _Lost(describe_lost(lost, job.error, count)) from job.error


def _await_failures(coordinator: Coordinator) -> None:
    """Wait a moment for reasons that are on their way.

    They may have to wait themselves: a worker's last words come after what it told before, which
    the driver may still be dealing with.
    """
    end = time.monotonic() + _GRACE_SECONDS
    while coordinator.failures.empty() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
        if coordinator.answering_seconds() > 0:
            if (late := coordinator.overdue()) is not None:
                raise deadline_error(late)
            end = time.monotonic() + _GRACE_SECONDS


def _collect_failures(coordinator: Coordinator, lost: list[Failure], count: int) -> None:
    """Raise the first final failure; add the others to those of lost workers."""
    half = coordinator.seconds / 2
    while True:
        try:
            failure = coordinator.failures.get_nowait()
        except queue.Empty:
            return
        if failure.final:
            if failure.error == DeadlinePassed.__name__ and coordinator.answering_seconds() > half:
                raise deadline_error(slow_driver(coordinator.seconds))  # it kept all waiting
            if failure.late is not None:
                late = culprit([failure, *_others_waiting(coordinator)])
                raise deadline_error(late_worker(late, count, coordinator.seconds))
            raise failure_error(failure, count)
        lost.append(failure)


def _others_waiting(coordinator: Coordinator) -> Iterator[Failure]:
    """Yield what other workers have waited for, who say so at about the same time."""
    end = time.monotonic() + _GRACE_SECONDS
    while (left := end - time.monotonic()) > 0:
        with suppress(queue.Empty):
            failure = coordinator.failures.get(timeout=left)
            if failure.late is not None:
                yield failure


def _wait_for_slots(sc: SparkContext | None, count: int, seconds: float) -> None:
    """Wait until new executors have replaced those that are gone."""
    end = time.monotonic() + seconds
    while sc is not None and task_slots(sc) < count:
        if time.monotonic() > end:
            raise deadline_error(no_slots(count, seconds))
        time.sleep(_POLL_SECONDS)


def _refuse(rank: int, message: Message) -> NoReturn:
    raise ValueError(f"worker {rank} asked {message.kind!r}, which nobody answers")


def _pickle(value: object) -> bytes:
    from sparkdl._models.files.travelling import dumps

    try:
        return dumps(value)
    except Exception as e:
        raise SettingsException(
            f"The function, its arguments or something that it uses cannot be sent to the "
            f"processes: {e} They travel by cloudpickle: create inside the function what cannot "
            "travel (sessions, open files, a tf.data.Dataset). For rows, pass "
            "tf_dataset(..., shard=True) to run as an argument, not inside another argument."
        ) from e


def _threads(sc: SparkContext | None, count: int) -> int:
    return max(1, (os.cpu_count() or 1) // count) if sc is None else threads_per_process(sc, count)
