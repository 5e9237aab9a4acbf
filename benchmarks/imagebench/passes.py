"""Warm-ups and timed passes of a mode."""

from __future__ import annotations

import os
import time
from typing import Any, Protocol

from imagebench.cpu import seconds_by_thread, tree_seconds


class Runnable(Protocol):
    """What is timed."""

    def run(self) -> None:
        """Do all of the work once."""


class Limits(Protocol):
    """How often, and for how long."""

    warmups: int
    repeat: int
    budget: float


def passes(mode: Runnable, task: Limits) -> dict[str, Any]:
    """Run warm-ups and timed passes; return the seconds of each and the CPU time of the latter."""
    end = time.perf_counter() + task.budget
    warm: list[float] = []
    # Half the budget at most goes into warming up.
    while len(warm) < task.warmups and time.perf_counter() < end - task.budget / 2:
        warm.append(one_pass(mode))
    me = os.getpid()
    cpu, threads = tree_seconds(me), seconds_by_thread(me)
    timed: list[float] = []
    while len(timed) < min(2, task.repeat) or (
        len(timed) < task.repeat and time.perf_counter() < end
    ):
        timed.append(one_pass(mode))
        say(f"pass {len(timed)} of {task.repeat}: {timed[-1]:.2f} s")
    cpu = tree_seconds(me) - cpu
    by_thread = {k: (v - threads[k]) / cpu for k, v in seconds_by_thread(me).items()}
    return {
        "warmup_seconds": warm,
        "seconds": timed,
        "cpu_seconds_per_pass": cpu / len(timed),
        "cpu_share_by_thread": {k: round(v, 3) for k, v in by_thread.items() if v > 0},
    }


def one_pass(mode: Runnable) -> float:
    """Return the seconds of one pass."""
    start = time.perf_counter()
    mode.run()
    return time.perf_counter() - start


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)
