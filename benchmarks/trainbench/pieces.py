"""The pieces of a step, each measured by itself with the code that the estimator trains with."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from trainbench.networks import LOSS, NETWORKS, OPTIMIZER

_STEPS, _WARMUPS = 40, 5
_LARGE = (1_000_000, 25_000_000, 140_000_000)  # parameters whose sum is measured
_UPDATED = 25_000_000  # parameters whose update is measured


def measured(sc: Any, workers: int, network: str) -> dict[str, Any]:
    """Return the median seconds of the pieces of a step, of the slowest worker."""
    from sparkdl._processes.workers import run_workers

    found = run_workers(sc, workers, _measure, (network,), log=None)
    return {piece: max(f[piece] for f in found) for piece in found[0]}


def costs(sc: Any) -> dict[str, Any]:
    """Return seconds per number that two workers sum, by length, and that a worker updates."""
    from sparkdl._processes.workers import run_workers

    first, _ = run_workers(sc, 2, _large, (), log=None)
    return first


def job_seconds(spark: Any, tasks: int) -> float:
    """Return the median seconds of a Spark job that does nothing, without Python."""
    rdd = spark.range(0, tasks, 1, tasks)._jdf.toArrowBatchRdd().toJavaRDD()
    return _median(rdd.count, 30)


def _measure(worker: Any, name: str) -> dict[str, float]:
    """Take steps as workers do, and time their pieces."""
    from sparkdl._processes.child_process import set_threads
    from sparkdl.training._loop.ring import Ring
    from sparkdl.training._loop.step_functions import Steps

    set_threads(worker.threads)
    network, ring = NETWORKS[name], Ring(worker)
    model = network.build()
    model.compile(OPTIMIZER, LOSS)
    model.optimizer.build(model.trainable_variables)
    steps = Steps(model, [(network.shape, "float32"), ((), "int64")], 1, False)
    share = slice(worker.rank, network.batch, worker.count)
    arrays = [np.ascontiguousarray(a[: network.batch][share]) for a in network.data()]
    times = []
    for _ in range(_WARMUPS + _STEPS):
        begin = time.perf_counter()
        vector = steps.gradients(arrays, network.batch).numpy()
        summing = time.perf_counter()
        ring.sum(vector)
        updating = time.perf_counter()
        steps.update(vector)
        times.append((summing - begin, updating - summing, time.perf_counter() - updating))
    kept = np.median(np.array(times[_WARMUPS:]), axis=0).tolist()
    sizes = {"parameters": float(model.count_params())}
    return {**dict(zip(("gradients", "reduction", "update"), kept, strict=True)), **sizes}


def _large(worker: Any) -> dict[str, Any]:
    from sparkdl._processes.child_process import set_threads
    from sparkdl.training._loop.ring import Ring

    set_threads(worker.threads)
    ring = Ring(worker)
    sums = {}
    for size in _LARGE:
        array = np.ones(size, "float32")
        sums[size] = _median(lambda array=array: ring.sum(array), 5)
        worker.exchange("next")
    return {"sum_seconds": sums, "update_seconds_per_parameter": _update() / _UPDATED}


def _update() -> float:
    """Return the seconds of an update by Adam."""
    import keras
    import tensorflow as tf

    variable, gradient = keras.Variable(np.zeros(_UPDATED, "float32")), tf.ones([_UPDATED])
    optimizer = keras.optimizers.get(OPTIMIZER)
    optimizer.build([variable])
    step = tf.function(lambda: optimizer.apply_gradients([(gradient, variable)]))
    return _median(step, 5)


def _median(action: Callable[[], Any], times: int) -> float:
    """Return the median seconds of an action, the first of which does not count."""
    found = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        action()
        found.append(time.perf_counter() - begin)
    return median(found[1:])
