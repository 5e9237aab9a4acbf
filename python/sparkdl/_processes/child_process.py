"""How a process that a task has started prepares itself, see `run_process`."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

OUTPUT = "output"  # the pipe in the folder of a process that its task reads

# Params of glibc's mallopt, and values of them (malloc.h; the threshold's is the largest there is).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_THRESHOLD, _NEVER = 32 << 20, (1 << 31) - 1


def begin(folder: Path) -> None:
    """Write what this process writes to its task."""
    _keep_memory()
    output = os.open(folder / OUTPUT, os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _keep_memory() -> None:
    """Have the allocator keep freed memory, since the next step needs as much again.

    glibc returns blocks above a limit, which it adapts, to the system when they are freed, and the
    system clears every page that it hands out again: up to a fifth of a step's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _NEVER)


def set_threads(threads: int) -> None:
    """Give TensorFlow a number of threads, and only as much memory of a GPU as it needs."""
    import tensorflow as tf

    # They raise if TensorFlow was in use already when this process was forked.
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # other processes may share it
