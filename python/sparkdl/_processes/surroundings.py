"""What a process must have in common with those that it is forked for, see `keeper`."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Main = Callable[[str], None]  # of a process; its argument is a folder


def can_fork() -> bool:
    """Say whether processes are forked from one that has loaded Keras.

    Not on a Mac: its frameworks end a process that was forked from one that used them, and what
    keepers know of other processes they know from Linux.
    """
    return sys.platform == "linux"


@dataclass(frozen=True)
class Keeping:
    """Which modules are kept loaded, and for whom.

    Attributes
    ----------
    modules : tuple of str
        What is imported once instead of by every process.
    owner : int
        The process with which the keeper ends: the one that starts Spark's Python workers, so that
        all of them on an executor have one keeper, or a program that runs workers without Spark.
    idle_seconds : float
        How long the keeper waits for the next process.
    """

    modules: tuple[str, ...]
    owner: int
    idle_seconds: float

    def facts(self) -> dict[str, Any]:
        """Return all that has to be equal for a keeper's processes to be like one's own."""
        return {
            "modules": self.modules,
            "owner": [self.owner, start_of(self.owner)],
            "executable": sys.executable,
            "path": sys.path,
            "environment": sorted(os.environ.items()),
            "folder": os.getcwd(),
        }

    def name(self) -> str:
        """Return a short name of these facts."""
        return hashlib.sha256(json.dumps(self.facts()).encode()).hexdigest()[:16]


def starter() -> int:
    """Return the process that started this one, which is a Python worker of Spark's, and others.

    All are in one group, so that a parent in another group is what orphans get: where that which
    started this process is gone, it is its own owner.
    """
    parent = os.getppid()
    with suppress(ProcessLookupError):
        if os.getpgid(parent) == os.getpgrp():
            return parent
    return os.getpid()


def start_of(pid: int) -> str:
    """Return when a process was started, which tells it from others of its number; '' if gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    state, *fields = stat.rpartition(b")")[2].decode().split()
    return "" if state in "ZX" else fields[18]
