"""Runs a function in another process, so that a task survives its crashes and leaks."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver as forkserver
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sparkdl._processes.child_process import OUTPUT
from sparkdl._processes.process_output import ProcessOutput, TakeLines

_POLL_SECONDS = 0.2
_START_LOG = "start.log"

Main = Callable[[str], None]


@dataclass(frozen=True)
class ProcessEnd:
    """How a process has ended.

    Attributes
    ----------
    code : int or None
        Its exit status; a negative one is a signal.
    output : str
        The last of its output.
    """

    code: int | None
    output: str

    def describe(self, advice: str) -> str:
        """Say how it ended, with its last line, and with advice if a signal ended it."""
        lines = (x.strip() for x in self.output.splitlines()[::-1])
        last = next((f" It last wrote: {x}" for x in lines if x), "")
        if self.code is None or self.code >= 0:
            return f"the process that trained ended with exit status {self.code}.{last}"
        name = signal.Signals(-self.code).name
        memory = " The machine may be out of memory." if name == "SIGKILL" else ""
        return f"the process that trained was ended by {name}.{memory} {advice}{last}"


def run_process(
    main: Main,
    folder: Path,
    modules: Sequence[str] = (),
    *,
    warm: bool = True,
    take: TakeLines = lambda lines: None,
    watch: Callable[[], None] = lambda: None,
) -> ProcessEnd:
    """Run a function in a process, and wait for its end.

    Parameters
    ----------
    main : callable
        A function of a module, called with the folder. It calls `child_process.begin` first.
    folder : Path
        Where the process finds what it needs and leaves what it makes.
    modules : sequence of str
        What is imported once per Python worker of Spark instead of by every process.
    warm : bool
        Whether to fork the process from one that has imported modules; needs a main module that may
        be imported again, as Spark's workers have.
    take : callable
        Called with the lines that the process writes.
    watch : callable
        Called again and again; if it raises, the process is ended.
    """
    os.mkfifo(folder / OUTPUT)
    pipe = os.open(folder / OUTPUT, os.O_RDONLY | os.O_NONBLOCK)
    process: _Process = (
        _ForkedProcess(main, folder, modules) if warm else _SpawnedProcess(main, folder)
    )
    output = ProcessOutput(pipe, take)
    try:
        while not process.wait(_POLL_SECONDS):
            output.read()
            watch()
        output.end()
    finally:
        process.kill()
        os.close(pipe)
    return ProcessEnd(process.code, output.tail)


@contextmanager
def local_folder(prefix: str) -> Iterator[Path]:
    """Make a folder for this block on one of Spark's local disks, which may be larger than /tmp."""
    disks = [d for d in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if os.path.isdir(d)]
    disk = disks[os.getpid() % len(disks)] if disks else None
    folder = tempfile.mkdtemp(prefix=prefix, dir=disk)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Process(Protocol):
    def wait(self, seconds: float) -> bool:
        """Wait for at most so many seconds, and return whether it has ended."""

    @property
    def code(self) -> int | None:
        """Its exit status."""

    def kill(self) -> None:
        """End it."""


class _ForkedProcess:
    """A process forked from one that has imported what it needs."""

    def __init__(self, main: Main, folder: Path, modules: Sequence[str]) -> None:
        _start_server(folder / _START_LOG, [main.__module__, *modules])
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=main, args=(str(folder),))
        self._process.start()

    def wait(self, seconds: float) -> bool:
        self._process.join(seconds)
        return self._process.exitcode is not None

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


class _SpawnedProcess:
    """A new process with its own Python interpreter."""

    def __init__(self, main: Main, folder: Path) -> None:
        program = f"import sys; from {main.__module__} import {main.__name__} as main; "
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{program}main(sys.argv[1])", str(folder)],
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


def _start_server(log: Path, modules: Sequence[str]) -> None:
    """Start, once per Python worker, the process that others are forked from.

    It has imported some modules (Keras, but has not used TensorFlow), so that a process starts at
    once, and leaves nothing behind in the worker. What imports write goes to the log.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # a missing GPU is not an error
    forkserver.set_forkserver_preload(list(modules))
    stderr = os.dup(2)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        forkserver.ensure_running()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
