"""Resident memory of processes, now and at its peak (Linux)."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path

from imagebench.memory import descendants


def resident(pid: int | str = "self") -> tuple[int, int]:
    """Return the peak and the present resident memory in bytes."""
    lines = dict(line.split(":", 1) for line in _status(pid).splitlines() if ":" in line)
    peak, present = (int(lines[key].split()[0]) * 1024 for key in ("VmHWM", "VmRSS"))
    return peak, present


def forget_peak() -> None:
    """Give free memory back, and let the peak of this process begin with what it has then."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def jvms(root: int, executors: bool) -> list[int]:
    """Return the JVMs that a process has started: the executors, or else the driver."""
    found = []
    for pid in descendants(root):
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        is_java = command[0].endswith("java")
        if is_java and executors == any("CoarseGrained" in part for part in command):
            found.append(pid)
    return found


def _status(pid: int | str) -> str:
    return Path(f"/proc/{pid}/status").read_text()
