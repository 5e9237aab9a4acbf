"""Processes that a task of Spark starts so that Keras works in them, and the folders they use."""

from __future__ import annotations

import ctypes
import multiprocessing.forkserver as forkserver
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path

# Params of glibc's mallopt, and values of them (malloc.h; the threshold's is the largest there is).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_THRESHOLD, _NEVER = 32 << 20, (1 << 31) - 1


@contextmanager
def local_folder(prefix: str) -> Iterator[Path]:
    """A folder on Spark's local disks, which may be larger than /tmp, for as long as the block."""
    disks = [d for d in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if os.path.isdir(d)]
    place = disks[os.getpid() % len(disks)] if disks else None
    folder = tempfile.mkdtemp(prefix=prefix, dir=place)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start_server(log: Path, modules: Sequence[str]) -> None:
    """Start, once per Python worker, the process that others are forked from.

    It has imported some modules (Keras, but has not used TensorFlow), so that a process starts at
    once, and leaves nothing behind in the worker. What imports write goes to the log.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no GPU is no error
    forkserver.set_forkserver_preload(list(modules))
    own = os.dup(2)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        forkserver.ensure_running()
    finally:
        os.dup2(own, 2)
        os.close(own)


def end_with_parent(folder: Path) -> None:
    """Have this process end, and its folder go, when its parent is gone.

    A task may be killed at any time; nobody else would stop this process and clean up.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def keep_memory() -> None:
    """Have the allocator keep what is freed, for the next step takes the same again.

    glibc gives blocks above a limit that it moves back to the system when they are freed, and the
    system clears every page that it hands out anew: up to a fifth of a step's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _NEVER)


def set_threads(threads: int) -> None:
    """Let TensorFlow have so many threads, and of GPUs the memory that it needs."""
    import tensorflow as tf

    # Also the proof that TensorFlow was not in use when this process was forked: else they raise.
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # other processes may share it


def death(code: int | None, log: str, advice: str) -> str:
    """Say how a process that trained ended, with the last line that it wrote.

    Parameters
    ----------
    code : int or None
        Its exit status; a negative one is a signal.
    log : str
        What it wrote.
    advice : str
        What a process that was ended by a signal may lack.
    """
    last = next((f" It last wrote: {x.strip()}" for x in log.splitlines()[::-1] if x.strip()), "")
    if code is None or code >= 0:
        return f"the process that trained ended with exit status {code}.{last}"
    name = signal.Signals(-code).name
    memory = " The machine may be out of memory." if name == "SIGKILL" else ""
    return f"the process that trained was ended by {name}.{memory} {advice}{last}"
