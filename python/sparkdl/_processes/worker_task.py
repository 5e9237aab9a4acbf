"""The task of one worker: receives its data, has a process work, and tells how that ended."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sparkdl._processes import worker_process
from sparkdl._processes.child_process import death, local_folder, start_server
from sparkdl._processes.coordinator import TASK
from sparkdl._processes.failures import hopeless
from sparkdl._processes.link import DeadlinePassed, Link, LinkClosed
from sparkdl._processes.progress import Address
from sparkdl._processes.worker import hello
from sparkdl._processes.worker_process import JOB, OUTPUT, TOLD, Job

_ADVICE = (
    "Smaller batches, or fewer workers on a machine (spark.task.cpus), need less; memory outside "
    "of the JVM is spark.executor.memoryOverhead."
)
_TAIL = 20_000  # characters of a log
_LONGEST = 100_000  # bytes of a line
_POLL_SECONDS = 0.2
_START_LOG = "start.log"
_NOWHERE = Address("", 0, "")


@dataclass(frozen=True)
class Work:
    """What all tasks of a run are sent.

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
        What is imported once per Python worker of Spark, and not by every process.
    """

    call: bytes
    count: int
    threads: int
    seconds: float
    receive: bytes | None
    forward: bool
    modules: tuple[str, ...]
    attempt: int = 0
    address: Address = _NOWHERE


@dataclass(frozen=True)
class Place:
    """Where a task runs, and as what."""

    rank: int
    host: str
    gpus: tuple[str, ...] = ()


class _Process(Protocol):
    def wait(self, seconds: float) -> bool:
        """Return whether it has ended, after so many seconds at most."""

    @property
    def code(self) -> int | None:
        """Its exit status."""

    def kill(self) -> None:
        """End it."""


def run_task(work: Work, place: Place, elements: Iterable[Any], warm: bool) -> bool:
    """Do one worker's part and return whether its function has returned; the driver has the result.

    Parameters
    ----------
    warm : bool
        Whether to fork the process from one that has imported modules; needs a main module that may
        be imported again, as Spark's workers have.

    Raises
    ------
    RuntimeError
        The process died. A function that failed is no failure of Spark's task: the driver has been
        told, and ends the run.
    """
    link = hello(work.address, work.seconds, place.host, role=TASK, rank=place.rank)
    try:
        with local_folder("sparkdl-worker-") as folder:
            if work.receive is not None:
                pickle.loads(work.receive)(place.rank, elements, folder)
            job = Job(
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
            return _worked(folder, link, work, warm)
    except Exception as e:
        _tell(link, e)
        raise
    finally:
        link.close()


def _worked(folder: Path, link: Link, work: Work, warm: bool) -> bool:
    """Run the process and return whether all went well, or raise how it ended."""
    os.mkfifo(folder / OUTPUT)
    output = os.open(folder / OUTPUT, os.O_RDONLY | os.O_NONBLOCK)
    process: _Process = _Forked(folder, work.modules) if warm else _Started(folder)
    try:
        log = _Log(output, link, work.forward)
        while not process.wait(_POLL_SECONDS):
            log.read()
            if link.hung_up():  # and a process that hangs does not see it
                raise LinkClosed("the driver hung up")
        log.end()
    finally:
        process.kill()
        os.close(output)
    if process.code == 0:
        return True
    if process.code == TOLD:
        return False
    raise RuntimeError(death(process.code, log.tail, _ADVICE))


def _tell(link: Link, error: Exception) -> None:
    """Tell the driver that this worker is lost, and whether another attempt may go better."""
    with suppress(LinkClosed, DeadlinePassed):  # the driver has hung up: it knows
        final = hopeless(error)
        link.send("failed", error=type(error).__name__, reason=str(error), final=final)


class _Log:
    """What the process writes: its end is kept, whole lines go to the driver."""

    def __init__(self, output: int, link: Link, forward: bool) -> None:
        self._output, self._link, self._forward = output, link, forward
        self._part = b""
        self.tail = ""

    def read(self) -> None:
        """Take what is there."""
        while data := self._available():
            self._take(data)

    def end(self) -> None:
        """Take the rest, also a last line that does not end."""
        self.read()
        if self._part:
            self._take(b"\n")

    def _available(self) -> bytes:
        try:
            return os.read(self._output, 1 << 16)
        except BlockingIOError:
            return b""

    def _take(self, data: bytes) -> None:
        *lines, self._part = map(_seen, (self._part + data).split(b"\n"))
        if len(self._part) > _LONGEST:
            lines, self._part = [*lines, self._part], b""
        texts = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.tail = "\n".join([self.tail, *texts])[-_TAIL:]
        if self._forward and texts:
            try:
                self._link.send("log", lines=texts)
            except (LinkClosed, DeadlinePassed):
                self._forward = False  # the run goes on without


def _seen(line: bytes) -> bytes:
    """Return what a terminal shows of a line that was written over, such as progress bars."""
    return line[line.rstrip(b"\r").rfind(b"\r") + 1 :]


class _Forked:
    """A process forked from one that has imported what it needs."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        start_server(folder / _START_LOG, [worker_process.__name__, *modules])
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=worker_process.work, args=(str(folder),))
        self._process.start()

    def wait(self, seconds: float) -> bool:
        self._process.join(seconds)
        return self._process.exitcode is not None

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


class _Started:
    """A process of a Python of its own."""

    def __init__(self, folder: Path) -> None:
        program = f"from {worker_process.__name__} import work; import sys; work(sys.argv[1])"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def wait(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def code(self) -> int | None:
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
