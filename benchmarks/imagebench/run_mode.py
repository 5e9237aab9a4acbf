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
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from imagebench.cpu import seconds_by_thread, tree_seconds  # noqa: E402
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


def passes(mode: Mode, task: Task) -> dict[str, Any]:
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


def one_pass(mode: Mode) -> float:
    """Return the seconds of one pass."""
    start = time.perf_counter()
    mode.run()
    return time.perf_counter() - start


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main(Task.read(sys.argv[1]), Path(sys.argv[2]))
