"""Peak memory of a process and all its descendants (Linux).

Counted is the proportional set size, PSS: private pages, and of pages that several processes
share (forked Python workers share what they inherited) each process's part. A sum of RSS would
count those once per process.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

_PROC = Path("/proc")


def descendants(root: int) -> list[int]:
    """Return the process and all that it started, directly or not."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                # pid (command) state parent ...; the command may hold spaces and brackets
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue  # it has ended
            children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def pss_bytes(pid: int) -> int:
    """Return the proportional set size of one process; 0 if it has ended."""
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class PeakMemory:
    """Samples the memory of a process tree in a thread until `stop`.

    Attributes
    ----------
    peak : int
        Largest sum of PSS seen, in bytes.
    processes : int
        Number of processes at that moment.
    cost : float
        CPU seconds that sampling took.
    """

    def __init__(self, root: int, interval: float = 0.5) -> None:
        self.peak = 0
        self.processes = 0
        self.cost = 0.0
        self._root = root
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._sample()
            self._stop.wait(self._interval)
        self.cost = time.thread_time()

    def _sample(self) -> None:
        pids = descendants(self._root)
        total = sum(map(pss_bytes, pids))
        if total > self.peak:
            self.peak, self.processes = total, len(pids)

    def stop(self) -> None:
        """End sampling; calling it again does nothing."""
        self._stop.set()
        self._thread.join()
