#!/usr/bin/env python3
"""Measures the memory of workers that train a large network, per process (Linux).

    python benchmarks/training_memory.py                      # VGG19, two workers, about 10 GB
    python benchmarks/training_memory.py MobileNetV2 --workers 1

`KerasEstimator` trains the whole network with Adam for two steps, on pictures of one colour in
batches of one per worker, so that activations are small beside the weights. Printed are the largest
resident memory of each worker, and that of the driver's Python and JVM.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import threading

from imagebench.memory import descendants
from imagebench.process import environment
from largebench.resident import jvms, resident


class Peaks:
    """Takes the peak of each process below this one, twice a second, until `stop`."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(0.5):
            for pid in descendants(os.getpid()):
                with contextlib.suppress(OSError, KeyError):  # it has ended
                    self.of[pid] = resident(pid)[0]


def main() -> None:
    """Train in a process that has this checkout's package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", default="VGG19")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure(options.network, options.workers)
    else:
        command = [sys.executable, __file__, options.network, "--workers", str(options.workers)]
        sys.exit(subprocess.call([*command, "--here"], env=environment()))


def measure(name: str, count: int) -> None:
    """Train, and print a line per kind of process."""
    import keras
    import sparkdl

    spark = sparkdl.start(
        master=f"local[{count}]",
        conf={"spark.driver.memory": "1g", "spark.ui.enabled": False},
    )
    network = getattr(keras.applications, name)(weights=None)
    weights = sum(int(w.numpy().nbytes) for w in network.weights)
    height, width, _ = network.input_shape[1:]
    row = f"array_repeat(array_repeat(array(cast(id AS float), 1F, 2F), {width}), {height})"
    rows = spark.range(2 * count).selectExpr(f"{row} AS image", "id AS label")
    estimator = sparkdl.KerasEstimator(
        model=network,
        inputCols=["image"],
        labelCols=["label"],
        outputCols=["scores"],
        loss="sparse_categorical_crossentropy",
        batchSize=count,
        numWorkers=count,
        timeout=1200,
    )
    peaks = Peaks()
    try:
        estimator.fit(rows)
    finally:
        peaks.stop()
    [jvm] = jvms(os.getpid(), executors=False)
    own = {os.getpid(), jvm}
    workers = sorted((peak for pid, peak in peaks.of.items() if pid not in own), reverse=True)
    print(f"{name}: {weights / 1e9:.2f} GB of weights")
    for peak in workers[:count]:
        print(f"worker: {peak / 1e9:.2f} GB, 0.8 GB and {(peak - 8e8) / weights:.1f} x weights")
    print(f"driver: Python {peaks.of[os.getpid()] / 1e9:.2f} GB, JVM {peaks.of[jvm] / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
