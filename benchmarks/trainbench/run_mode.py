"""Runs one mode: `python -m trainbench.run_mode TASK.json RESULT.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from trainbench.networks import LOSS, NETWORKS, OPTIMIZER, Network
from trainbench.session import session
from trainbench.task import Task

_WORKERS = {"one": 1, "two": 2}


def with_keras(task: Task, network: Network) -> dict[str, Any]:
    """Train with `fit`."""
    import tensorflow as tf

    from trainbench.clock import Clock

    tf.config.threading.set_intra_op_parallelism_threads(task.cores)
    model, clock = network.build(), Clock()
    model.compile(OPTIMIZER, LOSS)
    how = {"batch_size": network.batch, "epochs": task.epochs + 1, "shuffle": True}
    history = model.fit(*network.data(), **how, verbose=0, callbacks=[clock])
    return {**clock.measured, "losses": history.history["loss"]}


def with_estimator(task: Task, network: Network) -> dict[str, Any]:
    """Train with the estimator, on rows of a DataFrame."""
    import sparkdl

    from trainbench.clock import Clock

    spark = session(task.cores, task.driver_memory)
    clock = Clock()
    estimator = sparkdl.KerasEstimator(
        model=network.build(),
        inputCols=["x"],
        labelCols=["y"],
        optimizer=OPTIMIZER,
        loss=LOSS,
        batchSize=network.batch,
        epochs=task.epochs + 1,
        numWorkers=_WORKERS[task.mode],
        callbacks=[clock],
        seed=0,
        verbose=0,
    )
    fitted = estimator.fit(_rows(spark, network))
    return {**clock.measured, "losses": fitted.history["loss"]}


def with_strategy(task: Task, network: Network) -> dict[str, Any]:
    """Train with TensorFlow's own collectives, on arrays."""
    from trainbench.strategy import trained

    session(task.cores, task.driver_memory)
    return trained(task.network, task.epochs)


def pieces(task: Task, network: Network) -> dict[str, Any]:
    """Measure what a step consists of, with one and with two workers."""
    from trainbench.pieces import costs, job_seconds, measured

    spark = session(task.cores, task.driver_memory)
    return {
        "seconds": [],
        "job_seconds": job_seconds(spark, task.cores),
        "workers": {n: measured(spark.sparkContext, n, task.network) for n in (1, 2)},
        "costs": costs(spark.sparkContext),
    }


def _rows(spark: Any, network: Network) -> Any:
    """Return the rows as a DataFrame: x (arrays nested as the input is) and y."""
    import pyarrow as pa

    x, y = network.data()
    values: Any = pa.array(x.reshape(-1))
    for size in reversed(network.shape):
        values = pa.FixedSizeListArray.from_arrays(values, size)
    lists = values.cast(_list_type(len(network.shape)))
    return spark.createDataFrame(pa.table({"x": lists, "y": y}))


def _list_type(depth: int) -> Any:
    import pyarrow as pa

    return pa.float32() if depth == 0 else pa.list_(_list_type(depth - 1))


def main(task: Task, result: Path) -> None:
    """Measure and write the result."""
    others = {"keras": with_keras, "strategy": with_strategy, "pieces": pieces}
    run = others.get(task.mode, with_estimator)
    found = run(task, NETWORKS[task.network])
    print("measured", flush=True)
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Task.read(sys.argv[1]), Path(sys.argv[2]))
