"""What is left of a cluster that was stopped."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from chaos.cluster import EXECUTOR, PYTHON, Cluster

_SECONDS = 30.0  # for processes to end


def leftovers(cluster: Cluster) -> list[str]:
    """Return what a stopped cluster must not have left: processes and their files."""
    gc.collect()  # of failures, which hold what they were about
    end = time.monotonic() + _SECONDS
    pattern = rf"{EXECUTOR}|{PYTHON}"
    while (pids := cluster.pids(pattern)) and time.monotonic() < end:
        time.sleep(0.2)
    found = [f"process {pid} is left" for pid in pids]
    while (files := _files(cluster)) and time.monotonic() < end:
        time.sleep(0.2)
    return found + [f"a file of {f.stat().st_size} bytes is left: {f}" for f in files[:10]]


def _files(cluster: Cluster) -> list[Path]:
    """Return the files that are there, but not those of executors, which Spark removes."""
    found = cluster.disk.rglob("sparkdl-*/**/*")
    return [f for f in found if f.is_file() and "executor-" not in str(f)]
