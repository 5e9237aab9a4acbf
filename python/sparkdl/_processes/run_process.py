"""Runs a function in another process, so that a task survives its crashes and leaks."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparkdl._processes.child_process import OUTPUT
from sparkdl._processes.kept_process import KeptProcess
from sparkdl._processes.own_process import OwnProcess
from sparkdl._processes.process_output import ProcessOutput, TakeLines
from sparkdl._processes.surroundings import Keeping, Main, can_fork

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class ProcessEnd:
    """How a process has ended.

    Attributes
    ----------
    code : int or None
        Its exit status; a negative one is a signal, and None that it ended with its keeper.
    output : str
        The last of its output.
    """

    code: int | None
    output: str

    def describe(self, advice: str) -> str:
        """Say how it ended, with its last line, and with advice if a signal ended it."""
        lines = (x.strip() for x in self.output.splitlines()[::-1])
        last = next((f" It last wrote: {x}" for x in lines if x), "")
        if self.code is None:
            return (
                "the process that trained was ended with the one that it was forked from, which "
                f"somebody has killed. The machine may be out of memory. {advice}{last}"
            )
        if self.code >= 0:
            return f"the process that trained ended with exit status {self.code}.{last}"
        name = signal.Signals(-self.code).name
        memory = " The machine may be out of memory." if name == "SIGKILL" else ""
        return f"the process that trained was ended by {name}.{memory} {advice}{last}"


def run_process(
    main: Main,
    folder: Path,
    keeping: Keeping,
    *,
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
    keeping : Keeping
        Which modules are imported once instead of by every process.
    take : callable
        Called with the lines that the process writes.
    watch : callable
        Called again and again; if it raises, the process is ended.
    """
    os.mkfifo(folder / OUTPUT)
    pipe = os.open(folder / OUTPUT, os.O_RDONLY | os.O_NONBLOCK)
    output = ProcessOutput(pipe, take)
    process = KeptProcess(main, folder, keeping) if can_fork() else OwnProcess(main, folder)
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
