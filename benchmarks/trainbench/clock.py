"""The seconds of epochs, as a callback sees them, and their CPU time."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import keras
from imagebench.cpu import tree_seconds


class Clock(keras.callbacks.Callback):
    """Notes when each epoch ends; the first, which traces and compiles, is not counted."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[float] = []
        self._cpu: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the time."""
        self._ends.append(time.perf_counter())
        self._cpu.append(tree_seconds(os.getpid()))
        print(f"epoch {epoch + 1}", flush=True)

    @property
    def measured(self) -> dict[str, list[float]]:
        """Of the second epoch and those after it, with all that happens between epochs."""
        return {"seconds": _between(self._ends), "cpu_seconds": _between(self._cpu)}


def _between(times: list[float]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(times)]
