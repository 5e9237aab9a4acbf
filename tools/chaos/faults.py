"""What is done to the cluster. Each fault ends, and says what jobs may say about it meanwhile."""

from __future__ import annotations

import random
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chaos.cluster import EXECUTOR, PYTHON, Cluster, send
from chaos.disk import filled, locked

_LATER_THAN_DEADLINES = 16.0  # seconds
_BETWEEN = 3.0


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes
    ----------
    inject : callable
        Does it, waits, and undoes it. Returns whether there was anything to do it to.
    excuse : str
        A pattern of what a job that fails meanwhile has to say; empty: no job may fail.
    """

    inject: Callable[[random.Random, Cluster, Path], bool]
    excuse: str = ""


def _kill(pattern: str) -> Callable[[random.Random, Cluster, Path], bool]:
    def inject(draw: random.Random, cluster: Cluster, models: Path) -> bool:
        pids = cluster.pids(pattern)
        if pids:
            send(draw.choice(pids), signal.SIGKILL)
            time.sleep(_BETWEEN)
        return bool(pids)

    return inject


def _pause(seconds: float) -> Callable[[random.Random, Cluster, Path], bool]:
    def inject(draw: random.Random, cluster: Cluster, models: Path) -> bool:
        pids = cluster.pids(EXECUTOR)
        if not pids:
            return False
        pid = draw.choice(pids)
        send(pid, signal.SIGSTOP)
        time.sleep(seconds)
        send(pid, signal.SIGCONT)
        time.sleep(_BETWEEN)
        return True

    return inject


def _fill_disk(draw: random.Random, cluster: Cluster, models: Path) -> bool:
    if not cluster.small_disk:
        return False
    with filled(cluster.disk):
        time.sleep(2 * _BETWEEN)
    return True


def _lock_disk(draw: random.Random, cluster: Cluster, models: Path) -> bool:
    with locked(cluster.disk) as done:
        time.sleep(2 * _BETWEEN)
    time.sleep(_BETWEEN)
    return done


def _cancel(draw: random.Random, cluster: Cluster, models: Path) -> bool:
    for _ in range(5):
        cluster.spark.sparkContext.cancelAllJobs()
        time.sleep(draw.random())
    return True


def _knock(draw: random.Random, cluster: Cluster, models: Path) -> bool:
    """Connect to every port, and say nothing, nonsense or a huge length."""
    connections = []
    for port in cluster.ports():
        for text in (b"", draw.randbytes(200), struct.pack(">Q", 1 << 40) + b"x"):
            with suppress(OSError):
                connection = socket.create_connection(("localhost", port), timeout=1)
                connections.append(connection)
                if text:
                    connection.sendall(text)
    time.sleep(_BETWEEN)
    for connection in connections:
        connection.close()
    return bool(connections)


def _hide_models(draw: random.Random, cluster: Cluster, models: Path) -> bool:
    """Take the models away, and put them back."""
    there = sorted(models.iterdir())
    for model in there:
        model.rename(models.with_name(f"away-{model.name}"))
    time.sleep(2 * _BETWEEN)
    for model in there:
        if model.exists():
            model.rename(models.with_name(f"new-{model.name}"))
        models.with_name(f"away-{model.name}").rename(model)
    return True


FAULTS: dict[str, Fault] = {
    "an executor is killed": Fault(_kill(EXECUTOR)),
    "a Python worker is killed": Fault(_kill(PYTHON)),
    "an executor stops for a moment": Fault(_pause(3.0)),
    "an executor stops for longer than deadlines": Fault(_pause(_LATER_THAN_DEADLINES)),
    "the disk is full": Fault(_fill_disk, r"(?i)no space left|disk quota|free space"),
    "the disk is locked": Fault(
        _lock_disk,
        r"(?i)operation not permitted|permission denied|failed to create|cannot (write|create)",
    ),
    "jobs are cancelled": Fault(_cancel, r"(?i)cancel"),
    "strangers connect to every port": Fault(_knock),
    "the models are away": Fault(
        _hide_models, r"(?i)there is no model|no such file|is gone|neither in Keras' cache"
    ),
}


class Disturbance(threading.Thread):
    """Injects faults, one after the other, from a seed.

    Attributes
    ----------
    injected : list of str
        Those that there was something to do it to.
    """

    def __init__(self, names: list[str], seed: str, cluster: Cluster, models: Path) -> None:
        super().__init__(daemon=True)
        self.injected: list[str] = []
        self._names, self._draw = names, random.Random(seed)
        self._cluster, self._models = cluster, models

    def run(self) -> None:
        """Inject them."""
        for name in self._names:
            time.sleep(self._draw.uniform(0.2, 2.0))
            if FAULTS[name].inject(self._draw, self._cluster, self._models):
                self.injected.append(name)

    def excuses(self, error: BaseException) -> bool:
        """Say whether a job may fail in this way while these faults are there."""
        text = f"{type(error).__name__}: {error}"
        patterns = [FAULTS[name].excuse for name in self._names if FAULTS[name].excuse]
        return any(re.search(pattern, text) for pattern in patterns)
