"""The task of one worker: receives its data, runs its process, and reports how that ended."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkdl._processes.coordinator import TASK
from sparkdl._processes.failures import is_hopeless
from sparkdl._processes.kept_process import loading
from sparkdl._processes.link import DeadlinePassed, Link, LinkClosed
from sparkdl._processes.listener import Address
from sparkdl._processes.run_process import local_folder, run_process
from sparkdl._processes.surroundings import Keeping
from sparkdl._processes.worker import connect_to_driver
from sparkdl._processes.worker_process import FAILURE_SENT, JOB, WorkerJob, main

_ADVICE = (
    "Smaller batches, or fewer workers on a machine (spark.task.cpus), need less; memory outside "
    "of the JVM is spark.executor.memoryOverhead."
)
_NOWHERE = Address("", 0, "")


@dataclass(frozen=True)
class RunWork:
    """What is sent to all tasks of a run.

    Attributes
    ----------
    call : bytes
        (function, arguments) by cloudpickle.
    receive : bytes or None
        By cloudpickle, a function that writes the elements of the worker's partition into its
        folder.
    forward : bool
        Whether the driver shows what workers write.
    modules : tuple of str
        What is imported once per machine instead of by every process.
    idle_seconds : float
        How long the process that has imported it waits for the next run.
    """

    call: bytes
    count: int
    threads: int
    seconds: float
    receive: bytes | None
    forward: bool
    modules: tuple[str, ...]
    idle_seconds: float
    attempt: int = 0
    address: Address = _NOWHERE


@dataclass(frozen=True)
class TaskLocation:
    """Where a task runs, and its rank and GPUs."""

    rank: int
    host: str
    gpus: tuple[str, ...] = ()


def keeping_of(modules: Sequence[str], owner: int, idle_seconds: float) -> Keeping:
    """Return what is kept loaded for workers that need these modules, see `Keeping`."""
    return Keeping((main.__module__, *modules), owner, idle_seconds)


def run_task(work: RunWork, place: TaskLocation, elements: Iterable[Any], owner: int) -> bool:
    """Do one worker's part, and return whether its function has returned.

    The driver then has the result.

    Parameters
    ----------
    owner : int
        See `Keeping`.

    Raises
    ------
    RuntimeError
        The process died. Spark's task does not fail when the function does: the driver has been
        told, and ends the run.
    """
    keeping = keeping_of(work.modules, owner, work.idle_seconds)
    link = connect_to_driver(work.address, work.seconds, place.host, role=TASK, rank=place.rank)
    try:
        with loading(keeping), local_folder("sparkdl-worker-") as folder:
            if work.receive is not None:
                pickle.loads(work.receive)(place.rank, elements, folder)
            job = WorkerJob(
                rank=place.rank,
                count=work.count,
                attempt=work.attempt,
                host=place.host,
                threads=work.threads,
                gpus=place.gpus,
                address=work.address,
                seconds=work.seconds,
                call=work.call,
            )
            (folder / JOB).write_bytes(pickle.dumps(job))
            return _run_to_end(folder, link, work.forward, keeping)
    except Exception as e:
        _report(link, e)
        raise
    finally:
        link.close()


def _run_to_end(folder: Path, link: Link, forward: bool, keeping: Keeping) -> bool:
    """Run the process, and return whether all went well; raise if it died."""
    lines = _LineSender(link, forward)

    def watch() -> None:
        if link.hung_up():  # a process that hangs would not notice
            raise LinkClosed("the driver hung up")

    end = run_process(main, folder, keeping, take=lines.send, watch=watch)
    if end.code == 0:
        return True
    if end.code == FAILURE_SENT:
        return False
    raise RuntimeError(end.describe(_ADVICE))


def _report(link: Link, error: Exception) -> None:
    """Tell the driver that this worker is lost, and whether another attempt may succeed."""
    with suppress(LinkClosed, DeadlinePassed):  # the driver has hung up, so it knows
        final = is_hopeless(error)
        link.send("failed", error=type(error).__name__, reason=str(error), final=final)


class _LineSender:
    """Sends the driver what the process writes."""

    def __init__(self, link: Link, forward: bool) -> None:
        self._link, self._forward = link, forward

    def send(self, lines: Sequence[str]) -> None:
        """Send lines as long as that works; a run does not depend on them."""
        if self._forward:
            try:
                self._link.send("log", lines=list(lines))
            except (LinkClosed, DeadlinePassed):
                self._forward = False
