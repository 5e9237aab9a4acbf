#!/usr/bin/env python3
"""Measures the memory of an executor with Spark's defaults, per named network.

    python benchmarks/executor_memory.py                   # the networks of docs/deploying.md
    python benchmarks/executor_memory.py ResNet50 --heap 2g --precision bfloat16

Each network of `keras.applications` has random weights and a session of its own on `local-cluster`:
one executor with one slot, whose heap is that of `spark.executor.memory`. The whole network is
applied to JPEG files, and Linux says how much of the executor's memory was resident at most (VmHWM)
and is in the end (VmRSS).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from imagebench.photos import write_photos
from imagebench.process import environment

NETWORKS = (
    "MobileNetV2",
    "EfficientNetB0",
    "Xception",
    "InceptionV3",
    "ResNet50",
    "VGG16",
    "VGG19",
)

MAKE = """
import sys
import keras
import sparkdl
network = getattr(keras.applications, sys.argv[1])(weights=None)
print(sparkdl.save_bundle(network, sys.argv[2], image=True, verify=False))
"""


def main() -> None:
    """Measure each network in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--heap", default="1g", help="spark.executor.memory (default 1g)")
    parser.add_argument("--precision", default="float32", help="or bfloat16")
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--only", metavar="BUNDLE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(Path(options.only), options.heap, options.precision)))
        return
    print("| network | weights | running | at most | first result |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_photos(Path(folder) / "photos", options.images, 500, 375)
        for network in options.networks:
            bundle = Path(folder) / network
            child("-c", MAKE, network, bundle)
            how = ("--heap", options.heap, "--precision", options.precision)
            found = json.loads(child(__file__, "--only", bundle, *how))
            cells = [f"{found[k]:,.0f} MB" for k in ("weights", "running", "most")]
            print("|", " | ".join([network, *cells, f"{found['first']:.1f} s"]), "|", flush=True)


def child(*arguments: Any) -> str:
    """Run a Python program; return the last line that it prints."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return done.stdout.strip().splitlines()[-1]


def measure(bundle: Path, heap: str, precision: str) -> dict[str, float]:
    """Return megabytes, and seconds from the start of the first job to its result."""
    import sparkdl

    spark = sparkdl.start(
        master="local-cluster[1,1,4096]",
        conf={
            "spark.executor.memory": heap,
            "spark.driver.memory": "1g",
            "spark.sparkdl.precision": precision,
            "spark.ui.enabled": False,
        },
    )
    spark.range(1).count()  # the executor has started
    files = spark.read.format("binaryFile").load(str(bundle.parent / "photos"))
    began = time.perf_counter()
    predictions = sparkdl.load_model(bundle)("content").alias("predictions")
    files.limit(1).select(predictions).collect()
    first = time.perf_counter() - began
    for _ in range(2):
        files.select(predictions).write.format("noop").mode("overwrite").save()
    found = {**memory(spark.sparkContext.applicationId), "first": first}
    found["weights"] = sum(f.stat().st_size for f in bundle.glob("*.*")) / 1e6
    spark.stop()
    return found


def memory(application: str) -> dict[str, float]:
    """Return the resident megabytes of the application's executor."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path("/proc", process, "cmdline").read_text(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if "CoarseGrainedExecutorBackend" in command and application in command:
            status = Path("/proc", process, "status").read_text().splitlines()
            values = dict(line.split(":", 1) for line in status)
            kilobytes = {k: int(values[k].split()[0]) for k in ("VmRSS", "VmHWM")}
            return {"running": kilobytes["VmRSS"] * 1.024e-3, "most": kilobytes["VmHWM"] * 1.024e-3}
    raise SystemExit(f"{application} has no executor any more.")


if __name__ == "__main__":
    main()
