"""Measures small fits: `python -m trainbench.fits TASK.json RESULT.json`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagebench.on_disk import OnDisk
from trainbench.session import session

ROWS, COLUMNS = 256, 10
MANY_ROWS, MANY_COLUMNS = 131_072, 100
FITS = {
    "first": "first fit of a session",
    "second": "second fit",
    "third": "third fit",
    "grid": "grid of 4 in a CrossValidator of 2 folds: 9 fits",
    "place": f"one epoch of {MANY_ROWS:,} rows of {MANY_COLUMNS} floats, one batch",
}


@dataclass(frozen=True)
class FitsTask(OnDisk):
    """On how many cores, which are also the workers, and with which heap of Spark's JVM."""

    cores: int
    driver_memory: str


def measured(task: FitsTask) -> dict[str, float]:
    """Return the seconds of each of `FITS`."""
    spark = session(task.cores, task.driver_memory)
    few, many = _rows(spark, ROWS, COLUMNS), _rows(spark, MANY_ROWS, MANY_COLUMNS)
    small, large = _estimator(COLUMNS, task.cores), _estimator(MANY_COLUMNS, task.cores)
    large.setParams(epochs=1, batchSize=MANY_ROWS)
    work: dict[str, Callable[[], object]] = {
        "first": lambda: small.fit(few),
        "second": lambda: small.fit(few),
        "third": lambda: small.fit(few),
        "grid": lambda: _validator(small).fit(few),
        "place": lambda: large.fit(many),
    }
    return {name: _seconds(run) for name, run in work.items()}


def _seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    seconds = time.perf_counter() - begin
    print(f"{seconds:.2f} s", flush=True)
    return seconds


def _rows(spark: Any, count: int, columns: int) -> Any:
    """Return rows of random numbers, which Spark has in memory."""
    from pyspark.sql import functions as f

    numbers = f.transform(f.sequence(f.lit(1), f.lit(columns)), lambda _: f.rand(1).cast("float"))
    label = (f.rand(2) > 0.5).cast("double")
    rows = spark.range(count, numPartitions=2).select(numbers.alias("x"), label.alias("y")).cache()
    rows.count()
    return rows


def _estimator(columns: int, workers: int) -> Any:
    import keras
    import sparkdl

    layers = [keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")]
    return sparkdl.KerasEstimator(
        model=keras.Sequential([keras.Input((columns,)), *layers]),
        inputCols=["x"],
        labelCols=["y"],
        predictionCol="prediction",
        rawPredictionCol="rawPrediction",
        loss="binary_crossentropy",
        epochs=2,
        numWorkers=workers,
        verbose=0,
    )


def _validator(estimator: Any) -> Any:
    from pyspark.ml.evaluation import BinaryClassificationEvaluator
    from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

    grid = ParamGridBuilder().addGrid(estimator.batchSize, [16, 32])
    return CrossValidator(
        estimator=estimator,
        estimatorParamMaps=grid.addGrid(estimator.epochs, [1, 2]).build(),
        evaluator=BinaryClassificationEvaluator(labelCol="y"),
        numFolds=2,
        seed=1,
    )


if __name__ == "__main__":
    found = measured(FitsTask.read(sys.argv[1]))
    print("measured", flush=True)
    Path(sys.argv[2]).write_text(json.dumps({"seconds": found}))
