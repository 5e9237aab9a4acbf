"""CPU time of a process tree, which other work on the machine disturbs less than wall time."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from imagebench.memory import descendants

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")

# What the threads of Spark's JVM are called (names are cut to 15 characters).
_KINDS = {
    "Executor task l": "task threads",
    "tf_Compute": "TensorFlow's pool",
    "C1 Compiler": "JIT",
    "C2 Compiler": "JIT",
    "G1 ": "garbage collection",
    "GC Thread": "garbage collection",
    "VM Thread": "garbage collection",
}


def tree_seconds(root: int) -> float:
    """Return the CPU seconds of a process and its descendants, ended ones included."""
    return sum(_stat_seconds(Path(f"/proc/{pid}/stat"), children=True) for pid in descendants(root))


def seconds_by_thread(root: int) -> Counter[str]:
    """Return the CPU seconds so far of the living threads, by kind."""
    found: Counter[str] = Counter()
    for pid in descendants(root):
        for thread in Path(f"/proc/{pid}/task").glob("*"):
            try:
                name = (thread / "comm").read_text().strip()
            except OSError:
                continue  # it has ended
            found[_kind(name)] += _stat_seconds(thread / "stat", children=False)
    return found


def _kind(name: str) -> str:
    return next((kind for start, kind in _KINDS.items() if name.startswith(start)), "other")


def _stat_seconds(path: Path, children: bool) -> float:
    try:
        fields = path.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if children else 13])) * _TICK
