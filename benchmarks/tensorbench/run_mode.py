"""Runs one mode: `python -m tensorbench.run_mode TASK.json RESULT.json`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from imagebench.passes import passes, say

from tensorbench.task import Task

_CLASSES = {
    "a": "plain:PlainTensorFlow",
    "b": "plain:KerasPredict",
    "c": "on_spark:PredictBatchUdf",
    "d": "on_spark:PandasUdf",
    "e": "on_spark:SparkdlStage",
    "f": "on_spark:SparkdlFunction",
}


def main(task: Task, result: Path) -> None:
    """Measure, compare the predictions with those of (a), and write the result."""
    module, name = _CLASSES[task.mode].split(":")
    mode = getattr(import_module(f"tensorbench.{module}"), name)(task)
    mode.first()
    measured = passes(mode, task)
    say("measured")
    found, reference = mode.predictions(), Path(task.file("predictions.npy"))
    if task.mode == "a":
        np.save(reference, found)
    difference = float(np.abs(found - np.load(reference)).max()) if reference.exists() else None
    content = {"rows": len(found), "largest_difference": difference, **measured, **mode.details()}
    result.write_text(json.dumps(content))


if __name__ == "__main__":
    main(Task.read(sys.argv[1]), Path(sys.argv[2]))
