"""Sums round a ring of workers that are threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from training_threads import Exchange, Thread

from sparkdl._processes.link import DeadlinePassed
from sparkdl._processes.worker_process import WorkerLost
from sparkdl.training._loop.ring import Ring


def rings(count: int, seconds: float = 60) -> list[Ring]:
    exchange = Exchange(count)

    def connect(rank: int) -> Ring:
        worker = Thread(rank, count, Path(), exchange, None)
        worker.seconds = seconds
        return Ring(worker)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(connect, range(count)))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [0, 1, 4, 3_000_001])
def test_all_workers_have_the_same_sums_bit_for_bit(count: int, size: int) -> None:
    arrays = [np.random.default_rng(r).normal(size=size).astype("float32") for r in range(count)]
    expected = np.sum(np.array(arrays, "float64"), 0)
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda pair: pair[0].sum(pair[1]), zip(rings(count), arrays, strict=True)))
    for array in arrays:
        np.testing.assert_array_equal(array, arrays[0])
    np.testing.assert_allclose(arrays[0], expected, rtol=1e-4, atol=1e-5)


def test_a_worker_that_hangs_up_is_lost_at_once() -> None:
    first, second = rings(2)
    threading.Timer(0.3, lambda: second.close()).start()
    with pytest.raises(WorkerLost, match="worker 1"):
        first.sum(np.zeros(1000))


def test_a_worker_that_says_nothing_is_named_when_the_deadline_passes() -> None:
    first, _silent, _third = rings(3, seconds=1)
    began = time.monotonic()
    with pytest.raises(DeadlinePassed, match=r"worker 2 sent nothing for 1 s \(param timeout\)"):
        first.sum(np.zeros(1000))
    assert time.monotonic() - began < 10
