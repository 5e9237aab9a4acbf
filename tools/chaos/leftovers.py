"""What is left of a cluster that was stopped."""

from __future__ import annotations

import time

from chaos.cluster import EXECUTOR, PYTHON, Cluster

_SECONDS = 30.0  # for processes to end


def leftovers(cluster: Cluster) -> list[str]:
    """Return what a stopped cluster must not have left: processes and their files."""
    end = time.monotonic() + _SECONDS
    pattern = rf"{EXECUTOR}|{PYTHON}"
    while (pids := cluster.pids(pattern)) and time.monotonic() < end:
        time.sleep(0.2)
    found = [f"process {pid} is left" for pid in pids]
    # What an executor had that was killed is Spark's to remove.
    files = [
        f for f in cluster.disk.rglob("sparkdl-*/**/*") if f.is_file() and "executor-" not in str(f)
    ]
    return found + [f"a file of {f.stat().st_size} bytes is left: {f}" for f in files[:10]]
