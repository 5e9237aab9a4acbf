"""Measures training on sequences: `python -m trainbench.sequences TASK.json RESULT.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from trainbench.fits import FitsTask
from trainbench.session import session

ROWS, BATCH, EPOCHS, UNITS = 1024, 32, 4, 24
SHORTEST, LONGEST = 5, 500
WAYS = {"mixed": "batches of any rows", "like": "bucketByLength=True"}
_TURNS = 2


def measured(task: FitsTask) -> dict[str, list[float]]:
    """Return the seconds of the epochs of both ways, which take turns."""
    rows = _sequences(session(task.cores, task.driver_memory))
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(_TURNS):
        for way in WAYS:
            seconds[way] += _epochs(rows, task.cores, by_length=way == "like")
    return seconds


def _sequences(spark: Any) -> Any:
    """Return rows with as many pairs of random numbers as their lengths say, in memory."""
    from pyspark.sql import functions as f

    length = (f.lit(SHORTEST) + f.rand(1) * (LONGEST + 1 - SHORTEST)).cast("int")
    pair = f.array(f.rand(2).cast("float"), f.rand(3).cast("float"))
    numbered = spark.range(ROWS, numPartitions=2).select(length.alias("length"))
    points = f.transform(f.sequence(f.lit(1), f.col("length")), lambda _: pair)
    label = (f.col("length") % 2).cast("float")
    rows = numbered.select(points.alias("points"), label.alias("y")).cache()
    rows.count()
    return rows


def _epochs(rows: Any, workers: int, by_length: bool) -> list[float]:
    """Train; return the seconds of the epochs after the first, which traces."""
    import keras
    import sparkdl

    from trainbench.clock import Clock

    layers = [keras.layers.LSTM(UNITS), keras.layers.Dense(1)]
    clock = Clock()
    sparkdl.KerasEstimator(
        model=keras.Sequential([keras.Input((None, 2)), *layers]),
        inputCols=["points"],
        labelCols=["y"],
        outputCols=["out"],
        loss="mse",
        batchSize=BATCH,
        epochs=EPOCHS,
        numWorkers=workers,
        bucketByLength=by_length,
        callbacks=[clock],
        verbose=0,
    ).fit(rows)
    return clock.measured["seconds"]


if __name__ == "__main__":
    found = measured(FitsTask.read(sys.argv[1]))
    print("measured", flush=True)
    Path(sys.argv[2]).write_text(json.dumps({"seconds": found}))
