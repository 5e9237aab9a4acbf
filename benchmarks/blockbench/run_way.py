"""Runs one way: `python -m blockbench.run_way TASK.json RESULT.json`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from imagebench.passes import passes, say

from blockbench.task import WORKS, Task


def main(task: Task, result: Path) -> None:
    """Measure, compare the answer with that of the first way that has one, and write the result."""
    module, name = WORKS[task.work][task.way][1].split(":")
    way = getattr(import_module(f"blockbench.{module}"), name)(task)
    measured = passes(way, task)
    say("measured")
    content = {"difference": difference(task, way.answer()), **measured, **way.details()}
    result.write_text(json.dumps(content))


def difference(task: Task, found: np.ndarray | None) -> float | None:
    """Return the largest difference from the first answer, relative to its largest value."""
    reference = Path(task.folder) / f"{task.work}.npy"
    if found is None:
        return None
    if not reference.exists():
        np.save(reference, found)
    expected = np.load(reference)
    return float(np.abs(found - expected).max() / np.abs(expected).max())


if __name__ == "__main__":
    main(Task.read(sys.argv[1]), Path(sys.argv[2]))
