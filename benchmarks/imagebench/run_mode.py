"""Runs one mode: `python -m imagebench.run_mode TASK.json RESULT.json`.

The clock starts with the interpreter, so "first result" holds imports, the Spark session, the
model's loading and one batch. `images.py` samples the memory of this process and its children
until the line "measured" appears.
"""

from __future__ import annotations

import time

START = time.perf_counter()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from imagebench.cpu import tree_seconds  # noqa: E402
from imagebench.passes import passes, say  # noqa: E402
from imagebench.task import Mode, Task  # noqa: E402

_CLASSES = {
    "a": "plain:PlainTensorFlow",
    "b": "plain:KerasPredict",
    "c": "udfs:PredictBatchUdf",
    "d": "udfs:FrozenGraphUdf",
    "e": "stages:Featurizer",
    "f": "stages:FeaturizerBfloat16",
    "scaled": "large:ScaledWhileDecoding",
    "full": "large:DecodedAtFullSize",
    "structs": "large:ReadAsStructs",
    "tensorflow": "large:TensorFlowFullSize",
    "webp": "large:ScaledWhileDecoding",
    "tiff": "large:ScaledWhileDecoding",
    "pillow_webp": "large:Pillow",
    "pillow_tiff": "large:Pillow",
    "pillow": "large:Pillow",
}


def main(task: Task, result: Path) -> None:
    """Measure and write the result."""
    module, name = _CLASSES[task.mode].split(":")
    mode: Mode = getattr(import_module(f"imagebench.{module}"), name)(task)
    started = time.perf_counter() - START
    mode.first()
    first, first_cpu = time.perf_counter() - START, tree_seconds(os.getpid())
    say(f"first result after {first:.1f} s")
    measured = passes(mode, task)
    say("measured")
    features = mode.features()
    np.save(task.features, features)
    times = {
        "seconds_to_start": started,
        "seconds_to_first": first,
        "cpu_seconds_to_first": first_cpu,
    }
    result.write_text(json.dumps({"images": len(features), **times, **measured, **mode.details()}))


if __name__ == "__main__":
    main(Task.read(sys.argv[1]), Path(sys.argv[2]))
